package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// serve serves gRPC on a Unix socket and returns a connection to it.
func serve(t testing.TB, register func(*grpc.Server), options ...grpc.ServerOption) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer(append(service.ServerOptions(), options...)...)
	register(server)
	return connect(t, server)
}

// connect has a server serve on a Unix socket and returns a connection to it.
func connect(t testing.TB, server interface {
	Serve(listener net.Listener) error
	Stop()
}) *grpc.ClientConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func serveAPI(t testing.TB, begin func(context.Context) (plugin.API, func() error)) *grpc.ClientConn {
	t.Helper()
	return serve(t, func(s *grpc.Server) {
		service.RegisterAPI(s, begin, hclog.NewNullLogger())
	})
}

// serveNetRPCAPI serves the API of a server behind net/rpc.
func serveNetRPCAPI(t testing.TB, api plugin.API) *grpc.ClientConn {
	t.Helper()
	remote, err := service.NewNetRPCAPI(api)
	must(t, err)
	return serve(t, func(s *grpc.Server) { remote.Register(s, hclog.NewNullLogger()) })
}

// method is a method of one of Mattermost's interfaces with its descriptor.
type method struct {
	name       string
	goType     reflect.Type // without receiver
	descriptor protoreflect.MethodDescriptor
}

func (m method) path() string {
	return "/" + string(m.descriptor.Parent().FullName()) + "/" + m.name
}

// methodsOf returns the methods of an interface. Each must be in the service, and the service have no others.
func methodsOf(t *testing.T, target reflect.Type, descriptor protoreflect.ServiceDescriptor) []method {
	t.Helper()
	if got, want := descriptor.Methods().Len(), target.NumMethod(); got != want {
		t.Errorf("the service has %d methods, the interface %d", got, want)
	}
	var out []method
	for i := range target.NumMethod() {
		name := target.Method(i).Name
		found := descriptor.Methods().ByName(protoreflect.Name(name))
		if found == nil {
			t.Errorf("the service has no %s", name)
			continue
		}
		out = append(out, method{name, target.Method(i).Type, found})
	}
	return out
}

// filled returns values of types, each field of each set.
func filled(filler *contracttest.Filler, count int, at func(int) reflect.Type) []any {
	out := make([]any, count)
	for i := range out {
		out[i] = filler.Of(at(i))
	}
	return out
}

// expected returns the message whose fields are, in order, the values.
func expected(descriptor protoreflect.MessageDescriptor, values []any) proto.Message {
	out := dynamicpb.NewMessage(descriptor)
	for i, value := range values {
		if value != nil {
			contracttest.SetMessage(out, descriptor.Fields().Get(i), reflect.ValueOf(value))
		}
	}
	return out
}

// sameMessage compares a received message with an expected one of the same descriptor but another Go type.
func sameMessage(t *testing.T, what string, want, got proto.Message) {
	t.Helper()
	if !proto.Equal(want, got) {
		t.Errorf("%s: want %v\ngot %v", what, want, got)
	}
}

// The methods whose wire form differs from their Go signature; each has a test of its own.
var specialAPI = map[string]bool{
	"LoadPluginConfiguration": true, "InstallPlugin": true, "UploadData": true, "UploadFile": true,
	"ReceiveSharedChannelAttachmentSyncMsg": true, "GetFile": true, "ReadFile": true, "PluginHTTP": true,
}

func TestEveryUnaryAPIMethodPassesItsArgumentsAndResults(t *testing.T) {
	testEveryMethod(t, reflect.TypeFor[plugin.API](), pluginpb.File_mattermost_plugin_v1_api_proto.Services().ByName("API"), specialAPI,
		func(call contracttest.APIFunc) *grpc.ClientConn { return serveAPI(t, service.DirectAPI(call)) })
}

func TestEveryUnaryDriverMethodPassesItsArgumentsAndResults(t *testing.T) {
	testEveryMethod(t, reflect.TypeFor[plugin.Driver](), pluginpb.File_mattermost_plugin_v1_driver_proto.Services().ByName("Driver"),
		map[string]bool{"RowsNext": true},
		func(call contracttest.DriverFunc) *grpc.ClientConn {
			return serve(t, func(s *grpc.Server) {
				service.RegisterDriver(s, service.DirectDriver(call), nil)
			})
		})
}

func testEveryMethod[F ~func(string, ...any) []any](t *testing.T, target reflect.Type, descriptor protoreflect.ServiceDescriptor, special map[string]bool, connect func(F) *grpc.ClientConn) {
	testMethods(t, target, descriptor, special, []bool{false, true}, connect)
}

// testMethods calls all methods but special ones, with every field of every argument and result set, or only some.
func testMethods[F ~func(string, ...any) []any](t *testing.T, target reflect.Type, descriptor protoreflect.ServiceDescriptor, special map[string]bool, sparsely []bool, connect func(F) *grpc.ClientConn) {
	var called string
	var arguments, results []any
	conn := connect(func(method string, args ...any) []any {
		called, arguments = method, args
		return results
	})
	for seed, m := range methodsOf(t, target, descriptor) {
		if special[m.name] {
			continue
		}
		for _, sparse := range sparsely {
			filler := contracttest.NewFiller(int64(seed), sparse)
			args := filled(filler, m.goType.NumIn(), m.goType.In)
			results = filled(filler, m.goType.NumOut(), m.goType.Out)
			called, arguments = "", nil
			reply := dynamicpb.NewMessage(m.descriptor.Output())
			if err := conn.Invoke(context.Background(), m.path(), expected(m.descriptor.Input(), args), reply); err != nil {
				t.Errorf("%s: %v", m.name, err)
				continue
			}
			if called != m.name {
				t.Errorf("%s called %q", m.name, called)
			}
			if found := contracttest.Diff(args, arguments); len(found) > 0 {
				t.Errorf("%s, sparse %t: arguments: %s", m.name, sparse, strings.Join(found, "; "))
			}
			sameMessage(t, m.name, expected(m.descriptor.Output(), results), reply)
		}
	}
}

func TestAPIMethodsWithoutResultsReplyWithNothing(t *testing.T) {
	conn := serveAPI(t, service.DirectAPI(contracttest.APIFunc(func(string, ...any) []any { return nil })))
	out, err := pluginpb.NewAPIClient(conn).GetUser(context.Background(), &pluginpb.GetUserRequest{UserId: "u"})
	if err != nil || out.Result != nil || out.Error != nil {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestAPanicOfTheAPIIsAnInternalErrorAndTheNextCallWorks(t *testing.T) {
	conn := serveAPI(t, service.DirectAPI(contracttest.APIFunc(func(method string, _ ...any) []any {
		if method == "GetUser" {
			panic("secret detail")
		}
		return []any{"11.4.0"}
	})))
	client := pluginpb.NewAPIClient(conn)
	_, err := client.GetUser(context.Background(), &pluginpb.GetUserRequest{})
	if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if out, err := client.GetServerVersion(context.Background(), &pluginpb.GetServerVersionRequest{}); err != nil || out.Result != "11.4.0" {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestAFailedTransportBehindTheAPIIsAStatus(t *testing.T) {
	failure := error(nil)
	conn := serveAPI(t, func(context.Context) (plugin.API, func() error) {
		return contracttest.APIFunc(func(string, ...any) []any { return nil }), func() error { return failure }
	})
	client := pluginpb.NewAPIClient(conn)
	for _, c := range []struct {
		failure error
		code    codes.Code
		version []string
	}{
		{&service.NotSupportedError{Method: "GetUser", MinimumVersion: "5.2"}, codes.Unimplemented, []string{"5.2"}},
		{&service.NotSupportedError{Method: "GetUser"}, codes.Unimplemented, nil},
		{service.ErrUnavailable, codes.Unavailable, nil},
		{context.DeadlineExceeded, codes.DeadlineExceeded, nil},
		{context.Canceled, codes.Canceled, nil},
		{errors.New("gob: type not registered"), codes.Internal, nil},
		{status.Error(codes.ResourceExhausted, "full"), codes.ResourceExhausted, nil},
	} {
		failure = c.failure
		var trailer metadata.MD
		_, err := client.GetUser(context.Background(), &pluginpb.GetUserRequest{}, grpc.Trailer(&trailer))
		if status.Code(err) != c.code {
			t.Errorf("%v became %v", c.failure, err)
		}
		if got := trailer.Get(service.MinimumVersionKey); !reflect.DeepEqual(got, c.version) {
			t.Errorf("%v: trailer %v", c.failure, trailer)
		}
	}
}

func TestWithoutAnAPICallsAreUnavailable(t *testing.T) {
	conn := serveAPI(t, func(context.Context) (plugin.API, func() error) { return nil, nil })
	_, err := pluginpb.NewAPIClient(conn).GetUser(context.Background(), &pluginpb.GetUserRequest{})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
	stream, err := pluginpb.NewAPIClient(conn).GetFile(context.Background(), &pluginpb.GetFileRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestTheConfigurationKeepsItsIntegers(t *testing.T) {
	conn := serveAPI(t, service.DirectAPI(contracttest.APIFunc(func(_ string, args ...any) []any {
		setJSON(t, args[0], `{"limit": 9007199254740993, "share": 0.5, "words": ["a", 18446744073709551615]}`)
		return nil
	})))
	out, err := pluginpb.NewAPIClient(conn).LoadPluginConfiguration(context.Background(), &pluginpb.LoadPluginConfigurationRequest{})
	if err != nil || out.Error != nil {
		t.Fatal(out, err)
	}
	entries := out.Result.GetMapValue().GetEntries()
	if entries["limit"].GetInt64Value() != 9007199254740993 || entries["share"].GetDoubleValue() != 0.5 ||
		entries["words"].GetListValue().Items[1].GetUint64Value() != 18446744073709551615 {
		t.Errorf("got %v", out)
	}
}

func TestTextsThatAreNoUTF8Travel(t *testing.T) {
	broken := &model.User{Username: "a\xffb", Props: model.StringMap{"k\xff": "v\xfe"}}
	conn := serveAPI(t, service.DirectAPI(contracttest.APIFunc(func(string, ...any) []any { return []any{broken} })))
	out, err := pluginpb.NewAPIClient(conn).GetUser(context.Background(), &pluginpb.GetUserRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if out.Result.Username != "a\uFFFDb" || out.Result.Props["k\uFFFD"] != "v\uFFFD" {
		t.Errorf("got %v", out.Result)
	}
	if broken.Username != "a\xffb" || len(broken.Props) != 1 || broken.Props["k\xff"] != "v\xfe" {
		t.Errorf("the original was changed: %v", broken)
	}
}

func TestAnAbandonedCallDoesNotKeepItsCaller(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	conn := serveAPI(t, service.DirectAPI(contracttest.APIFunc(func(string, ...any) []any { <-release; return nil })))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := pluginpb.NewAPIClient(conn).GetUser(ctx, &pluginpb.GetUserRequest{})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func setJSON(t *testing.T, dest any, text string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), dest); err != nil {
		t.Error(err)
	}
}
