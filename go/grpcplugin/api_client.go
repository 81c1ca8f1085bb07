package grpcplugin

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// apiClient is the plugin.API of a plugin. Its unary methods are generated.
type apiClient struct {
	conn grpc.ClientConnInterface
}

// apiPath is what the names of the methods follow.
const apiPath = "/mattermost.plugin.v1.API/"

var _ plugin.API = (*apiClient)(nil)

func newAPIClient(conn grpc.ClientConnInterface) *apiClient {
	return &apiClient{conn}
}

// callError is what becomes of a call that failed, for a method that returns an error. It is of the server's doing
// only if errors.Is and As find something else in it than a status of gRPC.
func callError(method string, err error) error {
	return fmt.Errorf("%s: %w", method, err)
}

// appError is callError for a method that returns an AppError.
func appError(method string, err error) *model.AppError {
	code := http.StatusInternalServerError
	switch status.Code(err) {
	case codes.Unimplemented:
		code = http.StatusNotImplemented
	case codes.Unavailable:
		code = http.StatusServiceUnavailable
	}
	out := &model.AppError{
		Id:              "plugin_api.call_failed",
		Message:         "The plugin could not call the server.",
		SkipTranslation: true,
		DetailedError:   err.Error(),
		StatusCode:      code,
		Where:           method,
	}
	return out.Wrap(err)
}

// logFailure is callError for a method that has no place for an error.
func logFailure(method string, err error) {
	log.Printf("[ERROR] the call of %s failed: %v", method, err)
}

// LoadPluginConfiguration reads the plugin's configuration into dest, as encoding/json does.
func (a *apiClient) LoadPluginConfiguration(dest any) error {
	out, err := service.Call[convert.LoadPluginConfigurationResponse](context.Background(), a.conn, apiPath+"LoadPluginConfiguration",
		&convert.LoadPluginConfigurationRequest{})
	if err != nil {
		return callError("LoadPluginConfiguration", err)
	}
	if out.Error != nil {
		return out.Error
	}
	text, err := json.Marshal(out.Result)
	if err != nil {
		return fmt.Errorf("LoadPluginConfiguration: %w", err)
	}
	if err := json.Unmarshal(text, dest); err != nil {
		return fmt.Errorf("LoadPluginConfiguration: %w", err)
	}
	return nil
}

// LogDebug writes to the server's log. Whatever is logged is text on the way, as over net/rpc.
func (a *apiClient) LogDebug(msg string, keyValuePairs ...any) {
	if _, err := service.Call[convert.LogDebugResponse](context.Background(), a.conn, apiPath+"LogDebug",
		&convert.LogDebugRequest{Msg: msg, KeyValuePairs: texts(keyValuePairs)}); err != nil {
		logFailure("LogDebug", err)
	}
}

// LogInfo is LogDebug at level info.
func (a *apiClient) LogInfo(msg string, keyValuePairs ...any) {
	if _, err := service.Call[convert.LogInfoResponse](context.Background(), a.conn, apiPath+"LogInfo",
		&convert.LogInfoRequest{Msg: msg, KeyValuePairs: texts(keyValuePairs)}); err != nil {
		logFailure("LogInfo", err)
	}
}

// LogWarn is LogDebug at level warn.
func (a *apiClient) LogWarn(msg string, keyValuePairs ...any) {
	if _, err := service.Call[convert.LogWarnResponse](context.Background(), a.conn, apiPath+"LogWarn",
		&convert.LogWarnRequest{Msg: msg, KeyValuePairs: texts(keyValuePairs)}); err != nil {
		logFailure("LogWarn", err)
	}
}

// LogError is LogDebug at level error.
func (a *apiClient) LogError(msg string, keyValuePairs ...any) {
	if _, err := service.Call[convert.LogErrorResponse](context.Background(), a.conn, apiPath+"LogError",
		&convert.LogErrorRequest{Msg: msg, KeyValuePairs: texts(keyValuePairs)}); err != nil {
		logFailure("LogError", err)
	}
}

func texts(values []any) []any {
	out := make([]any, len(values))
	for i, value := range values {
		out[i] = fmt.Sprintf("%+v", value)
	}
	return out
}
