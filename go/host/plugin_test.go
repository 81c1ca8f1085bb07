package host_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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

// patience is how long a test waits for something that takes milliseconds on an idle machine.
const patience = 3 * time.Minute

// quick are pauses for tests.
var quick = host.Restart{First: 10 * time.Millisecond, Longest: 50 * time.Millisecond, Stable: time.Hour}

// versionAPI is a server API of which only the version is asked for.
type versionAPI struct{ plugin.API }

func (versionAPI) GetServerVersion() string { return "11.4.0" }

// testLog collects the log as text.
type testLog struct {
	lock sync.Mutex
	text strings.Builder
}

func (l *testLog) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.Write(p)
}

func (l *testLog) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.String()
}

// runPeer starts and activates the peer; change may change the configuration.
func runPeer(t *testing.T, change func(*host.Config)) (*host.Plugin, *notes, *testLog) {
	t.Helper()
	launch, n := peerLaunch(t)
	log := &testLog{}
	cfg := host.Config{
		Launch: launch, API: versionAPI{}, Restart: quick,
		Logger: hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Debug}),
	}
	if change != nil {
		change(&cfg)
	}
	checkLeaks(t)
	p, err := host.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		p.Stop(ctx)
		if t.Failed() {
			t.Log(log.String())
		}
	})
	require.NoError(t, p.Hooks().OnActivate())
	return p, n, log
}

// checkLeaks fails the test if goroutines or sockets are left when it ends. Cleanups run last in, first out: call it
// before the ones that stop what it watches.
func checkLeaks(t *testing.T) {
	t.Helper()
	// Not t.TempDir: the path of a Unix socket must be short.
	sockets, err := os.MkdirTemp("", "t")
	require.NoError(t, err)
	t.Setenv("TMPDIR", sockets)
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		// Not require.Eventually: it asks in a goroutine of its own.
		for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				buffer := make([]byte, 1<<20)
				t.Fatalf("goroutines are left:\n%s", buffer[:runtime.Stack(buffer, true)])
			}
		}
		left, err := filepath.Glob(filepath.Join(sockets, "*"))
		require.NoError(t, err)
		require.Empty(t, left)
		require.NoError(t, os.Remove(sockets))
	})
}

// willBePosted calls MessageWillBePosted and returns the message of the post that comes back.
func willBePosted(p *host.Plugin, message string) (string, string) {
	post, reason := p.Hooks().MessageWillBePosted(&plugin.Context{}, &model.Post{Message: message})
	if post == nil {
		return "", reason
	}
	return post.Message, reason
}

// kill kills the plugin's process and returns its id.
func kill(t *testing.T, p *host.Plugin) int {
	t.Helper()
	pid := p.PID()
	require.NotZero(t, pid)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	return pid
}

// killNoticed kills the plugin's process and waits until the host knows.
func killNoticed(t *testing.T, p *host.Plugin, log *testLog) {
	t.Helper()
	kill(t, p)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "will be restarted") }, patience, time.Millisecond)
}

func TestHooksAndAPIReachEachOther(t *testing.T) {
	p, n, _ := runPeer(t, nil)
	implemented, err := p.Implemented()
	require.NoError(t, err)
	require.Equal(t, []string{"OnDeactivate", "OnConfigurationChange", "MessageWillBePosted", "MessageHasBeenPosted", "ExecuteCommand"}, implemented)
	require.Equal(t, []string{"11.4.0 11.4.0"}, n.lines("activated"))

	message, reason := willBePosted(p, "hello")
	require.Empty(t, reason)
	require.Equal(t, fmt.Sprintf("hello %d", p.PID()), message)
	require.NoError(t, p.Ping())
}

func TestAPluginWithoutAPIIsActivated(t *testing.T) {
	_, n, _ := runPeer(t, func(cfg *host.Config) { cfg.API = nil })
	require.Equal(t, []string{"no API"}, n.lines("activated"))
}

func TestAConfigurationChangeBeforeActivationStaysHere(t *testing.T) {
	launch, n := peerLaunch(t)
	checkLeaks(t)
	p, err := host.Start(t.Context(), host.Config{Launch: launch, Logger: hclog.NewNullLogger()})
	require.NoError(t, err)
	defer p.Stop(t.Context())
	require.NoError(t, p.Hooks().OnConfigurationChange())
	require.NoError(t, p.Hooks().OnActivate())
	require.Empty(t, n.lines("configuration"))
	require.NoError(t, p.Hooks().OnConfigurationChange())
	require.Len(t, n.lines("configuration"), 1)
}

func TestDeactivationRunsTheHookOnceAndEndsTheProcess(t *testing.T) {
	p, n, _ := runPeer(t, nil)
	pid := p.PID()
	require.NoError(t, p.Hooks().OnDeactivate())
	require.NoError(t, p.Deactivate())
	require.Len(t, n.lines("deactivated"), 1)
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	require.ErrorIs(t, p.Err(), host.ErrStopped)
	require.ErrorIs(t, p.Ping(), host.ErrStopped)
	require.Len(t, n.lines("started"), 1)
}

func TestAProcessThatIsKilledIsReplacedAndActivated(t *testing.T) {
	p, n, _ := runPeer(t, nil)
	pid := kill(t, p)
	require.Eventually(t, func() bool { return len(n.lines("activated")) == 2 }, patience, time.Millisecond)
	require.Eventually(t, func() bool {
		message, _ := willBePosted(p, "again")
		return message == fmt.Sprintf("again %d", p.PID())
	}, patience, time.Millisecond)
	require.NotEqual(t, pid, p.PID())
	require.NoError(t, p.Ping())
	require.Equal(t, []string{"11.4.0 11.4.0", "11.4.0 11.4.0"}, n.lines("activated"))
}

func TestNotificationsWaitForTheRestartInTheirOrder(t *testing.T) {
	p, n, log := runPeer(t, nil)
	n.add("start-slowly", "")
	killNoticed(t, p, log)
	var want []string
	for i := range 50 {
		message := fmt.Sprint(i)
		want = append(want, message)
		p.Hooks().MessageHasBeenPosted(&plugin.Context{}, &model.Post{Message: message})
	}
	require.Eventually(t, func() bool { return len(n.lines("posted")) >= len(want) }, patience, time.Millisecond)
	require.Equal(t, want, n.lines("posted"))
}

func TestTheQueueOfNotificationsIsBounded(t *testing.T) {
	p, n, log := runPeer(t, func(cfg *host.Config) { cfg.Settings.QueueSize = 3 })
	n.add("start-slowly", "")
	killNoticed(t, p, log)
	for i := range 10 {
		p.Hooks().MessageHasBeenPosted(&plugin.Context{}, &model.Post{Message: fmt.Sprint(i)})
	}
	require.Eventually(t, func() bool { return len(n.lines("posted")) >= 3 }, patience, time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "dropped=7") }, patience, time.Millisecond)
	require.Equal(t, []string{"0", "1", "2"}, n.lines("posted"))
}

func TestANotificationThatKillsThePluginIsNotSentAgain(t *testing.T) {
	p, n, _ := runPeer(t, nil)
	p.Hooks().MessageHasBeenPosted(&plugin.Context{}, &model.Post{Message: "die"})
	require.Eventually(t, func() bool { return len(n.lines("activated")) == 2 }, patience, time.Millisecond)
	p.Hooks().MessageHasBeenPosted(&plugin.Context{}, &model.Post{Message: "after"})
	require.Eventually(t, func() bool { return len(n.lines("posted")) >= 2 }, patience, time.Millisecond)
	require.Equal(t, []string{"die", "after"}, n.lines("posted"))
	require.Len(t, n.lines("started"), 2)
}

func TestAHookThatAsksForPermissionFollowsThePolicyWhileThePluginIsGone(t *testing.T) {
	for _, policy := range []host.FailurePolicy{host.Allow, host.Reject} {
		t.Run(string(policy), func(t *testing.T) {
			p, n, log := runPeer(t, func(cfg *host.Config) { cfg.Settings.OnFailure = policy })
			n.add("start-slowly", "")
			killNoticed(t, p, log)
			message, reason := willBePosted(p, "hello")
			if policy == host.Allow {
				require.Equal(t, "hello", message)
				require.Empty(t, reason)
			} else {
				require.Contains(t, reason, "com.example.peer")
			}
		})
	}
}

func TestAHookThatAsksForPermissionWaitsForAnActivationUnderWay(t *testing.T) {
	p, n, _ := runPeer(t, func(cfg *host.Config) { cfg.Settings.OnFailure = host.Reject })
	n.add("activate-slowly", "")
	kill(t, p)
	require.Eventually(t, func() bool { return n.has("activating") }, patience, time.Millisecond)
	message, reason := willBePosted(p, "hello")
	require.Empty(t, reason)
	require.Equal(t, fmt.Sprintf("hello %d", p.PID()), message)
}

func TestAHookThatDiesWithThePluginFollowsThePolicyToo(t *testing.T) {
	p, n, _ := runPeer(t, func(cfg *host.Config) { cfg.Settings.OnFailure = host.Reject })
	_, reason := willBePosted(p, "die")
	require.NotEmpty(t, reason)
	require.Eventually(t, func() bool { return len(n.lines("activated")) == 2 }, patience, time.Millisecond)
}

func TestAHookThatTakesTooLongFollowsThePolicy(t *testing.T) {
	p, _, _ := runPeer(t, func(cfg *host.Config) {
		cfg.Settings.OnFailure = host.Reject
		cfg.Settings.HookTimeouts = map[string]time.Duration{host.HookKey("MessageWillBePosted"): 50 * time.Millisecond}
	})
	_, reason := willBePosted(p, "hang")
	require.NotEmpty(t, reason)
	require.NoError(t, p.Ping())
}

func TestAHookThatMustBeAnsweredWaitsForTheRestart(t *testing.T) {
	p, n, log := runPeer(t, nil)
	n.add("start-slowly", "")
	killNoticed(t, p, log)
	response, appErr := p.Hooks().ExecuteCommand(&plugin.Context{}, &model.CommandArgs{})
	require.Nil(t, appErr)
	require.Equal(t, fmt.Sprint(p.PID()), response.Text)
}

func TestManyCallersSurviveSeveralRestarts(t *testing.T) {
	p, n, _ := runPeer(t, nil)
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				p.Hooks().MessageHasBeenPosted(&plugin.Context{}, &model.Post{Message: "note"})
				if message, reason := willBePosted(p, "hello"); !strings.HasPrefix(message, "hello") || reason != "" {
					t.Errorf("%q, %q", message, reason)
					return
				}
				p.Hooks().ExecuteCommand(&plugin.Context{}, &model.CommandArgs{})
			}
		})
	}
	for restarts := 2; restarts <= 4; restarts++ {
		kill(t, p)
		require.Eventually(t, func() bool { return len(n.lines("activated")) == restarts }, patience, time.Millisecond)
		require.Eventually(t, func() bool { return p.PID() != 0 }, patience, time.Millisecond)
	}
	close(stop)
	callers.Wait()
	require.Eventually(t, func() bool {
		message, _ := willBePosted(p, "hello")
		return message == fmt.Sprintf("hello %d", p.PID())
	}, patience, time.Millisecond)
}

// reentrantAPI calls hooks of the plugin whenever the plugin calls it, as a server does about what a plugin does.
type reentrantAPI struct {
	plugin.API
	call func()
}

func (a *reentrantAPI) GetServerVersion() string {
	a.call()
	return "11.4.0"
}

func TestHooksAboutWhatThePluginDoesInItsOnActivateDoNotWaitForIt(t *testing.T) {
	var p *host.Plugin
	var lock sync.Mutex
	var reasons []string
	calls := 0
	api := &reentrantAPI{call: func() {
		lock.Lock()
		defer lock.Unlock()
		calls++
		// Every other call is the host's own; in the first activation no server calls hooks.
		if calls%2 != 0 || p == nil {
			return
		}
		_, reason := willBePosted(p, "I am back")
		reasons = append(reasons, reason)
		_, appErr := p.Hooks().ExecuteCommand(&plugin.Context{}, &model.CommandArgs{})
		require.NotNil(t, appErr)
	}}
	started, n, _ := runPeer(t, func(cfg *host.Config) {
		cfg.API = api
		cfg.Settings.OnFailure = host.Reject
		cfg.Settings.HookTimeout = patience
		cfg.Settings.HookTimeouts = map[string]time.Duration{host.HookKey("ExecuteCommand"): time.Second}
	})
	lock.Lock()
	p = started
	lock.Unlock()
	kill(t, started)
	require.Eventually(t, func() bool { return len(n.lines("activated")) == 2 }, patience, time.Millisecond)
	lock.Lock()
	defer lock.Unlock()
	require.Equal(t, []string{""}, reasons)
}

func TestAFailedActivationIsTheAnswerAndNotRetried(t *testing.T) {
	for file, want := range map[string]string{
		"activate-fails": "no licence",
		"activate-dies":  "the plugin process ended during OnActivate (exit status 7): dying in OnActivate",
	} {
		t.Run(file, func(t *testing.T) {
			launch, n := peerLaunch(t)
			n.add(file, "")
			checkLeaks(t)
			p, err := host.Start(t.Context(), host.Config{Launch: launch, Logger: hclog.NewNullLogger(), Restart: quick})
			require.NoError(t, err)
			defer p.Stop(t.Context())
			require.EqualError(t, p.Hooks().OnActivate(), want)
			require.Len(t, n.lines("started"), 1)
		})
	}
}

func TestAStartThatFailsSaysWhy(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*host.Launch, *notes)
		kind    error
		text    string
	}{
		"the program ends": {
			func(_ *host.Launch, n *notes) { n.add("start-fails", "") },
			host.ErrExited, "the plugin process ended before it was ready (exit status 3): cannot start today",
		},
		"the program is not one": {
			func(l *host.Launch, _ *notes) { l.Program = filepath.Join(l.Bundle, "nothing") },
			host.ErrExited, "cannot start the plugin process: cannot run ",
		},
		"the program never shakes hands": {
			func(l *host.Launch, _ *notes) {
				l.Program, l.Args = "/bin/sh", []string{"-c", "echo waiting for coffee >&2; sleep 1000"}
				l.Settings.StartTimeout = 300 * time.Millisecond
			},
			host.ErrStartTimeout,
			"the plugin process did not become ready within 300ms; if it needs longer, raise props.mattermost_plugin.start_timeout in plugin.json (it last wrote: waiting for coffee)",
		},
		"the program never says what it implements": {
			func(l *host.Launch, n *notes) {
				n.add("implemented-hangs", "")
				l.Settings.StartTimeout = 2 * time.Second
			},
			host.ErrStartTimeout, "the plugin process did not become ready within 2s",
		},
		"the program speaks net/rpc": {
			func(_ *host.Launch, n *notes) { n.add("speaks-netrpc", "") },
			host.ErrHandshake, `the plugin process answered, but not as a plugin for this host: unsupported plugin protocol "netrpc"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			launch, n := peerLaunch(t)
			test.prepare(&launch, n)
			checkLeaks(t)
			_, err := host.Start(t.Context(), host.Config{Launch: launch, Logger: hclog.NewNullLogger()})
			require.ErrorIs(t, err, test.kind)
			require.Contains(t, err.Error(), test.text)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestStopInterruptsAStart(t *testing.T) {
	launch, _ := peerLaunch(t)
	launch.Program, launch.Args = "/bin/sh", []string{"-c", "sleep 1000"}
	checkLeaks(t)
	p := host.New(host.Config{Launch: launch, Logger: hclog.NewNullLogger()})
	started := make(chan error, 1)
	go func() { started <- p.Start(context.Background()) }()
	time.Sleep(50 * time.Millisecond)
	p.Stop(t.Context())
	require.ErrorIs(t, <-started, host.ErrStopped)
}

func TestStopInterruptsAStartThatHangsAfterTheHandshake(t *testing.T) {
	launch, n := peerLaunch(t)
	n.add("implemented-hangs", "")
	checkLeaks(t)
	p := host.New(host.Config{Launch: launch, Logger: hclog.NewNullLogger()})
	started := make(chan error, 1)
	go func() { started <- p.Start(context.Background()) }()
	require.Eventually(t, func() bool { return n.has("asked") }, patience, time.Millisecond)
	p.Stop(t.Context())
	require.ErrorIs(t, <-started, host.ErrStopped)
}

func TestStopInterruptsAnActivationThatHangs(t *testing.T) {
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprintf("again=%v", again), func(t *testing.T) {
			launch, n := peerLaunch(t)
			checkLeaks(t)
			p, err := host.Start(t.Context(), host.Config{Launch: launch, Logger: hclog.NewNullLogger(), Restart: quick})
			require.NoError(t, err)
			activated := make(chan error, 1)
			if again {
				require.NoError(t, p.Hooks().OnActivate())
			}
			n.add("activate-hangs", "")
			if again {
				kill(t, p)
			} else {
				go func() { activated <- p.Hooks().OnActivate() }()
			}
			require.Eventually(t, func() bool { return n.has("hanging") }, patience, time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			p.Stop(ctx)
			require.Zero(t, p.PID())
			if !again {
				require.Error(t, <-activated)
			}
		})
	}
}

func TestStopBeforeStartKeepsThePluginFromStarting(t *testing.T) {
	launch, n := peerLaunch(t)
	p := host.New(host.Config{Launch: launch, Logger: hclog.NewNullLogger()})
	p.Stop(t.Context())
	require.ErrorIs(t, p.Start(t.Context()), host.ErrStopped)
	require.Empty(t, n.lines("started"))
}

func TestStopKillsAProcessThatDoesNotShutDownAndWhatItStarted(t *testing.T) {
	launch, n := peerLaunch(t)
	// The shell becomes the peer after it left a child behind that ignores everything but SIGKILL.
	launch.Args = []string{"-c", `(trap '' TERM INT HUP; echo $$ >"$1/child-of"; sleep 1000) & exec "$0"`, launch.Program, launch.Bundle}
	launch.Program = "/bin/sh"
	checkLeaks(t)
	p, err := host.Start(t.Context(), host.Config{Launch: launch, Logger: hclog.NewNullLogger()})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return n.has("child-of") }, patience, time.Millisecond)
	pid := p.PID()
	require.NoError(t, syscall.Kill(-pid, 0))
	p.Stop(t.Context())
	require.Eventually(t, func() bool { return syscall.Kill(-pid, 0) == syscall.ESRCH }, patience, time.Millisecond, "the group is left")
}
