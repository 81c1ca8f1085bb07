package main

import (
	"bytes"
	"net/rpc"
	"os/exec"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
)

// oldAPI is what a server serves as its API that is older than most of it. As there is only one version of
// server/public in a program, the other side of net/rpc is spelled out here; the arguments are Mattermost's own.
type oldAPI struct{}

func (oldAPI) GetServerVersion(_ *plugin.Z_GetServerVersionArgs, returns *plugin.Z_GetServerVersionReturns) error {
	returns.A = "9.11.0"
	return nil
}

func (oldAPI) LogDebug(*plugin.Z_LogDebugArgs, *plugin.Z_LogDebugReturns) error { return nil }
func (oldAPI) LogError(*plugin.Z_LogErrorArgs, *plugin.Z_LogErrorReturns) error { return nil }

// oldDriver is what it serves as its database driver.
type oldDriver struct{}

func (oldDriver) Conn(bool, *plugin.Z_DbStrErrReturn) error { return nil }

// oldServer is such a server's side of a plugin.
type oldServer struct {
	anyPlugin
	broker *goplugin.MuxBroker
	client *rpc.Client
}

func (s *oldServer) Client(broker *goplugin.MuxBroker, client *rpc.Client) (any, error) {
	s.broker, s.client = broker, client
	return s, nil
}

func (s *oldServer) activate() error {
	api, driver := s.broker.NextId(), s.broker.NextId()
	go s.broker.AcceptAndServe(api, oldAPI{})
	go s.broker.AcceptAndServe(driver, oldDriver{})
	returns := &plugin.Z_OnActivateReturns{}
	if err := s.client.Call("Plugin.OnActivate", &plugin.Z_OnActivateArgs{APIMuxId: api, DriverMuxId: driver}, returns); err != nil {
		return err
	}
	return returns.A
}

// startOldServer starts a bundle by go-plugin's client, as a server does, and activates it. change may change how.
func startOldServer(t *testing.T, b *bundle, change func(*goplugin.ClientConfig)) (*oldServer, *goplugin.Client, *bytes.Buffer) {
	t.Helper()
	var stderr bytes.Buffer
	s := &oldServer{}
	config := &goplugin.ClientConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         goplugin.PluginSet{"hooks": s},
		Cmd:             exec.Command(b.bridge),
		Stderr:          &stderr,
		Logger:          hclog.NewNullLogger(),
	}
	if change != nil {
		change(config)
	}
	client := goplugin.NewClient(config)
	t.Cleanup(client.Kill)
	protocol, err := client.Client()
	require.NoError(t, err)
	_, err = protocol.Dispense("hooks")
	require.NoError(t, err)
	var implemented []string
	require.NoError(t, s.client.Call("Plugin.Implemented", struct{}{}, &implemented), &stderr)
	require.Contains(t, implemented, "MessageWillBePosted")
	require.NoError(t, s.activate(), &stderr)
	require.Equal(t, []string{"9.11.0"}, b.lines("activated"))
	return s, client, &stderr
}

func TestAMethodTheServerLacksIsNotSupported(t *testing.T) {
	b := newBundle(t, moderator)
	s, client, stderr := startOldServer(t, b, nil)
	returns := &plugin.Z_MessageWillBePostedReturns{}
	post := &model.Post{Message: "toast"}
	require.NoError(t, s.client.Call("Plugin.MessageWillBePosted", &plugin.Z_MessageWillBePostedArgs{A: &plugin.Context{}, B: post}, returns))
	require.Contains(t, returns.A.Message, "GetChannelOfType")
	require.Contains(t, returns.A.Message, "11.10")

	// The log goes to stderr where the API cannot take it.
	require.NoError(t, s.client.Call("Plugin.MessageHasBeenPosted", &plugin.Z_MessageHasBeenPostedArgs{A: &plugin.Context{}, B: post}, &plugin.Z_MessageHasBeenPostedReturns{}))
	client.Kill()
	require.Contains(t, stderr.String(), `"@message":"seen toast"`)
}
