package service_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/rpc"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

const pluginID = "com.example.bridged"

// bridged is a plugin whose hooks are a function, in a process (this one) that serves net/rpc as a bridge does.
type bridged struct {
	contracttest.HooksFunc
	link   *service.ServerLink // nil: go-plugin alone serves the connection
	api    plugin.API
	driver plugin.Driver
	failed error
}

func (b *bridged) SetAPI(api plugin.API) {
	if b.link != nil && api != nil {
		linked, err := b.link.UseForAPI(api)
		b.failed, api = errors.Join(b.failed, err), linked
	}
	b.api = api
}

func (b *bridged) SetDriver(driver plugin.Driver) {
	if b.link != nil && driver != nil {
		b.failed = errors.Join(b.failed, b.link.UseForDriver(driver))
	}
	b.driver = driver
}

// database is the driver of a server.
type database struct{ contracttest.DriverFunc }

func (d database) ConnWithPluginID(isMaster bool, _ string) (string, error) { return d.Conn(isMaster) }
func (database) ShutdownConns(string)                                       {}

// server is a Mattermost server, as far as its plugin environment goes, with one plugin.
type server struct {
	plugin *bridged
	hooks  plugin.Hooks
}

// startServer runs Mattermost's own plugin environment, whose API and database are functions, with a plugin whose
// hooks are a function. It is served over a link.
func startServer(t testing.TB, api contracttest.APIFunc, driver contracttest.DriverFunc, hooks contracttest.HooksFunc, implemented []string) *server {
	t.Helper()
	return startServerOver(t, overLink, api, driver, hooks, implemented)
}

// serving is a way to serve a plugin. It returns where, and how to stop.
type serving func(t testing.TB, served *bridged, implemented []string) (*goplugin.ReattachConfig, func())

// overLink serves as a bridge does.
func overLink(t testing.TB, served *bridged, implemented []string) (*goplugin.ReattachConfig, func()) {
	t.Helper()
	reattach, stop := serveLinks(t, func(link *service.ServerLink) goplugin.PluginSet {
		served.link = link
		config := service.NetRPCConfig(served)
		wrap(config, served, implemented)
		return config.Plugins
	})
	return reattach, func() {
		stop()
		must(t, served.failed)
	}
}

// serveLinks serves what there is on each connection of a server.
func serveLinks(t testing.TB, plugins func(*service.ServerLink) goplugin.PluginSet) (*goplugin.ReattachConfig, func()) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	must(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = service.ServeNetRPC(listener, plugins, hclog.NewNullLogger())
	}()
	reattach := &goplugin.ReattachConfig{
		Protocol: goplugin.ProtocolNetRPC, ProtocolVersion: 1, Addr: listener.Addr(), Pid: os.Getpid(), Test: true,
	}
	return reattach, func() {
		listener.Close() // it may be closed
		<-ended
	}
}

// overGoPlugin leaves the connection to go-plugin, as a bridge does for unusual servers.
func overGoPlugin(_ testing.TB, served *bridged, implemented []string) (*goplugin.ReattachConfig, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	reattach, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
	go plugin.ClientMain(served, plugin.WithTestContext(ctx), plugin.WithTestReattachConfigCh(reattach),
		plugin.WithTestCloseCh(closed), func(config *goplugin.ServeConfig) error {
			wrap(config, served, implemented)
			return nil
		})
	return <-reattach, func() {
		cancel()
		<-closed
	}
}

// ways are those to serve a plugin.
var ways = map[string]serving{"over a link": overLink, "over go-plugin alone": overGoPlugin}

// wrap puts the bridge's plugin in the place of Mattermost's.
func wrap(config *goplugin.ServeConfig, served *bridged, implemented []string) {
	config.Logger = hclog.NewNullLogger()
	config.Plugins["hooks"] = &wrapper{Plugin: config.Plugins["hooks"], served: served, implemented: implemented}
}

func startServerOver(t testing.TB, serve serving, api contracttest.APIFunc, driver contracttest.DriverFunc, hooks contracttest.HooksFunc, implemented []string) *server {
	t.Helper()
	out := &server{plugin: &bridged{HooksFunc: hooks}}
	reattach, stop := serve(t, out.plugin, implemented)
	logger, err := mlog.NewLogger()
	if err != nil {
		t.Fatal(err)
	}
	env, err := plugin.NewEnvironment(func(*model.Manifest) plugin.API { return api }, database{driver}, t.TempDir(), t.TempDir(), logger, nil)
	if err != nil {
		t.Fatal(err)
	}
	manifest := &model.Manifest{Id: pluginID, Version: "1.0.0", Server: &model.ManifestServer{Executable: "bridge"}}
	if err := env.Reattach(manifest, model.NewPluginReattachConfig(reattach)); err != nil {
		t.Fatal(err)
	}
	if out.hooks, err = env.HooksForPlugin(pluginID); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		env.Shutdown()
		stop()
	})
	return out
}

// wrapper is what the bridge puts in the place of Mattermost's go-plugin plugin.
type wrapper struct {
	goplugin.Plugin
	served      *bridged
	implemented []string
}

func (w *wrapper) Server(broker *goplugin.MuxBroker) (any, error) {
	original, err := w.Plugin.Server(broker)
	if err != nil {
		return nil, err
	}
	return service.NewNetRPCHooks(original, broker, w.served.link, nil, w.served, func() ([]string, error) { return w.implemented, nil })
}

func noHooks(string, ...any) []any { return nil }

// gobEqual compares results as they arrive over Mattermost's RPC, which sends some errors by number.
func gobEqual(want, got []any) []string {
	for _, values := range [][]any{want, got} {
		for i, value := range values {
			if err, ok := value.(error); ok {
				values[i] = convert.Sentinel(err)
			}
		}
	}
	return contracttest.Diff(want, got)
}

func TestEveryMethodOfTheDriverWorksOverMattermostsRPC(t *testing.T) {
	for way, serve := range ways {
		t.Run(way, func(t *testing.T) {
			var called string
			var arguments, results []any
			record := func(method string, args ...any) []any {
				called, arguments = method, args
				return results
			}
			s := startServerOver(t, serve, nil, record, noHooks, nil)
			begin, err := service.NewNetRPCDriver(s.plugin.driver)
			if err != nil {
				t.Fatal(err)
			}
			overRPC(t, reflect.TypeFor[plugin.Driver](), map[string]bool{"RowsNext": true}, func() (reflect.Value, func() error) {
				driver, done := begin(context.Background())
				return reflect.ValueOf(driver), done
			}, &called, &arguments, &results)
		})
	}
}

func overRPC(t *testing.T, target reflect.Type, skipped map[string]bool, begin func() (reflect.Value, func() error), called *string, arguments, results *[]any) {
	for i := range target.NumMethod() {
		name, goType := target.Method(i).Name, target.Method(i).Type
		if skipped[name] {
			continue
		}
		filler := contracttest.NewFiller(int64(i), false)
		args := filled(filler, goType.NumIn(), goType.In)
		*results = filled(filler, goType.NumOut(), goType.Out)
		*called, *arguments = "", nil
		implementation, done := begin()
		var in []reflect.Value
		for _, arg := range args {
			in = append(in, reflect.ValueOf(arg))
		}
		var got []any
		for _, value := range implementation.MethodByName(name).Call(in) {
			got = append(got, value.Interface())
		}
		if err := done(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if *called != name {
			t.Errorf("%s called %q", name, *called)
		}
		if found := contracttest.Diff(args, append([]any{}, *arguments...)); len(found) > 0 {
			t.Errorf("%s: arguments: %s", name, strings.Join(found, "; "))
		}
		if found := gobEqual(append([]any{}, *results...), append([]any{}, got...)); len(found) > 0 {
			t.Errorf("%s: results: %s", name, strings.Join(found, "; "))
		}
	}
}

// netRPC starts a server with that API and returns the API service over it.
func netRPC(t *testing.T, api contracttest.APIFunc) pluginpb.APIClient {
	t.Helper()
	return pluginpb.NewAPIClient(serveNetRPCAPI(t, startServer(t, api, nil, noHooks, nil).plugin.api))
}

func TestValuesToLogBecomeTextsOverMattermostsRPC(t *testing.T) {
	var called string
	var arguments []any
	client := netRPC(t, func(method string, args ...any) []any {
		called, arguments = method, args
		return nil
	})
	pairs := []*pluginpb.Value{
		contracttest.ToProto[pluginpb.Value](convert.AppendValue(nil, "count")), contracttest.ToProto[pluginpb.Value](convert.AppendValue(nil, 3)), contracttest.ToProto[pluginpb.Value](convert.AppendValue(nil, nil)),
		contracttest.ToProto[pluginpb.Value](convert.AppendValue(nil, map[string]any{"a": []any{1.5}})),
	}
	for name, log := range map[string]func() error{
		"LogDebug": func() error {
			_, err := client.LogDebug(context.Background(), &pluginpb.LogDebugRequest{Msg: "m", KeyValuePairs: pairs})
			return err
		},
		"LogInfo": func() error {
			_, err := client.LogInfo(context.Background(), &pluginpb.LogInfoRequest{Msg: "m", KeyValuePairs: pairs})
			return err
		},
		"LogWarn": func() error {
			_, err := client.LogWarn(context.Background(), &pluginpb.LogWarnRequest{Msg: "m", KeyValuePairs: pairs})
			return err
		},
		"LogError": func() error {
			_, err := client.LogError(context.Background(), &pluginpb.LogErrorRequest{Msg: "m", KeyValuePairs: pairs})
			return err
		},
	} {
		if err := log(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := []any{"m", []any{"count", "3", "<nil>", "map[a:[1.5]]"}}
		if found := contracttest.Diff(want, arguments); called != name || len(found) > 0 {
			t.Errorf("%s: %s got %v: %v", name, called, arguments, found)
		}
	}
}

func TestAuditRecordsArePlainOverMattermostsRPC(t *testing.T) {
	var record *model.AuditRecord
	var level mlog.Level
	client := netRPC(t, func(_ string, args ...any) []any {
		record = args[0].(*model.AuditRecord)
		if len(args) > 1 {
			level = args[1].(mlog.Level)
		}
		return nil
	})
	in := &model.AuditRecord{EventName: "e", Meta: map[string]any{"n": int64(3), "labels": map[string]string{"a": "b"}}}
	in.EventData.Parameters = map[string]any{"x": []string{"y"}}
	want := &model.AuditRecord{EventName: "e", Meta: map[string]any{"n": 3.0, "labels": map[string]any{"a": "b"}}}
	want.EventData.Parameters = map[string]any{"x": []any{"y"}}
	if _, err := client.LogAuditRec(context.Background(), &pluginpb.LogAuditRecRequest{Record: contracttest.ToProto[pluginpb.AuditRecord](convert.AppendAuditRecord(nil, in))}); err != nil {
		t.Fatal(err)
	}
	if found := contracttest.Diff(want, record); len(found) > 0 {
		t.Error(found)
	}
	record = nil
	_, err := client.LogAuditRecWithLevel(context.Background(), &pluginpb.LogAuditRecWithLevelRequest{
		Record: contracttest.ToProto[pluginpb.AuditRecord](convert.AppendAuditRecord(nil, in)), Level: contracttest.ToProto[pluginpb.LogLevel](convert.AppendLogLevel(nil, &mlog.LvlAuditAPI)),
	})
	if found := contracttest.Diff(want, record); err != nil || len(found) > 0 || level.ID != mlog.LvlAuditAPI.ID {
		t.Error(err, found, level)
	}
}

func TestTheConfigurationComesOverMattermostsRPC(t *testing.T) {
	client := netRPC(t, func(_ string, args ...any) []any {
		setJSON(t, args[0], `{"limit": 12, "nested": {"on": true}}`)
		return nil
	})
	out, err := client.LoadPluginConfiguration(context.Background(), &pluginpb.LoadPluginConfigurationRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"limit": int64(12), "nested": map[string]any{"on": true}}
	if found := contracttest.Diff(any(want), contracttest.ValueFromProto(out.Result)); len(found) > 0 {
		t.Error(found)
	}
}

func TestUploadsStreamOverMattermostsRPC(t *testing.T) {
	content := strings.Repeat("0123456789", 200_000)
	var received string
	client := netRPC(t, func(method string, args ...any) []any {
		for _, arg := range args {
			if reader, ok := arg.(io.Reader); ok {
				data, err := io.ReadAll(reader)
				if err != nil {
					t.Error(err)
				}
				received = string(data)
			}
		}
		if method == "InstallPlugin" {
			return []any{&model.Manifest{Id: fmt.Sprint(args[1])}, nil}
		}
		return []any{&model.FileInfo{Name: method}, nil}
	})
	chunks := func(send func([]byte) error) {
		for rest := []byte(content); len(rest) > 0; rest = rest[100_000:] {
			if err := send(rest[:100_000]); err != nil {
				t.Fatal(err)
			}
		}
	}
	install, err := client.InstallPlugin(context.Background())
	must(t, err)
	must(t, install.Send(&pluginpb.InstallPluginRequest{Part: &pluginpb.InstallPluginRequest_Head{Head: &pluginpb.InstallPluginRequestHead{Replace: true}}}))
	chunks(func(chunk []byte) error {
		return install.Send(&pluginpb.InstallPluginRequest{Part: &pluginpb.InstallPluginRequest_Chunk{Chunk: chunk}})
	})
	if out, err := install.CloseAndRecv(); err != nil || out.Result.GetId() != "true" || received != content {
		t.Errorf("InstallPlugin: %v, %v, %d bytes", out, err, len(received))
	}
	received = ""
	upload, err := client.UploadData(context.Background())
	must(t, err)
	must(t, upload.Send(&pluginpb.UploadDataRequest{Part: &pluginpb.UploadDataRequest_Head{Head: &pluginpb.UploadDataRequestHead{}}}))
	chunks(func(chunk []byte) error {
		return upload.Send(&pluginpb.UploadDataRequest{Part: &pluginpb.UploadDataRequest_Chunk{Chunk: chunk}})
	})
	if out, err := upload.CloseAndRecv(); err != nil || out.Result.GetName() != "UploadData" || received != content {
		t.Errorf("UploadData: %v, %v, %d bytes", out, err, len(received))
	}
	received = ""
	sync, err := client.ReceiveSharedChannelAttachmentSyncMsg(context.Background())
	must(t, err)
	must(t, sync.Send(&pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest{Part: &pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest_Head{Head: &pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequestHead{}}}))
	chunks(func(chunk []byte) error {
		return sync.Send(&pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest{Part: &pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest_Chunk{Chunk: chunk}})
	})
	if out, err := sync.CloseAndRecv(); err != nil || out.Result.GetName() != "ReceiveSharedChannelAttachmentSyncMsg" || received != content {
		t.Errorf("ReceiveSharedChannelAttachmentSyncMsg: %v, %v, %d bytes", out, err, len(received))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAServerThatIsGoneIsUnavailable(t *testing.T) {
	api, hangUp := oldServer(t, OldAPI{}, netRPCClient)
	client := pluginpb.NewAPIClient(serveNetRPCAPI(t, api))
	if _, err := client.GetServerVersion(context.Background(), &pluginpb.GetServerVersionRequest{}); err != nil {
		t.Fatal(err)
	}
	must(t, hangUp())
	for range 2 {
		_, err := client.GetServerVersion(context.Background(), &pluginpb.GetServerVersionRequest{})
		if status.Code(err) != codes.Unavailable {
			t.Errorf("got %v", err)
		}
	}
}

func TestADeadlineEndsACallOverMattermostsRPC(t *testing.T) {
	release := make(chan struct{})
	client := netRPC(t, func(string, ...any) []any { <-release; return []any{"late"} })
	defer close(release)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := client.GetServerVersion(ctx, &pluginpb.GetServerVersionRequest{})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestAMethodThatTheServerLacksNamesTheVersionThatHasIt(t *testing.T) {
	api, _ := oldServer(t, OldAPI{}, netRPCClient)
	conn := serveNetRPCAPI(t, api)
	var trailer metadata.MD
	_, err := pluginpb.NewAPIClient(conn).RestoreChannel(context.Background(), &pluginpb.RestoreChannelRequest{}, grpc.Trailer(&trailer))
	if status.Code(err) != codes.Unimplemented {
		t.Fatalf("got %v", err)
	}
	versions := trailer.Get(service.MinimumVersionKey)
	if len(versions) != 1 || !strings.Contains(err.Error(), versions[0]) {
		t.Errorf("trailer %v, error %v", trailer, err)
	}
	out, err := pluginpb.NewAPIClient(conn).GetServerVersion(context.Background(), &pluginpb.GetServerVersionRequest{})
	if err != nil || out.Result != "5.2.0" {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestOnlyMattermostsOwnClientsAreTaken(t *testing.T) {
	if _, err := service.NewNetRPCAPI(contracttest.APIFunc(nil)); err == nil {
		t.Error("no error for an API that is no net/rpc client")
	}
	if _, err := service.NewNetRPCAPI(nil); err == nil {
		t.Error("no error for no API")
	}
	if _, err := service.NewNetRPCDriver(struct{ contracttest.DriverFunc }{}); err == nil {
		t.Error("no error for a driver that is no net/rpc client")
	}
	if _, err := service.NewNetRPCHooks(&bridged{}, nil, nil, nil, nil, nil); err == nil {
		t.Error("no error for something that serves no hooks")
	}
}

func TestEveryHookIsAnsweredByTheWrappedServer(t *testing.T) {
	for way, serve := range ways {
		t.Run(way, func(t *testing.T) {
			var called string
			var arguments, results []any
			s := startServerOver(t, serve, nil, nil, func(hook string, args ...any) []any {
				called, arguments = hook, args
				return results
			}, service.HookNames())
			target := reflect.TypeFor[plugin.Hooks]()
			for i := range target.NumMethod() {
				name, goType := target.Method(i).Name, target.Method(i).Type
				if specialHooks[name] {
					continue
				}
				filler := contracttest.NewFiller(int64(i), false)
				args := filled(filler, goType.NumIn(), goType.In)
				results = filled(filler, goType.NumOut(), goType.Out)
				want := append([]any{}, results...)
				if kept := unchanged(name, goType, args); len(kept) > 0 && kept[0] != nil && !reflect.ValueOf(kept[0]).IsZero() {
					// Mattermost's client decodes the result into the argument: without one nothing is mixed.
					index := slices.IndexFunc(args, func(arg any) bool { return arg == kept[0] })
					args[index] = reflect.New(reflect.TypeOf(args[index]).Elem()).Interface()
				}
				called, arguments = "", nil
				got := callAny(reflect.ValueOf(s.hooks).MethodByName(name), args)
				if called != name {
					t.Errorf("%s called %q", name, called)
					continue
				}
				if found := contracttest.Diff(args, append([]any{}, arguments...)); len(found) > 0 && !mixed(name) {
					t.Errorf("%s: arguments: %s", name, strings.Join(found, "; "))
				}
				if found := gobEqual(want, append([]any{}, got...)); len(found) > 0 {
					t.Errorf("%s: results: %s", name, strings.Join(found, "; "))
				}
			}
		})
	}
}

// mixed tells whether Mattermost's client decodes the hook's result into its argument.
func mixed(hook string) bool {
	return slices.Contains([]string{"MessageWillBePosted", "ChannelMemberWillBeAdded", "TeamMemberWillBeAdded"}, hook)
}

func callAny(function reflect.Value, args []any) []any {
	var in []reflect.Value
	for _, arg := range args {
		in = append(in, reflect.ValueOf(arg))
	}
	var out []any
	for _, value := range function.Call(in) {
		out = append(out, value.Interface())
	}
	return out
}

func TestTheServerHearsOnlyOfImplementedHooks(t *testing.T) {
	s := startServer(t, nil, nil, func(hook string, _ ...any) []any {
		switch hook {
		case "UserHasBeenCreated":
			t.Error("called although it is not implemented")
		case "UserWillLogIn":
			return []any{"refused"}
		}
		return nil
	}, []string{"UserWillLogIn"})
	names, err := s.hooks.Implemented()
	if err != nil || !slices.Equal(names, []string{"UserWillLogIn"}) {
		t.Errorf("got %v, %v", names, err)
	}
	s.hooks.UserHasBeenCreated(&plugin.Context{}, &model.User{})
	if reason := s.hooks.UserWillLogIn(&plugin.Context{}, &model.User{}); reason != "refused" {
		t.Errorf("got %q", reason)
	}
}

func TestStreamingHooksAreAnsweredByTheWrappedServer(t *testing.T) {
	s := startServer(t, nil, nil, func(hook string, args ...any) []any {
		switch hook {
		case "ServeHTTP", "ServeMetrics":
			body, err := io.ReadAll(args[2].(*http.Request).Body)
			must(t, err)
			_, err = fmt.Fprintf(args[1].(http.ResponseWriter), "%s %s", hook, body)
			must(t, err)
		case "FileWillBeUploaded":
			data, err := io.ReadAll(args[2].(io.Reader))
			must(t, err)
			_, err = args[3].(io.Writer).Write([]byte(strings.ToUpper(string(data))))
			must(t, err)
			return []any{nil, "reason"}
		}
		return nil
	}, service.HookNames())
	for name, hook := range map[string]func(*plugin.Context, http.ResponseWriter, *http.Request){
		"ServeHTTP": s.hooks.ServeHTTP, "ServeMetrics": s.hooks.ServeMetrics,
	} {
		recorder := httptest.NewRecorder()
		hook(&plugin.Context{}, recorder, httptest.NewRequest(http.MethodPost, "/x", strings.NewReader("body")))
		if recorder.Body.String() != name+" body" {
			t.Errorf("%s: %q", name, recorder.Body)
		}
	}
	var output strings.Builder
	_, reason := s.hooks.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{}, strings.NewReader("text"), &output)
	if reason != "reason" || output.String() != "TEXT" {
		t.Errorf("got %q, %q", reason, &output)
	}
}

func TestRowsComeInBatchesOverMattermostsRPC(t *testing.T) {
	next := 0
	s := startServer(t, nil, func(method string, args ...any) []any {
		switch method {
		case "RowsColumns":
			return []any{[]string{"n", "text"}}
		case "RowsNext":
			if next == 5 {
				return []any{io.EOF}
			}
			row := args[1]
			reflect.ValueOf(row).Index(0).Set(reflect.ValueOf(int64(next)))
			reflect.ValueOf(row).Index(1).Set(reflect.ValueOf(strings.Repeat("x", next)))
			next++
			return []any{nil}
		}
		return nil
	}, noHooks, nil)
	begin, err := service.NewNetRPCDriver(s.plugin.driver)
	must(t, err)
	client := pluginpb.NewDriverClient(serve(t, func(g *grpc.Server) {
		service.RegisterDriver(g, begin, hclog.NewNullLogger())
	}))
	var numbers []int64
	for _, wanted := range []struct {
		rows int
		end  bool
	}{{3, false}, {2, true}, {0, true}} {
		out, err := client.RowsNext(context.Background(), &pluginpb.RowsNextRequest{RowsId: "r", MaxRows: 3})
		must(t, err)
		if len(out.Rows) != wanted.rows || errors.Is(contracttest.ErrorFromProto(out.Error), io.EOF) != wanted.end {
			t.Errorf("want %+v, got %v", wanted, out)
		}
		for _, row := range out.Rows {
			numbers = append(numbers, row.Items[0].GetInt64Value())
			if got := row.Items[1].GetStringValue(); len(got) != int(row.Items[0].GetInt64Value()) {
				t.Errorf("row %v", row)
			}
		}
	}
	if !slices.Equal(numbers, []int64{0, 1, 2, 3, 4}) {
		t.Errorf("rows %v", numbers)
	}
}

// OldAPI is the net/rpc face of a server that has two methods.
type OldAPI struct{ held func() }

// GetServerVersion is one of them.
func (OldAPI) GetServerVersion(_ *plugin.Z_GetServerVersionArgs, returns *plugin.Z_GetServerVersionReturns) error {
	returns.A = "5.2.0"
	return nil
}

// GetTelemetryId is the other one.
func (o OldAPI) GetTelemetryId(_ *plugin.Z_GetTelemetryIdArgs, returns *plugin.Z_GetTelemetryIdReturns) error {
	o.held()
	returns.A = "released"
	return nil
}

// oldServer returns an API whose client, Mattermost's own, is connected to an old server, and a function that ends the
// connection. connect makes the client.
func oldServer(t *testing.T, face OldAPI, connect func(net.Conn) *rpc.Client) (plugin.API, func() error) {
	t.Helper()
	near, far := net.Pipe()
	server := rpc.NewServer()
	must(t, server.RegisterName("Plugin", face))
	go server.ServeConn(far)
	current := startServerOver(t, overGoPlugin, nil, nil, noHooks, nil).plugin.api
	client := reflect.New(reflect.TypeOf(current).Elem())
	for name, value := range map[string]any{"client": connect(near), "muxBroker": &goplugin.MuxBroker{}} {
		field := client.Elem().FieldByName(name)
		reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(value))
	}
	return client.Interface().(plugin.API), far.Close
}

func netRPCClient(socket net.Conn) *rpc.Client { return rpc.NewClient(socket) }

// unsafeProps hold values that gob refuses inside an interface, safeProps what is sent instead.
func unsafeProps() model.StringInterface {
	at := time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)
	return model.StringInterface{
		"at": at, "labels": map[string]string{"a": "b"}, "list": []any{at, map[string]any{"at": at}}, "n": int64(7),
		"attachments": []*model.MessageAttachment{{Fields: []*model.MessageAttachmentField{{Value: at}}}}, "none": nil,
	}
}

func safeProps() model.StringInterface {
	at := "2024-05-06T07:08:09.00000001Z"
	return model.StringInterface{
		"at": at, "labels": map[string]any{"a": "b"}, "list": []any{at, map[string]any{"at": at}}, "n": int64(7),
		"attachments": []*model.MessageAttachment{{Fields: []*model.MessageAttachmentField{{Value: at}}}}, "none": nil,
	}
}

func postWith(props model.StringInterface) *model.Post {
	post := &model.Post{Id: "p"}
	post.SetProps(props)
	return post
}

func TestWhatGobRefusesDoesNotBreakTheConnectionToTheServer(t *testing.T) {
	var received *model.Post
	client := netRPC(t, func(_ string, args ...any) []any {
		received = args[0].(*model.Post)
		return []any{received, nil}
	})
	for range 2 {
		_, err := client.CreatePost(context.Background(), &pluginpb.CreatePostRequest{Post: contracttest.ToProto[pluginpb.Post](convert.AppendPost(nil, postWith(unsafeProps())))})
		must(t, err)
		if found := contracttest.Diff(postWith(safeProps()), received); len(found) > 0 {
			t.Error(found)
		}
	}
}

func TestWhatGobRefusesDoesNotBreakTheConnectionToThePlugin(t *testing.T) {
	s := startServer(t, nil, nil, func(hook string, _ ...any) []any {
		switch hook {
		case "MessageWillBeUpdated":
			return []any{postWith(unsafeProps()), ""}
		case "MessagesWillBeConsumed":
			return []any{[]*model.Post{postWith(unsafeProps())}}
		case "ConfigurationWillBeSaved":
			config := &model.Config{}
			config.PluginSettings.Plugins = map[string]map[string]any{"p": unsafeProps()}
			return []any{config, nil}
		}
		return nil
	}, service.HookNames())
	for range 2 {
		updated, _ := s.hooks.MessageWillBeUpdated(&plugin.Context{}, &model.Post{}, &model.Post{})
		consumed := s.hooks.MessagesWillBeConsumed(nil)
		config, err := s.hooks.ConfigurationWillBeSaved(&model.Config{})
		must(t, err)
		want := []any{postWith(safeProps()), []*model.Post{postWith(safeProps())}, map[string]any(safeProps())}
		if found := contracttest.Diff(want, []any{updated, consumed, config.PluginSettings.Plugins["p"]}); len(found) > 0 {
			t.Error(found)
		}
	}
}
