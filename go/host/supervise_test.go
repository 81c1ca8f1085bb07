package host_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
)

// manualClock is a clock that a test moves. A pause is over when the test says so.
type manualClock struct {
	lock   sync.Mutex
	time   time.Time
	pauses chan time.Duration // each pause that begins
	over   chan time.Time     // ends the pause that is under way
}

func newManualClock(cfg *host.Config) *manualClock {
	c := &manualClock{time: time.Unix(1_700_000_000, 0), pauses: make(chan time.Duration, 100), over: make(chan time.Time)}
	cfg.SetClock(c.now, func(pause time.Duration) <-chan time.Time {
		c.pauses <- pause
		return c.over
	})
	return c
}

func (c *manualClock) now() time.Time {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.time
}

func (c *manualClock) advance(by time.Duration) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.time = c.time.Add(by)
}

// next waits for the next pause.
func (c *manualClock) next(t *testing.T) time.Duration {
	t.Helper()
	select {
	case pause := <-c.pauses:
		return pause
	case <-time.After(patience):
		t.Fatal("no pause begins")
		return 0
	}
}

// end ends the pause that is under way.
func (c *manualClock) end(pause time.Duration) {
	c.advance(pause)
	c.over <- c.now()
}

func TestAPluginThatKeepsCrashingIsStartedAgainAfterPausesThatGrowToMinutes(t *testing.T) {
	var clock *manualClock
	p, n, log := runPeer(t, func(cfg *host.Config) {
		cfg.Restart = host.DefaultRestart
		clock = newManualClock(cfg)
	})
	n.add("start-fails", "")
	kill(t, p)
	var longest time.Duration
	for attempt := range 20 {
		pause := clock.next(t)
		require.GreaterOrEqual(t, pause, longest)
		longest = pause
		state := p.State()
		require.Equal(t, host.Restarting, state.Phase)
		require.Equal(t, attempt+1, state.Crashes)
		require.Equal(t, clock.now().Add(pause), state.Next)
		require.NoError(t, p.Ping(), "a server that asks is to leave the bridge alone")
		if attempt > 0 {
			require.ErrorContains(t, state.Reason, "(exit status 3): cannot start today")
		}
		if attempt == 19 {
			n.remove("start-fails")
		}
		clock.end(pause)
	}
	require.Equal(t, 5*time.Minute, longest)
	require.Eventually(t, func() bool { return p.State().Phase == host.Running }, patience, time.Millisecond)
	require.Contains(t, log.String(), "The plugin process was restarted")
	require.Empty(t, p.State().String())
	require.Equal(t, 1, p.State().Restarts)
}

func TestThePauseBeginsAnewAfterAProcessThatLivedLongerThanTheLastOne(t *testing.T) {
	var clock *manualClock
	p, _, _ := runPeer(t, func(cfg *host.Config) {
		cfg.Restart = host.DefaultRestart
		clock = newManualClock(cfg)
	})
	crash := func() time.Duration {
		restarts := p.State().Restarts
		kill(t, p)
		pause := clock.next(t)
		clock.end(pause)
		require.Eventually(t, func() bool { return p.State().Restarts > restarts && p.PID() != 0 }, patience, time.Millisecond)
		return pause
	}
	var pause time.Duration
	for range 11 {
		pause = crash()
	}
	require.Greater(t, pause, time.Minute)
	clock.advance(pause - time.Second)
	require.Greater(t, crash(), pause, "not long enough")
	clock.advance(5 * time.Minute)
	require.Equal(t, 100*time.Millisecond, crash())
}

func TestHooksAreAnsweredAtOnceDuringALongPause(t *testing.T) {
	var clock *manualClock
	p, n, _ := runPeer(t, func(cfg *host.Config) {
		cfg.Restart = host.Restart{First: time.Minute, Longest: time.Minute, Stable: time.Hour}
		cfg.Settings.OnFailure = host.Reject
		cfg.Settings.HookTimeout = 0
		clock = newManualClock(cfg)
	})
	kill(t, p)
	pause := clock.next(t)
	_, reason := willBePosted(p, "hello")
	require.NotEmpty(t, reason)
	_, appErr := p.Hooks().ExecuteCommand(&plugin.Context{}, &model.CommandArgs{})
	require.NotNil(t, appErr)
	p.Hooks().MessageHasBeenPosted(&plugin.Context{}, &model.Post{Message: "kept"})
	require.Contains(t, p.State().String(), "next attempt at ")
	clock.end(pause)
	require.Eventually(t, func() bool { return len(n.lines("posted")) == 1 }, patience, time.Millisecond)
}

func TestStopEndsAPause(t *testing.T) {
	var clock *manualClock
	p, _, log := runPeer(t, func(cfg *host.Config) {
		cfg.Restart = host.Restart{First: time.Hour, Longest: time.Hour}
		clock = newManualClock(cfg)
	})
	kill(t, p)
	clock.next(t)
	for range 3 {
		p.Hooks().MessageHasBeenPosted(&plugin.Context{}, &model.Post{Message: "never told"})
	}
	require.NoError(t, p.Hooks().OnConfigurationChange())
	p.Stop(t.Context())
	require.Contains(t, log.String(), `dropped=4 dropped_hooks="MessageHasBeenPosted: 3, OnConfigurationChange: 1"`)
	require.Equal(t, host.Stopped, p.State().Phase)
}

// Each of these would be waited for until a deadline that no test lives to see.
func TestTheEndOfTheProcessEndsEveryWait(t *testing.T) {
	start := func(t *testing.T, misbehaviour string) (*host.Plugin, *notes, error) {
		launch, n := peerLaunch(t)
		launch.Settings.StartTimeout = time.Hour
		launch.Settings.HookTimeouts = map[string]time.Duration{host.HookKey("OnDeactivate"): time.Hour}
		n.add(misbehaviour, "")
		checkLeaks(t)
		p, err := host.Start(t.Context(), host.Config{
			Launch: launch, API: versionAPI{}, Logger: hclog.NewNullLogger(), Restart: quick,
		})
		return p, n, err
	}
	for _, misbehaviour := range []string{"dies-after-handshake", "dies-before-answering", "implemented-dies"} {
		t.Run(misbehaviour, func(t *testing.T) {
			_, _, err := start(t, misbehaviour)
			require.ErrorIs(t, err, host.ErrExited)
			require.EqualError(t, err, "the plugin process ended before it was ready (exit status 5): no more memory")
		})
	}
	for misbehaviour, want := range map[string]string{
		"activate-dies":            "the plugin process ended during OnActivate (exit status 7): dying in OnActivate",
		"activate-dies-holding-on": "the plugin process ended during OnActivate (exit status 7): dying in OnActivate",
	} {
		t.Run(misbehaviour, func(t *testing.T) {
			p, _, err := start(t, misbehaviour)
			require.NoError(t, err)
			defer p.Stop(t.Context())
			require.EqualError(t, p.Hooks().OnActivate(), want)
		})
	}
	t.Run("OnDeactivate", func(t *testing.T) {
		p, _, err := start(t, "deactivate-dies")
		require.NoError(t, err)
		require.NoError(t, p.Hooks().OnActivate())
		require.EqualError(t, p.Hooks().OnDeactivate(), "the plugin process ended during OnDeactivate (exit status 6): dying in OnDeactivate")
	})
	t.Run("a restart", func(t *testing.T) {
		p, n, err := start(t, "nothing")
		require.NoError(t, err)
		defer p.Stop(t.Context())
		require.NoError(t, p.Hooks().OnActivate())
		n.add("dies-after-handshake", "")
		kill(t, p)
		require.Eventually(t, func() bool { return p.State().Crashes >= 3 }, patience, time.Millisecond)
		require.ErrorContains(t, p.State().Reason, "exit status 5")
		n.remove("dies-after-handshake")
		require.Eventually(t, func() bool { return p.State().Phase == host.Running }, patience, time.Millisecond)
	})
	t.Run("a health check", func(t *testing.T) {
		p, n, err := start(t, "nothing")
		require.NoError(t, err)
		defer p.Stop(t.Context())
		require.NoError(t, p.Hooks().OnActivate())
		n.add("start-slowly", "")
		checked := make(chan error, 1)
		kill(t, p)
		go func() { checked <- p.Check(context.Background()) }()
		require.NoError(t, <-checked, "it is being restarted")
	})
}

func TestAProcessThatAnswersNothingIsReplaced(t *testing.T) {
	p, _, log := runPeer(t, func(cfg *host.Config) { cfg.Settings.StuckTimeout = time.Second })
	stopped := p.PID()
	require.NoError(t, syscall.Kill(stopped, syscall.SIGSTOP))
	require.Eventually(t, func() bool {
		message, _ := willBePosted(p, "hello")
		return message != "hello" && message != fmt.Sprintf("hello %d", stopped)
	}, patience, time.Millisecond)
	require.Contains(t, log.String(), "the plugin process answered nothing for 1s and was killed")
}

func TestAProcessWithAHookThatTakesLongIsLeftAlone(t *testing.T) {
	p, _, _ := runPeer(t, func(cfg *host.Config) {
		cfg.Settings.StuckTimeout = 3 * time.Second
		cfg.Settings.HookTimeout = 6 * time.Second
	})
	pid := p.PID()
	willBePosted(p, "hang")
	require.Equal(t, pid, p.PID())
}

func TestWhatFailedLongBeforeTheEndIsNotBlamedForIt(t *testing.T) {
	p, n, log := runPeer(t, nil)
	willBePosted(p, "complain")
	n.add("exit-later", "")
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "will be restarted") }, patience, time.Millisecond)
	require.Contains(t, log.String(), "(exit status 9)")
	require.NotContains(t, log.String(), "(exit status 9): ")
}

func TestAPluginThatIsNotThereSaysSoInItsErrors(t *testing.T) {
	launch, n := peerLaunch(t)
	n.add("start-fails", "")
	_, err := host.Start(t.Context(), host.Config{Launch: launch, Logger: hclog.NewNullLogger()})
	require.True(t, errors.Is(err, host.ErrExited), fmt.Sprint(err))
}
