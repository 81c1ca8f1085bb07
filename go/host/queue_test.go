package host_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
)

// texts are messages of very different sizes that begin with their number.
func texts(count int) []string {
	var all []string
	for i := range count {
		size := []int{0, 10, 9_000, 17_000, 70_000, 300_000}[i%6]
		all = append(all, fmt.Sprintf("%d %s", i, strings.Repeat("ä", size)))
	}
	return all
}

func TestNotificationsOfEverySizeWaitForTheRestart(t *testing.T) {
	p, n, log := runPeer(t, nil)
	n.add("start-slowly", "")
	killNoticed(t, p, log)
	want := texts(30)
	for _, text := range want {
		post := &model.Post{Message: text}
		p.Hooks().MessageHasBeenPosted(&plugin.Context{}, post)
		post.Message = "the server's own again"
	}
	require.Eventually(t, func() bool { return len(n.lines("posted")) >= len(want) }, patience, time.Millisecond)
	require.Equal(t, want, n.lines("posted"))
}

func TestFurtherCrashesWhileTheQueueDrainsLoseNothingButWhatWasInFlight(t *testing.T) {
	p, n, log := runPeer(t, nil)
	n.add("start-slowly", "")
	killNoticed(t, p, log)
	var want []string
	for i, text := range texts(60) {
		if i%10 == 5 {
			text = "die"
		}
		want = append(want, text)
		p.Hooks().MessageHasBeenPosted(&plugin.Context{}, &model.Post{Message: text})
	}
	n.remove("start-slowly")
	require.Eventually(t, func() bool { return len(n.lines("posted")) >= len(want) }, patience, time.Millisecond)
	require.Equal(t, want, n.lines("posted"), "each once, also those that the process died of, and in order")
	require.Eventually(t, func() bool { return p.State().Phase == host.Running }, patience, time.Millisecond)
	require.Eventually(t, func() bool {
		return strings.Count(log.String(), `lost_in_flight=1 lost_hooks="MessageHasBeenPosted: 1"`) == 6
	}, patience, time.Millisecond)
}

func TestAConfigurationChangeThatFailsAfterTheRestartIsInTheLog(t *testing.T) {
	p, n, log := runPeer(t, nil)
	n.add("start-slowly", "")
	killNoticed(t, p, log)
	n.add("configuration-fails", "")
	require.NoError(t, p.Hooks().OnConfigurationChange())
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "a bad setting") }, patience, time.Millisecond)
}
