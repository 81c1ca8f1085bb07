package service_test

import (
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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// passing is a plugin that passes its hooks on to a process, as a bridge does.
type passing struct {
	*service.HooksClient
	link *service.ServerLink
	goplugin.Plugin
}

func (*passing) SetAPI(plugin.API)       {}
func (*passing) SetDriver(plugin.Driver) {}

// Server is what go-plugin serves.
func (p *passing) Server(broker *goplugin.MuxBroker) (any, error) {
	original, err := p.Plugin.Server(broker)
	if err != nil {
		return nil, err
	}
	return service.NewNetRPCHooks(original, broker, p.link, p.HooksClient, p.HooksClient, p.Implemented)
}

// Implemented is not asked of the process.
func (*passing) Implemented() ([]string, error) { return service.HookNames(), nil }

// heldHook is under way while other hooks are called, so that those are begun.
const heldHook = "OnSendDailyTelemetry"

// busyHooks returns the hooks of a server's plugin, whose process answers by a function. A call of heldHook is under way
// until the test ends, or the connection to the process by the returned function.
func busyHooks(t *testing.T, answer answer, options service.HooksOptions) (hooks plugin.Hooks, lose func()) {
	t.Helper()
	came, released := make(chan struct{}), make(chan struct{})
	process := connectPluginProcess(t, func(hook string, in proto.Message) (proto.Message, error) {
		switch hook {
		case "OnActivate":
			return nil, nil
		case heldHook:
			close(came)
			<-released
			return nil, nil
		}
		return answer(hook, in)
	})
	conn := plaincall.New(process, func() (net.Conn, error) {
		return net.Dial("unix", strings.TrimPrefix(process.Target(), "unix:"))
	})
	options.Logger = hclog.NewNullLogger()
	client := service.NewHooksClient(conn, options)
	client.SetImplemented(service.HookNames())
	overPassing := func(t testing.TB, _ *bridged, _ []string) (*goplugin.ReattachConfig, func()) {
		return serveLinks(t, func(link *service.ServerLink) goplugin.PluginSet {
			served := &passing{HooksClient: client, link: link}
			config := service.NetRPCConfig(served)
			served.Plugin = config.Plugins["hooks"]
			config.Plugins["hooks"] = served
			return config.Plugins
		})
	}
	s := startServerOver(t, overPassing, nil, nil, noHooks, nil)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		s.hooks.OnSendDailyTelemetry()
	}()
	t.Cleanup(func() {
		close(released)
		<-answered
		conn.Close()
	})
	<-came
	return s.hooks, conn.Close
}

func TestHooksThatAreBegunPassTheirArgumentsAndResults(t *testing.T) {
	var called string
	var request, reply proto.Message
	// They are called, and so is a large one; OnDeactivate also when the test's server goes.
	notBegun := []string{"OnDeactivate", "OnConfigurationChange", heldHook}
	hooks, _ := busyHooks(t, func(hook string, in proto.Message) (proto.Message, error) {
		begun := hook != "ConfigurationWillBeSaved" && !slices.Contains(notBegun, hook)
		if n := running("netrpcwire.(*server).answer("); n != 1 && begun {
			t.Errorf("%d goroutines wait for answers when %s is called", n, hook)
		}
		called, request = hook, in
		return reply, nil
	}, service.HooksOptions{Deadline: func(string) time.Duration { return time.Minute }})
	for seed, m := range methodsOf(t, reflect.TypeFor[plugin.Hooks](), hooksService) {
		if specialHooks[m.name] || slices.Contains(notBegun, m.name) {
			continue
		}
		filler := contracttest.NewFiller(int64(seed), false)
		args := filled(filler, m.goType.NumIn(), m.goType.In)
		results := filled(filler, m.goType.NumOut(), m.goType.Out)
		if kept := unchanged(m.name, m.goType, args); len(kept) > 0 && kept[0] != nil && !reflect.ValueOf(kept[0]).IsZero() {
			// Mattermost's client decodes the result into the argument: without one nothing is mixed.
			index := slices.IndexFunc(args, func(arg any) bool { return arg == kept[0] })
			args[index] = reflect.New(reflect.TypeOf(args[index]).Elem()).Interface()
		}
		called, request = "", nil
		reply = expected(m.descriptor.Output(), results)
		want := expected(m.descriptor.Input(), args)
		got := callAny(reflect.ValueOf(hooks).MethodByName(m.name), args)
		if called != m.name {
			t.Errorf("%s called %q", m.name, called)
			continue
		}
		sameMessage(t, m.name, want, request)
		if found := gobEqual(append([]any{}, results...), append([]any{}, got...)); len(found) > 0 {
			t.Errorf("%s: results: %s", m.name, strings.Join(found, "; "))
		}
	}
}

func TestAHookThatWasBegunFailsAsOneThatIsCalled(t *testing.T) {
	rejects := func(_ string, err error) service.Decision { return service.Reject(err.Error()) }
	for name, c := range map[string]struct {
		answer answer
		want   codes.Code
	}{
		"it raises": {failing, codes.Internal},
		"it takes too long": {func(string, proto.Message) (proto.Message, error) {
			time.Sleep(100 * time.Millisecond)
			return nil, nil
		}, codes.DeadlineExceeded},
		"it is cancelled": {func(string, proto.Message) (proto.Message, error) {
			return nil, status.Error(codes.Canceled, "cancelled")
		}, codes.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			hooks, _ := busyHooks(t, c.answer, service.HooksOptions{
				OnFailure: rejects,
				Deadline: func(hook string) time.Duration {
					if hook == "MessageWillBePosted" {
						return 30 * time.Millisecond
					}
					return 0
				},
			})
			if _, reason := hooks.MessageWillBePosted(&plugin.Context{}, &model.Post{}); !strings.Contains(reason, c.want.String()) {
				t.Errorf("reason %q", reason)
			}
		})
	}
}

func TestHooksThatWereBegunEndWithTheConnectionToTheProcess(t *testing.T) {
	came, over := make(chan struct{}), make(chan struct{})
	hooks, lose := busyHooks(t, func(hook string, _ proto.Message) (proto.Message, error) {
		if hook == "MessageWillBePosted" {
			came <- struct{}{}
			<-over
		}
		return nil, nil
	}, service.HooksOptions{OnFailure: func(_ string, err error) service.Decision { return service.Reject(err.Error()) }})
	t.Cleanup(func() { close(over) })
	go func() {
		<-came
		lose()
	}()
	if _, reason := hooks.MessageWillBePosted(&plugin.Context{}, &model.Post{}); !strings.Contains(reason, codes.Unavailable.String()) {
		t.Errorf("reason %q", reason)
	}
}
