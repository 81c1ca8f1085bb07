package service_test

import (
	"errors"
	"net"
	"net/rpc"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// codec names what carries the calls of Mattermost's client of an API.
func codec(client any) string {
	value := reflect.ValueOf(client).Elem()
	if linked := value.FieldByName("API"); linked.IsValid() {
		value = linked.Elem().Elem()
	}
	return value.FieldByName("client").Elem().FieldByName("codec").Elem().Type().String()
}

func TestCallsGoOverTheLinkWhereThereIsOne(t *testing.T) {
	for way, want := range map[string]struct{ codec, server string }{
		"over a link":          {"*netrpcwire.clientCodec", "netrpcwire.(*server).answer"},
		"over go-plugin alone": {"*rpc.gobClientCodec", "net/rpc.(*service).call"},
	} {
		t.Run(way, func(t *testing.T) {
			var stack string
			s := startServerOver(t, ways[way], nil, nil, func(hook string, _ ...any) []any {
				if hook == "UserHasBeenCreated" {
					stack = string(debug.Stack())
				}
				return nil
			}, service.HookNames())
			for name, client := range map[string]any{"API": s.plugin.api, "driver": s.plugin.driver} {
				if got := codec(client); got != want.codec {
					t.Errorf("the %s is called by %s", name, got)
				}
			}
			s.hooks.UserHasBeenCreated(&plugin.Context{}, &model.User{})
			if !strings.Contains(stack, want.server) {
				t.Errorf("the hook was called by\n%s", stack)
			}
		})
	}
}

func TestAnAnswerThatGobRefusesFailsAlone(t *testing.T) {
	nested := model.StringInterface{"list": []any{map[string]any{"a": []string{"b"}}}}
	refuse := true
	s := startServer(t, nil, nil, func(hook string, _ ...any) []any {
		if hook != "MessagesWillBeConsumed" {
			return nil
		}
		answer := []*model.Post{postWith(nested)}
		if refuse {
			answer = append(answer, nil)
		}
		return []any{answer}
	}, service.HookNames())
	for range 3 {
		refuse = true
		if got := s.hooks.MessagesWillBeConsumed(nil); len(got) > 0 {
			t.Errorf("got %v", got)
		}
		refuse = false
		got := s.hooks.MessagesWillBeConsumed(nil)
		if len(got) != 1 || !reflect.DeepEqual(got[0].GetProps(), nested) {
			t.Errorf("got %v", got)
		}
	}
}

// dispenser is the server's side of a plugin.
type dispenser struct{ goplugin.Plugin }

func (dispenser) Client(broker *goplugin.MuxBroker, client *rpc.Client) (any, error) {
	return &dispensed{broker, client}, nil
}

type dispensed struct {
	broker *goplugin.MuxBroker
	*rpc.Client
}

// implemented asks which hooks are implemented.
func (d *dispensed) implemented(t *testing.T) []string {
	var names []string
	if err := d.Call("Plugin.Implemented", struct{}{}, &names); err != nil {
		t.Error(err)
	}
	return names
}

// serveByHand serves a plugin and returns what connects to it, as a server does.
// dispensing is called when it has made the hooks.
func serveByHand(t *testing.T, hooks func(link *service.ServerLink) *bridged, dispensing func(*goplugin.MuxBroker)) func() *goplugin.RPCClient {
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	must(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = service.ServeNetRPC(listener, func(link *service.ServerLink) goplugin.PluginSet {
			return goplugin.PluginSet{"hooks": &byHand{link: link, hooks: hooks, dispensing: dispensing}}
		}, hclog.NewNullLogger())
	}()
	t.Cleanup(func() {
		listener.Close() // it may be closed
		<-ended
	})
	return func() *goplugin.RPCClient {
		conn, err := net.Dial("unix", listener.Addr().String())
		must(t, err)
		client, err := goplugin.NewRPCClient(conn, goplugin.PluginSet{"hooks": dispenser{}})
		must(t, err)
		t.Cleanup(func() { client.Close() })
		return client
	}
}

// byHand is a plugin that is made when it is dispensed.
type byHand struct {
	dispenser
	link       *service.ServerLink
	hooks      func(*service.ServerLink) *bridged
	dispensing func(*goplugin.MuxBroker)
}

func (b *byHand) Server(broker *goplugin.MuxBroker) (any, error) {
	served := b.hooks(b.link)
	config := service.NetRPCConfig(served)
	original, err := config.Plugins["hooks"].Server(broker)
	if err != nil {
		return nil, err
	}
	hooks, err := service.NewNetRPCHooks(original, broker, b.link, nil, served, func() ([]string, error) { return []string{"UserWillLogIn"}, nil })
	b.dispensing(broker)
	return hooks, err
}

func TestHooksUnderAnotherNumberThanForeseenAreServedByGoPlugin(t *testing.T) {
	var stack string
	connect := serveByHand(t, func(link *service.ServerLink) *bridged {
		return &bridged{link: link, HooksFunc: func(string, ...any) []any {
			stack = string(debug.Stack())
			return []any{"refused"}
		}}
	}, func(broker *goplugin.MuxBroker) { broker.NextId() })
	hooks, err := connect().Dispense("hooks")
	must(t, err)
	returns := &plugin.Z_UserWillLogInReturns{}
	must(t, hooks.(*dispensed).Call("Plugin.UserWillLogIn", &plugin.Z_UserWillLogInArgs{}, returns))
	if returns.A != "refused" || !strings.Contains(stack, "net/rpc.(*service).call") {
		t.Errorf("got %q, by\n%s", returns.A, stack)
	}
}

func TestAPluginMayBeDispensedManyTimesAtOnce(t *testing.T) {
	connect := serveByHand(t, func(link *service.ServerLink) *bridged {
		return &bridged{link: link, HooksFunc: noHooks}
	}, func(*goplugin.MuxBroker) {})
	client := connect()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			hooks, err := client.Dispense("hooks")
			if err != nil {
				t.Error(err)
				return
			}
			for range 10 {
				if names := hooks.(*dispensed).implemented(t); len(names) != 1 {
					t.Errorf("got %v", names)
				}
			}
		})
	}
	all.Wait()
}

// versionAPI is a server's API.
type versionAPI string

// GetServerVersion says on which connection it is asked.
func (v versionAPI) GetServerVersion(_ *plugin.Z_GetServerVersionArgs, returns *plugin.Z_GetServerVersionReturns) error {
	returns.A = string(v)
	return nil
}

func TestEachConnectionAndEachActivationHasItsOwnAPI(t *testing.T) {
	var lock sync.Mutex
	var plugins []*bridged
	connect := serveByHand(t, func(link *service.ServerLink) *bridged {
		lock.Lock()
		defer lock.Unlock()
		plugins = append(plugins, &bridged{link: link, HooksFunc: noHooks})
		return plugins[len(plugins)-1]
	}, func(*goplugin.MuxBroker) {})
	activate := func(hooks *dispensed, name string) {
		args := &plugin.Z_OnActivateArgs{APIMuxId: hooks.broker.NextId(), DriverMuxId: hooks.broker.NextId()}
		go hooks.broker.AcceptAndServe(args.APIMuxId, versionAPI(name))
		go hooks.broker.AcceptAndServe(args.DriverMuxId, versionAPI(name))
		must(t, hooks.Call("Plugin.OnActivate", args, &plugin.Z_OnActivateReturns{}))
	}
	var connections []*dispensed
	for range 2 {
		hooks, err := connect().Dispense("hooks")
		must(t, err)
		connections = append(connections, hooks.(*dispensed))
	}
	for _, name := range []string{"first", "second"} {
		for i, hooks := range connections {
			activate(hooks, name+string(rune('0'+i)))
		}
		for i, served := range plugins {
			if got, want := served.api.GetServerVersion(), name+string(rune('0'+i)); got != want {
				t.Errorf("got %q of %q", got, want)
			}
			if got := codec(served.api); got != "*netrpcwire.clientCodec" {
				t.Errorf("the API is called by %s", got)
			}
			must(t, served.failed)
		}
	}
}

func TestAServerThatIsNotUnderstoodAnyMoreEndsServing(t *testing.T) {
	for name, breakOff := range map[string]func(net.Conn, *dispensed) error{
		"the stream of the hooks has ended": func(_ net.Conn, hooks *dispensed) error { return hooks.Close() },
		"the connection has ended":          func(conn net.Conn, _ *dispensed) error { return conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
			must(t, err)
			ended := make(chan error, 1)
			go func() {
				ended <- service.ServeNetRPC(listener, func(link *service.ServerLink) goplugin.PluginSet {
					return goplugin.PluginSet{"hooks": &byHand{
						link: link, hooks: func(*service.ServerLink) *bridged { return &bridged{} }, dispensing: func(*goplugin.MuxBroker) {},
					}}
				}, hclog.NewNullLogger())
			}()
			t.Cleanup(func() { listener.Close() })
			conn, err := net.Dial("unix", listener.Addr().String())
			must(t, err)
			t.Cleanup(func() { conn.Close() }) // it may be closed
			client, err := goplugin.NewRPCClient(conn, goplugin.PluginSet{"hooks": dispenser{}})
			must(t, err)
			found, err := client.Dispense("hooks")
			must(t, err)
			hooks := found.(*dispensed)
			if got := hooks.implemented(t); len(got) != 1 {
				t.Fatalf("%v are implemented", got)
			}
			must(t, breakOff(conn, hooks))
			if err := <-ended; !errors.Is(err, service.ErrDeaf) {
				t.Errorf("serving ended with %v", err)
			}
		})
	}
}
