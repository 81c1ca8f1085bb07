package service_test

import (
	"context"
	"net"
	"net/rpc"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpcwire"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// held is the method of the API that is under way while others are called, so that those are begun.
const held = "GetTelemetryId"

// holding is one call of it.
type holding struct{ came, released chan struct{} }

func newHolding() *holding { return &holding{make(chan struct{}), make(chan struct{})} }

// hold is what the method does.
func (h *holding) hold() {
	close(h.came)
	<-h.released
}

// whileBusy returns a connection to the API of a server behind net/rpc, on which a call of held is under way until the test
// ends, and the number of calls under way.
func whileBusy(t *testing.T, api plugin.API, holding *holding) (*grpc.ClientConn, *atomic.Int64) {
	t.Helper()
	remote, err := service.NewNetRPCAPI(api)
	must(t, err)
	underWay := new(atomic.Int64)
	server, err := plaincall.NewServer(grpc.NewServer(service.ServerOptions()...), service.Codec(), underWay)
	must(t, err)
	remote.Register(server, hclog.NewNullLogger())
	conn := connect(t, server)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = pluginpb.NewAPIClient(conn).GetTelemetryId(context.Background(), &pluginpb.GetTelemetryIdRequest{})
	}()
	t.Cleanup(func() {
		close(holding.released)
		<-answered
	})
	<-holding.came
	return conn, underWay
}

// busyAPI is whileBusy with an API that is a function.
func busyAPI(t *testing.T, call contracttest.APIFunc) (*grpc.ClientConn, *atomic.Int64) {
	t.Helper()
	holding := newHolding()
	return whileBusy(t, startServer(t, func(method string, args ...any) []any {
		if method == held {
			holding.hold()
			return nil
		}
		return call(method, args...)
	}, nil, noHooks, nil).plugin.api, holding)
}

// running counts the goroutines that are in a function.
func running(function string) int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), function)
}

// waiting is where a goroutine waits for the answer of Mattermost's RPC.
const waiting = "service.(*netRPCCalls).call("

func TestEveryUnaryAPIMethodPassesItsArgumentsAndResultsOverMattermostsRPC(t *testing.T) {
	skipped := map[string]bool{
		held: true, "LogDebug": true, "LogInfo": true, "LogWarn": true, "LogError": true, // see below
		"LogAuditRec": true, "LogAuditRecWithLevel": true,
	}
	for name := range specialAPI {
		skipped[name] = true
	}
	connections := map[string]func(*testing.T, contracttest.APIFunc) *grpc.ClientConn{
		"while others are under way": func(t *testing.T, call contracttest.APIFunc) *grpc.ClientConn {
			conn, _ := busyAPI(t, func(method string, args ...any) []any {
				if n := running(waiting); n != 1 {
					t.Errorf("%d goroutines wait for answers when %s is called", n, method)
				}
				return call(method, args...)
			})
			return conn
		},
	}
	for way, serve := range ways {
		connections["alone, "+way] = func(t *testing.T, call contracttest.APIFunc) *grpc.ClientConn {
			return serveNetRPCAPI(t, startServerOver(t, serve, call, nil, noHooks, nil).plugin.api)
		}
	}
	for way, connect := range connections {
		t.Run(way, func(t *testing.T) {
			testMethods(t, reflect.TypeFor[plugin.API](), pluginpb.File_mattermost_plugin_v1_api_proto.Services().ByName("API"), skipped,
				[]bool{false}, func(call contracttest.APIFunc) *grpc.ClientConn { return connect(t, call) })
		})
	}
}

func TestACallThatWasBegunEndsAtItsDeadline(t *testing.T) {
	release := make(chan struct{})
	conn, underWay := busyAPI(t, func(string, ...any) []any { <-release; return []any{"late"} })
	api := pluginpb.NewAPIClient(conn)
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		_, err := api.GetServerVersion(ctx, &pluginpb.GetServerVersionRequest{})
		cancel()
		if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
	}
	close(release)
	for underWay.Load() > 1 { // until the answers that nobody waits for have come
		time.Sleep(time.Millisecond)
	}
	if out, err := api.GetServerVersion(context.Background(), &pluginpb.GetServerVersionRequest{}); err != nil || out.Result != "late" {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestWhatGobRefusesDoesNotBreakCallsThatWereBegun(t *testing.T) {
	conn, _ := busyAPI(t, func(_ string, args ...any) []any { return []any{args[0], nil} })
	asPost := func(props model.StringInterface) *pluginpb.Post {
		return contracttest.ToProto[pluginpb.Post](convert.AppendPost(nil, postWith(props)))
	}
	for range 2 {
		out, err := pluginpb.NewAPIClient(conn).CreatePost(context.Background(), &pluginpb.CreatePostRequest{Post: asPost(unsafeProps())})
		if err != nil || !proto.Equal(out.Result, asPost(safeProps())) {
			t.Errorf("got %v, %v", out, err)
		}
	}
}

// busyOldServer is whileBusy with an old server, and returns what ends the connection to it.
func busyOldServer(t *testing.T) (pluginpb.APIClient, func() error) {
	t.Helper()
	holding := newHolding()
	var client *netrpcwire.Client
	api, hangUp := oldServer(t, OldAPI{holding.hold}, func(socket net.Conn) *rpc.Client {
		client = netrpcwire.NewClient(socket)
		return client.Client
	})
	conn, _ := whileBusy(t, service.LinkedAPI(api, client), holding)
	return pluginpb.NewAPIClient(conn), hangUp
}

func TestACallThatWasBegunSaysWhichServerHasTheMethod(t *testing.T) {
	api, _ := busyOldServer(t)
	var trailer metadata.MD
	_, err := api.RestoreChannel(context.Background(), &pluginpb.RestoreChannelRequest{}, grpc.Trailer(&trailer))
	versions := trailer.Get(service.MinimumVersionKey)
	if status.Code(err) != codes.Unimplemented || len(versions) != 1 || !strings.Contains(err.Error(), versions[0]) {
		t.Errorf("got %v with %v", err, trailer)
	}
	if out, err := api.GetServerVersion(context.Background(), &pluginpb.GetServerVersionRequest{}); err != nil || out.Result != "5.2.0" {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestCallsThatWereBegunEndWithTheConnectionToTheServer(t *testing.T) {
	api, hangUp := busyOldServer(t)
	failed := make(chan error)
	for range 3 {
		go func() {
			for {
				if _, err := api.GetServerVersion(context.Background(), &pluginpb.GetServerVersionRequest{}); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	time.Sleep(20 * time.Millisecond)
	must(t, hangUp())
	for range 3 {
		if err := <-failed; status.Code(err) != codes.Unavailable {
			t.Errorf("got %v", err)
		}
	}
}

func TestLargeAnswersOfCallsThatWereBegunComeWhole(t *testing.T) {
	text := strings.Repeat("0123456789", 100_000)
	conn, _ := busyAPI(t, func(string, ...any) []any { return []any{text} })
	for range 3 {
		out, err := pluginpb.NewAPIClient(conn).GetServerVersion(context.Background(), &pluginpb.GetServerVersionRequest{})
		if err != nil || out.Result != text {
			t.Errorf("got %d octets, %v", len(out.GetResult()), err)
		}
	}
}
