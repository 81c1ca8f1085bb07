package service

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// apiServer is the API service over a plugin.API. Its unary methods are generated.
type apiServer struct {
	server[plugin.API]
	netRPC *NetRPCAPI // nil: the API is no server's behind net/rpc
}

// RegisterAPI registers the API service with a server that has the Codec. For each call begin provides the API to call, and a function that reports,
// after the method ran, a failure of the transport behind it; see DirectAPI. The API may be nil while there is none: the
// call is then UNAVAILABLE. A nil logger is hclog.Default().
func RegisterAPI(registrar grpc.ServiceRegistrar, begin func(ctx context.Context) (plugin.API, func() error), log hclog.Logger) {
	registrar.RegisterService(&apiService, &apiServer{server: server[plugin.API]{begin: begin, log: loggerOr(log)}})
}

func (s *apiServer) LoadPluginConfiguration(ctx context.Context, _ *convert.LoadPluginConfigurationRequest) (*convert.LoadPluginConfigurationResponse, error) {
	return invoke(ctx, &s.server, "LoadPluginConfiguration", func(target plugin.API) *convert.LoadPluginConfigurationResponse {
		configuration, err := loadConfiguration(target)
		return &convert.LoadPluginConfigurationResponse{
			Result: configuration,
			Error:  err,
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
