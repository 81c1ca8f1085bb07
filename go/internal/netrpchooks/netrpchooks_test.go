package netrpchooks_test

import (
	"context"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpchooks"
)

// asking is a plugin that asks its server.
type asking struct{ plugin.MattermostPlugin }

func (a *asking) ExecuteCommand(*plugin.Context, *model.CommandArgs) (*model.CommandResponse, *model.AppError) {
	connection, err := a.Driver.Conn(true)
	if err != nil {
		return nil, model.NewAppError("ExecuteCommand", err.Error(), nil, "", 500)
	}
	return &model.CommandResponse{Text: a.API.GetServerVersion() + " " + connection}, nil
}

func TestAHostReachesAPluginOverNetRPCAndThePluginAPIAndDriver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reattach, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
	go plugin.ClientMain(&asking{}, plugin.WithTestContext(ctx), plugin.WithTestReattachConfigCh(reattach), plugin.WithTestCloseCh(closed),
		func(config *goplugin.ServeConfig) error {
			config.Logger = hclog.NewNullLogger()
			return nil
		})
	log, err := mlog.NewLogger()
	require.NoError(t, err)
	answer := func(method string, _ ...any) []any {
		return []any{map[string]any{"GetServerVersion": "11.4.0", "Conn": "c1"}[method]}
	}
	kind, err := netrpchooks.New(contracttest.APIFunc(answer), contracttest.DriverFunc(answer), log)
	require.NoError(t, err)
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: handshake.Config, Plugins: goplugin.PluginSet{handshake.Hooks: kind},
		Reattach: <-reattach, Logger: hclog.NewNullLogger(),
	})
	protocol, err := client.Client()
	require.NoError(t, err)
	dispensed, err := protocol.Dispense(handshake.Hooks)
	require.NoError(t, err)
	hooks := dispensed.(netrpchooks.Hooks)

	implemented, err := hooks.Implemented()
	require.NoError(t, err)
	require.Equal(t, []string{"ExecuteCommand"}, implemented)
	require.NoError(t, hooks.OnActivate())
	response, appErr := hooks.ExecuteCommand(&plugin.Context{}, &model.CommandArgs{})
	require.Nil(t, appErr)
	require.Equal(t, "11.4.0 c1", response.Text)

	serving, err := netrpchooks.Serving(hooks)
	require.NoError(t, err)
	require.NoError(t, protocol.Close())
	<-closed
	serving.Wait()
}

func TestWhatIsNotMattermostsIsRefused(t *testing.T) {
	for _, value := range []any{nil, 1, &struct{}{}, (*plugin.Environment)(nil)} {
		_, err := netrpchooks.Serving(value)
		require.Error(t, err)
	}
}
