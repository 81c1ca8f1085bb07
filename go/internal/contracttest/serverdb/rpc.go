package serverdb

import (
	"context"
	"os"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
)

const pluginID = "test.database"

// client is the plugin that Mattermost's environment has.
type client struct{ plugin.MattermostPlugin }

// OverRPC returns a server's driver as a plugin has it that runs in Mattermost's own plugin.Environment: every call is
// one of net/rpc, with gob. The function that comes with it ends that.
func OverRPC(server plugin.AppDriver) (plugin.Driver, func(), error) {
	ctx, cancel := context.WithCancel(context.Background())
	implementation := &client{}
	reattach, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
	quiet := func(config *goplugin.ServeConfig) error {
		config.Logger = hclog.NewNullLogger()
		return nil
	}
	go plugin.ClientMain(implementation, plugin.WithTestContext(ctx), plugin.WithTestReattachConfigCh(reattach),
		plugin.WithTestCloseCh(closed), quiet)
	logger, err := mlog.NewLogger()
	if err != nil {
		cancel()
		return nil, nil, err
	}
	folder, err := os.MkdirTemp("", "database")
	if err != nil {
		cancel()
		return nil, nil, err
	}
	noAPI := func(*model.Manifest) plugin.API {
		return contracttest.APIFunc(func(string, ...any) []any { return nil })
	}
	env, err := plugin.NewEnvironment(noAPI, server, folder, folder, logger, nil)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	shutdown := func() {
		env.Shutdown()
		cancel()
		<-closed
		_ = logger.Shutdown()
		_ = os.RemoveAll(folder)
	}
	manifest := &model.Manifest{Id: pluginID, Version: "1.0.0", Server: &model.ManifestServer{Executable: "bridge"}}
	if err := env.Reattach(manifest, model.NewPluginReattachConfig(<-reattach)); err != nil {
		shutdown()
		return nil, nil, err
	}
	return implementation.Driver, shutdown, nil
}
