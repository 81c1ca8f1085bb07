package service

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// apiServer is the API service over a plugin.API. Its unary methods are generated.
type apiServer struct {
	pluginpb.UnimplementedAPIServer
	server[plugin.API]
}

// NewAPIServer returns the API service. For each call begin provides the API to call, and a function that reports,
// after the method ran, a failure of the transport behind it; see NewNetRPCAPI and DirectAPI. The API may be nil
// while there is none: the call is then UNAVAILABLE. A nil logger is hclog.Default().
func NewAPIServer(begin func(ctx context.Context) (plugin.API, func() error), log hclog.Logger) pluginpb.APIServer {
	return &apiServer{server: server[plugin.API]{begin: begin, log: loggerOr(log)}}
}

func (s *apiServer) LoadPluginConfiguration(ctx context.Context, _ *pluginpb.LoadPluginConfigurationRequest) (*pluginpb.LoadPluginConfigurationResponse, error) {
	return invoke(ctx, &s.server, "LoadPluginConfiguration", func(target plugin.API) *pluginpb.LoadPluginConfigurationResponse {
		configuration, err := loadConfiguration(target)
		return &pluginpb.LoadPluginConfigurationResponse{
			Result: convert.ValueToProto(configuration),
			Error:  convert.ErrorToProto(err),
		}
	})
}

func loadConfiguration(api plugin.API) (any, error) {
	// As JSON, because decoding it into an interface would make all its integers floats.
	var text json.RawMessage
	if err := api.LoadPluginConfiguration(&text); err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, nil
	}
	configuration, err := convert.DecodeJSON(text)
	if err != nil {
		return nil, fmt.Errorf("read the plugin's configuration: %w", err)
	}
	return configuration, nil
}
