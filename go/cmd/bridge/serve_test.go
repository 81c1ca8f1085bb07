package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/peers"
)

// carried is what the bridge's goroutines are in where calls go past go-plugin.
var carried = []string{"netrpcwire.Serve(", "netrpcwire.(*clientCodec).ReadResponseHeader("}

func TestOnlyServersThatAskForMoreThanMattermostDoAreServedByGoPluginAlone(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*goplugin.ClientConfig)
		carries bool
	}{
		"Mattermost": {nil, true},
		"AutoMTLS":   {func(config *goplugin.ClientConfig) { config.AutoMTLS = true }, false},
		"a group": {func(config *goplugin.ClientConfig) {
			config.UnixSocketConfig = &goplugin.UnixSocketConfig{Group: strconv.Itoa(os.Getgid())}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, moderator)
			var bridge *exec.Cmd
			s, client, stderr := startOldServer(t, b, func(config *goplugin.ClientConfig) {
				bridge = config.Cmd
				if test.change != nil {
					test.change(config)
				}
			})
			args := &plugin.Z_MessageWillBePostedArgs{A: &plugin.Context{}, B: &model.Post{Message: "bad"}}
			returns := &plugin.Z_MessageWillBePostedReturns{}
			require.NoError(t, s.client.Call("Plugin.MessageWillBePosted", args, returns), stderr)
			require.Equal(t, "Please keep it friendly.", returns.B)
			if name == "a group" {
				info, err := os.Stat(client.ReattachConfig().Addr.String())
				require.NoError(t, err)
				require.Equal(t, os.FileMode(0o660), info.Mode().Perm())
			}

			// Go's runtime then says what each goroutine is in.
			require.NoError(t, bridge.Process.Signal(syscall.SIGQUIT))
			require.Eventually(t, client.Exited, patience, 10*time.Millisecond)
			client.Kill() // the output is complete then
			for _, function := range carried {
				require.Equal(t, test.carries, strings.Contains(stderr.String(), function), "%s\n%s", function, stderr)
			}
		})
	}
}

func TestASocketThatAKilledBridgeHasLeftIsInNobodysWay(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		listener, err := listen(dir, peers.NoGroup)
		require.NoError(t, err)
		listener.(*net.UnixListener).SetUnlinkOnClose(false) // as it is left by a process that is killed
		require.NoError(t, listener.Close())
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, left, 2)
}

func TestABridgeThatIsNotSpokenToAnyMoreDeactivatesThePluginAndEnds(t *testing.T) {
	b := newBundle(t, moderator)
	s, client, _ := startOldServer(t, b, nil)
	require.NoError(t, s.client.Close())
	require.Eventually(t, client.Exited, patience, 10*time.Millisecond)
	require.Len(t, b.lines("deactivated"), 1)
	gone(t, b.lastPID())
}

func TestASocketForAGroupIsForItsMembersAndForNobodyElse(t *testing.T) {
	t.Setenv(goplugin.EnvUnixSocketGroup, strconv.Itoa(os.Getgid()))
	group, err := socketGroup()
	require.NoError(t, err)
	require.Equal(t, os.Getgid(), group)
	listener, err := listen(t.TempDir(), group)
	require.NoError(t, err)
	defer listener.Close()
	info, err := os.Stat(listener.Addr().String())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o660), info.Mode().Perm())

	t.Setenv(goplugin.EnvUnixSocketGroup, "no-such-group")
	_, err = socketGroup()
	require.ErrorContains(t, err, "no-such-group")
}
