package host_test

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/grpcplugin"
	"github.com/mattermost-plugin/mattermost-plugin/go/host"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
)

// developed is a plugin in the process of a test, as its author would have it there.
type developed struct {
	plugin.MattermostPlugin
	activated, deactivated chan string
}

func (d *developed) OnActivate() error {
	d.activated <- d.API.GetServerVersion()
	return nil
}

func (d *developed) OnDeactivate() error {
	d.deactivated <- "deactivated"
	return nil
}

func (d *developed) MessageWillBePosted(_ *plugin.Context, post *model.Post) (*model.Post, string) {
	user, appErr := d.API.GetUser(post.UserId)
	if appErr != nil {
		return nil, appErr.Error()
	}
	post.Message = "by " + user.Username
	return post, ""
}

// clientMain are the main functions of plugins in Go.
var clientMain = map[string]func(d *developed, options ...func(*goplugin.ServeConfig) error){
	"netrpc": func(d *developed, options ...func(*goplugin.ServeConfig) error) { plugin.ClientMain(d, options...) },
	"grpc":   func(d *developed, options ...func(*goplugin.ServeConfig) error) { grpcplugin.ClientMain(d, options...) },
}

func quietly(config *goplugin.ServeConfig) error {
	config.Logger = hclog.NewNullLogger()
	return nil
}

func TestAPluginThatWasStartedElsewhereIsAttached(t *testing.T) {
	for protocol, main := range clientMain {
		for name, environment := range environments {
			if name == "plugin.Environment" && protocol == "grpc" {
				continue
			}
			t.Run(name+"/"+protocol, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				d := &developed{activated: make(chan string, 1), deactivated: make(chan string, 1)}
				reattach, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
				go main(d, plugin.WithTestContext(ctx), plugin.WithTestReattachConfigCh(reattach), plugin.WithTestCloseCh(closed), quietly)

				s := newFakeServer(t)
				env := environment(t, s)
				manifest := &model.Manifest{Id: id, Name: "Developed", Server: &model.ManifestServer{}}
				require.NoError(t, env.Reattach(manifest, model.NewPluginReattachConfig(<-reattach)))
				require.Equal(t, "11.4.0", <-d.activated)
				require.True(t, env.IsActive(id))
				require.NoError(t, env.PerformHealthCheck(id))
				hooks, err := env.HooksForPlugin(id)
				require.NoError(t, err)
				post, reason := hooks.MessageWillBePosted(&plugin.Context{}, &model.Post{UserId: "u1"})
				require.Empty(t, reason)
				require.Equal(t, "by name of u1", post.Message)
				require.NoError(t, env.Reattach(manifest, &model.PluginReattachConfig{}), "it is active")

				require.True(t, env.Deactivate(id))
				require.Equal(t, "deactivated", <-d.deactivated)
				<-closed // it was told that nobody wants it any more
				require.Error(t, env.PerformHealthCheck(id))
			})
		}
	}
}

func TestAPythonPluginThatWasStartedElsewhereIsAttached(t *testing.T) {
	developmentPython(t)
	s := newFakeServer(t)
	b := install(t, t.TempDir(), python, id)
	cmd := exec.Command("python3", "server/plugin.py")
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), handshake.CookieName+"="+handshake.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1")
	cmd.Stderr = s.log
	_, err := cmd.StdinPipe() // whose end would be the end of the host that started it
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	fields := strings.Split(strings.TrimSpace(line), "|")

	env := s.host(t)
	manifest := &model.Manifest{Id: id, Name: "Developed", Server: &model.ManifestServer{}}
	require.NoError(t, env.Reattach(manifest, &model.PluginReattachConfig{
		Protocol: fields[4], ProtocolVersion: 1, Addr: net.UnixAddr{Net: fields[2], Name: fields[3]}, Pid: cmd.Process.Pid, Test: true,
	}))
	said, _ := play(env)
	require.Len(t, said[id], 15)
	require.NoError(t, env.PerformHealthCheck(id))
	require.True(t, env.Deactivate(id))
	require.NoError(t, cmd.Wait())
	require.Equal(t, "OnDeactivate", b.lines("notes")[len(b.lines("notes"))-1])
	require.Error(t, env.PerformHealthCheck(id))
}

func TestAProcessThatIsNotThereIsNotAttached(t *testing.T) {
	// Mattermost's environment returns no error for some of these, and has the plugin for active.
	s := newFakeServer(t)
	env := s.host(t)
	nowhere := &model.PluginReattachConfig{
		Protocol: "grpc", ProtocolVersion: 1, Addr: net.UnixAddr{Net: "unix", Name: filepath.Join(t.TempDir(), "no")}, Pid: os.Getpid(), Test: true,
	}
	manifest := &model.Manifest{Id: id, Server: &model.ManifestServer{}}
	require.ErrorIs(t, env.Reattach(manifest, nowhere), host.ErrHandshake)
	require.Equal(t, model.PluginStateFailedToStart, env.GetPluginState(id))
	require.ErrorContains(t, env.Reattach(&model.Manifest{Id: "b"}, nowhere), "cannot reattach plugin without server component")
	newer := &model.Manifest{Id: "c", Server: &model.ManifestServer{}, MinServerVersion: "99.0.0"}
	require.ErrorContains(t, env.Reattach(newer, nowhere), "requires Mattermost 99.0.0")
}
