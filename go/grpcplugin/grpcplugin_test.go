package grpcplugin_test

import (
	"context"
	"errors"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/grpcplugin"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpproxy"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// played is a plugin whose hooks are a function.
type played struct {
	contracttest.HooksFunc
	plugin.MattermostPlugin
}

// server is a host with one plugin.
type server struct {
	hooks  *service.HooksClient
	broker *goplugin.GRPCBroker
}

// serverSide is the host's side for go-plugin.
type serverSide struct {
	goplugin.NetRPCUnsupportedPlugin
	api    plugin.API
	driver plugin.Driver
}

func (*serverSide) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is the host's side")
}

func (s *serverSide) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	serve := func(register func(*grpc.Server)) uint32 {
		id := broker.NextId()
		go broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
			server := grpcplugin.Server(options)
			register(server)
			return server
		})
		return id
	}
	return &server{broker: broker, hooks: service.NewHooksClient(conn, service.HooksOptions{
		Logger: hclog.NewNullLogger(),
		HTTP:   proxy(pluginpb.NewHooksClient(conn)),
		Activation: func() (service.Activation, error) {
			var activation service.Activation
			if s.api != nil {
				activation.APIBrokerID = serve(func(g *grpc.Server) {
					service.RegisterAPI(g, service.DirectAPI(s.api), hclog.NewNullLogger())
				})
			}
			if s.driver != nil {
				activation.DriverBrokerID = serve(func(g *grpc.Server) {
					service.RegisterDriver(g, service.DirectDriver(s.driver), hclog.NewNullLogger())
				})
			}
			return activation, nil
		},
	})}, nil
}

// proxy hands HTTP requests to where the plugin says that it serves them.
func proxy(hooks pluginpb.HooksClient) *httpproxy.Proxy {
	return httpproxy.New(httpproxy.Options{
		Locate: func(ctx context.Context, hook string) (httpproxy.Endpoint, error) {
			if hook == "ServeMetrics" {
				out, err := hooks.ServeMetrics(ctx, &pluginpb.ServeMetricsRequest{})
				return httpproxy.Endpoint{Network: out.GetNetwork(), Address: out.GetAddress()}, err
			}
			out, err := hooks.ServeHTTP(ctx, &pluginpb.ServeHTTPRequest{})
			return httpproxy.Endpoint{Network: out.GetNetwork(), Address: out.GetAddress()}, err
		},
		Dial: func(_ context.Context, endpoint httpproxy.Endpoint) (net.Conn, error) {
			return net.Dial(endpoint.Network, endpoint.Address)
		},
		AnswerTimeout: func(string) time.Duration { return 0 },
		PluginID:      "com.example.web",
		Logger:        hclog.NewNullLogger(),
	})
}

// run serves a plugin in this process, connects a host to it, and activates it.
func run(t *testing.T, implementation grpcplugin.Implementation, side *serverSide, options ...func(*goplugin.ServeConfig)) *service.HooksClient {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reattach, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
	served := make(chan struct{})
	go func() {
		defer close(served)
		grpcplugin.ClientMain(implementation, plugin.WithTestContext(ctx), plugin.WithTestReattachConfigCh(reattach),
			plugin.WithTestCloseCh(closed), func(config *goplugin.ServeConfig) error {
				config.Logger = hclog.NewNullLogger()
				for _, option := range options {
					option(config)
				}
				return nil
			})
	}()
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  grpcplugin.Handshake,
		Plugins:          goplugin.PluginSet{"hooks": side},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Reattach:         <-reattach,
		Logger:           hclog.NewNullLogger(),
	})
	protocol, err := client.Client()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, protocol.Close())
		<-closed
		<-served
		cancel() // not before: go-plugin would stop its server twice at once
	})
	dispensed, err := protocol.Dispense("hooks")
	require.NoError(t, err)
	hooks := dispensed.(*server).hooks
	_, err = hooks.Implemented()
	require.NoError(t, err)
	require.NoError(t, hooks.OnActivate())
	return hooks
}

// recorder notes the last call and answers it.
type recorder struct {
	called             string
	arguments, results []any
}

func (r *recorder) call(method string, args ...any) []any {
	r.called, r.arguments = method, args
	return r.results
}

func filled(filler *contracttest.Filler, count int, at func(int) reflect.Type) []any {
	out := make([]any, count)
	for i := range out {
		out[i] = filler.Of(at(i))
	}
	return out
}

func call(function reflect.Value, args []any) []any {
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		in[i] = reflect.ValueOf(arg)
		if arg == nil {
			in[i] = reflect.Zero(function.Type().In(i))
		}
	}
	var results []reflect.Value
	if function.Type().IsVariadic() {
		results = function.CallSlice(in)
	} else {
		results = function.Call(in)
	}
	out := make([]any, len(results))
	for i, result := range results {
		out[i] = result.Interface()
	}
	return out
}

// everyMethod calls each method of an interface with all values set, and compares what arrived and what came back.
func everyMethod(t *testing.T, target reflect.Type, implementation any, recorded *recorder, special map[string]bool) {
	t.Helper()
	for i := range target.NumMethod() {
		name, goType := target.Method(i).Name, target.Method(i).Type
		if special[name] {
			continue
		}
		for _, sparse := range []bool{false, true} {
			filler := contracttest.NewFiller(int64(i), sparse)
			args := filled(filler, goType.NumIn(), goType.In)
			*recorded = recorder{results: filled(filler, goType.NumOut(), goType.Out)}
			got := call(reflect.ValueOf(implementation).MethodByName(name), args)
			if recorded.called != name {
				t.Errorf("%s called %q", name, recorded.called)
				continue
			}
			if found := contracttest.Diff(args, append([]any{}, recorded.arguments...)); len(found) > 0 {
				t.Errorf("%s: arguments: %s", name, strings.Join(found, "; "))
			}
			if found := contracttest.Diff(recorded.results, got); len(found) > 0 {
				t.Errorf("%s: results: %s", name, strings.Join(found, "; "))
			}
		}
	}
}

func TestEveryMethodOfTheAPIPassesItsArgumentsAndResults(t *testing.T) {
	recorded := &recorder{}
	p := &played{HooksFunc: func(string, ...any) []any { return nil }}
	run(t, p, &serverSide{api: contracttest.APIFunc(func(method string, args ...any) []any { return recorded.call(method, args...) })})
	everyMethod(t, reflect.TypeFor[plugin.API](), p.API, recorded, map[string]bool{
		"LoadPluginConfiguration": true, "LogDebug": true, "LogInfo": true, "LogWarn": true, "LogError": true, // changed on the way
		"InstallPlugin": true, "UploadData": true, "ReceiveSharedChannelAttachmentSyncMsg": true, "PluginHTTP": true, // readers
		"GetFile": true, "ReadFile": true, // either content or an error
	})
}

func TestEveryMethodOfTheDriverPassesItsArgumentsAndResults(t *testing.T) {
	recorded := &recorder{}
	p := &played{HooksFunc: func(string, ...any) []any { return nil }}
	run(t, p, &serverSide{driver: contracttest.DriverFunc(func(method string, args ...any) []any { return recorded.call(method, args...) })})
	everyMethod(t, reflect.TypeFor[plugin.Driver](), p.Driver, recorded, map[string]bool{"RowsNext": true})
}

func TestEveryHookPassesItsArgumentsAndResults(t *testing.T) {
	recorded := &recorder{}
	p := &played{HooksFunc: func(method string, args ...any) []any { return recorded.call(method, args...) }}
	hooks := run(t, p, &serverSide{})
	// The host's client decodes the result of a few hooks into their argument.
	merged := []string{"MessageWillBePosted", "ChannelMemberWillBeAdded", "TeamMemberWillBeAdded", "FileWillBeUploaded"}
	special := map[string]bool{"OnActivate": true, "Implemented": true, "ServeHTTP": true, "ServeMetrics": true}
	for _, name := range merged {
		special[name] = true
	}
	everyMethod(t, reflect.TypeFor[plugin.Hooks](), hooks, recorded, special)

	recorded.results = []any{&model.Post{Message: "changed"}, "reason"}
	post, reason := hooks.MessageWillBePosted(&plugin.Context{RequestId: "r"}, &model.Post{Id: "p", Message: "hello"})
	require.Equal(t, "MessageWillBePosted", recorded.called)
	require.Equal(t, "hello", recorded.arguments[1].(*model.Post).Message)
	require.Equal(t, []string{"p", "changed", "reason"}, []string{post.Id, post.Message, reason})
}

func TestTheHooksAreTheMethodsThatThePluginHas(t *testing.T) {
	for _, test := range []struct {
		plugin grpcplugin.Implementation
		hooks  []string
	}{
		{&nearly{}, []string{"MessageHasBeenPosted", "OnActivate"}},
		{&played{HooksFunc: func(string, ...any) []any { return nil }}, service.HookNames()},
	} {
		hooks := run(t, test.plugin, &serverSide{})
		names, err := hooks.Implemented()
		require.NoError(t, err)
		slices.Sort(test.hooks)
		require.Equal(t, test.hooks, names)
	}
}

// nearly has two hooks, and a method that is none because it has another signature.
type nearly struct{ plugin.MattermostPlugin }

func (*nearly) OnActivate() error                                            { return nil }
func (*nearly) MessageHasBeenPosted(*plugin.Context, *model.Post)            {}
func (*nearly) MessageWillBePosted(*plugin.Context, *model.Post) *model.Post { return nil }
