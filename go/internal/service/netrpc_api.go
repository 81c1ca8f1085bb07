package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/rpc"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpcwire"
)

// NetRPCAPI is the API of a server behind Mattermost's own net/rpc client. That client returns zero values when the
// connection fails or the server is too old to have a method; this one reports it.
type NetRPCAPI struct {
	api    plugin.API
	client *rpc.Client
	broker *goplugin.MuxBroker
	calls  *netrpcwire.Client // nil: go-plugin has the connection, and net/rpc's client is all there is
}

// NewNetRPCAPI returns what calls the server behind an API that a plugin got by SetAPI, or that ServerLink.UseForAPI
// returned.
func NewNetRPCAPI(api plugin.API) (*NetRPCAPI, error) {
	out := &NetRPCAPI{api: api}
	if linked, ok := api.(*linkedAPI); ok {
		out.api, out.calls = linked.API, linked.calls
	}
	var err error
	if out.client, err = unexported[rpc.Client](out.api, "client"); err != nil {
		return nil, err
	}
	if out.broker, err = unexported[goplugin.MuxBroker](out.api, "muxBroker"); err != nil {
		return nil, err
	}
	return out, nil
}

// Begin provides the API for one call, of a method that is not just passed on, and what reports a failure of the
// transport after it.
func (n *NetRPCAPI) Begin(ctx context.Context) (plugin.API, func() error) {
	calls := &netRPCAPI{API: n.api, netRPCCalls: n.begin(ctx), broker: n.broker}
	return calls, calls.err
}

func (n *NetRPCAPI) begin(ctx context.Context) netRPCCalls {
	return netRPCCalls{ctx: ctx, client: n.client, versions: apiVersions}
}

// netRPCAPI is the plugin.API of one gRPC call, for methods that are not just passed on: of those it has Mattermost's,
// which fail in silence. Its generated methods send the arguments that Mattermost's own client would send.
type netRPCAPI struct {
	plugin.API
	netRPCCalls
	broker *goplugin.MuxBroker
}

// The methods of plugin.API whose arguments or results Mattermost's client sends in another form than they have.

func (a *netRPCAPI) LoadPluginConfiguration(dest any) error {
	returns := new(plugin.Z_LoadPluginConfigurationArgsReturns)
	if !a.call("LoadPluginConfiguration", &plugin.Z_LoadPluginConfigurationArgsArgs{}, returns) {
		return nil
	}
	if err := json.Unmarshal(returns.A, dest); err != nil {
		return fmt.Errorf("read the plugin's configuration: %w", err)
	}
	return nil
}

func (a *netRPCAPI) LogDebug(msg string, keyValuePairs ...any) {
	a.call("LogDebug", &plugin.Z_LogDebugArgs{A: msg, B: texts(keyValuePairs)}, new(plugin.Z_LogDebugReturns))
}

func (a *netRPCAPI) LogInfo(msg string, keyValuePairs ...any) {
	a.call("LogInfo", &plugin.Z_LogInfoArgs{A: msg, B: texts(keyValuePairs)}, new(plugin.Z_LogInfoReturns))
}

func (a *netRPCAPI) LogWarn(msg string, keyValuePairs ...any) {
	a.call("LogWarn", &plugin.Z_LogWarnArgs{A: msg, B: texts(keyValuePairs)}, new(plugin.Z_LogWarnReturns))
}

func (a *netRPCAPI) LogError(msg string, keyValuePairs ...any) {
	a.call("LogError", &plugin.Z_LogErrorArgs{A: msg, B: texts(keyValuePairs)}, new(plugin.Z_LogErrorReturns))
}

func (a *netRPCAPI) LogAuditRec(rec *model.AuditRecord) {
	a.call("LogAuditRec", &plugin.Z_LogAuditRecArgs{A: plainRecord(rec)}, new(plugin.Z_LogAuditRecReturns))
}

func (a *netRPCAPI) LogAuditRecWithLevel(rec *model.AuditRecord, level mlog.Level) {
	args := &plugin.Z_LogAuditRecWithLevelArgs{A: plainRecord(rec), B: level}
	a.call("LogAuditRecWithLevel", args, new(plugin.Z_LogAuditRecWithLevelReturns))
}

// texts turns what is to be logged into strings: a log takes any value, gob only registered types.
func texts(values []any) []any {
	out := make([]any, len(values))
	for i, value := range values {
		out[i] = fmt.Sprintf("%+v", value)
	}
	return out
}

// plainRecord reduces what an audit record says to the types of JSON, as that is what it is written as; among other
// types there may be some that gob refuses.
func plainRecord(rec *model.AuditRecord) *model.AuditRecord {
	if rec == nil {
		return &model.AuditRecord{}
	}
	out := *rec
	out.EventData.Parameters = plainMap(rec.EventData.Parameters)
	out.EventData.PriorState = plainMap(rec.EventData.PriorState)
	out.EventData.ResultState = plainMap(rec.EventData.ResultState)
	out.Meta = plainMap(rec.Meta)
	return &out
}

func plainMap(in map[string]any) map[string]any {
	var out map[string]any
	text, err := json.Marshal(in)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		return map[string]any{"error": "not representable as JSON: " + err.Error()}
	}
	return out
}
