package service_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

var hooksService = pluginpb.File_mattermost_plugin_v1_hooks_proto.Services().ByName("Hooks")

// answer is what a plugin process does with a hook: it gets the request and returns the reply, nil for an empty one.
type answer func(hook string, in proto.Message) (proto.Message, error)

// pluginProcess serves the Hooks service by a function and returns its client, which takes all hooks for
// implemented.
func pluginProcess(t testing.TB, answer answer, options service.HooksOptions) *service.HooksClient {
	t.Helper()
	if options.Logger == nil {
		options.Logger = hclog.NewNullLogger()
	}
	client := service.NewHooksClient(connectPluginProcess(t, answer), options)
	client.SetImplemented(service.HookNames())
	return client
}

// connectPluginProcess serves the Hooks service by a function and returns a connection to it.
func connectPluginProcess(t testing.TB, answer answer) *grpc.ClientConn {
	t.Helper()
	return serve(t, func(*grpc.Server) {}, grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		path, _ := grpc.MethodFromServerStream(stream)
		hook := path[strings.LastIndex(path, "/")+1:]
		method := hooksService.Methods().ByName(protoreflect.Name(hook))
		if method == nil {
			return status.Errorf(codes.Unimplemented, "no %s", path)
		}
		in := dynamicpb.NewMessage(method.Input())
		if err := stream.RecvMsg(in); err != nil {
			return err
		}
		out, err := answer(hook, in)
		if err != nil {
			return err
		}
		if out == nil {
			out = dynamicpb.NewMessage(method.Output())
		}
		return stream.SendMsg(out)
	}))
}

func nothing(string, proto.Message) (proto.Message, error) { return nil, nil }

// failing is a plugin whose every hook raises.
func failing(string, proto.Message) (proto.Message, error) {
	return nil, status.Error(codes.Internal, "the hook raised")
}

var specialHooks = map[string]bool{
	"Implemented": true, "OnActivate": true, "ServeHTTP": true, "ServeMetrics": true, "FileWillBeUploaded": true,
}

func callHook(client *service.HooksClient, name string, args []any) []any {
	hook := reflect.ValueOf(client).MethodByName(name)
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		in[i] = reflect.ValueOf(arg)
		if arg == nil {
			in[i] = reflect.Zero(hook.Type().In(i))
		}
	}
	var out []any
	for _, result := range hook.Call(in) {
		out = append(out, result.Interface())
	}
	return out
}

func TestEveryUnaryHookPassesItsArgumentsAndResults(t *testing.T) {
	var called string
	var request, reply proto.Message
	client := pluginProcess(t, func(hook string, in proto.Message) (proto.Message, error) {
		called, request = hook, in
		return reply, nil
	}, service.HooksOptions{})
	reply = nil
	if err := client.OnActivate(); err != nil {
		t.Fatal(err)
	}
	for seed, m := range methodsOf(t, reflect.TypeFor[plugin.Hooks](), hooksService) {
		if specialHooks[m.name] {
			continue
		}
		filler := contracttest.NewFiller(int64(seed), false)
		args := filled(filler, m.goType.NumIn(), m.goType.In)
		results := filled(filler, m.goType.NumOut(), m.goType.Out)
		if mixed(m.name) { // into an empty argument, the answer is decoded as it is
			args[1] = reflect.New(m.goType.In(1).Elem()).Interface()
		}
		called, request = "", nil
		reply = expected(m.descriptor.Output(), results)
		want := expected(m.descriptor.Input(), args)
		got := callHook(client, m.name, args)
		if called != m.name {
			t.Errorf("%s called %q", m.name, called)
			continue
		}
		sameMessage(t, m.name, want, request)
		if found := contracttest.Diff(results, append([]any{}, got...)); len(found) > 0 && len(results) > 0 {
			t.Errorf("%s: results: %s", m.name, strings.Join(found, "; "))
		}
	}
}

// unchanged are the results of a hook that was not asked, as Mattermost's own client has them: what will be stored
// stays as it is, everything else is the zero value.
func unchanged(name string, goType reflect.Type, args []any) []any {
	out := make([]any, goType.NumOut())
	for i := range out {
		out[i] = reflect.Zero(goType.Out(i)).Interface()
	}
	kept := map[string]int{
		"MessageWillBePosted": 1, "MessageWillBeUpdated": 1, "ChannelMemberWillBeAdded": 1, "TeamMemberWillBeAdded": 1,
		"FileWillBeUploaded": 1,
	}
	if index, ok := kept[name]; ok {
		out[0] = args[index]
	}
	return out
}

func TestHooksThatAreNotImplementedAreNotCalled(t *testing.T) {
	client := pluginProcess(t, func(hook string, _ proto.Message) (proto.Message, error) {
		t.Errorf("%s was called", hook)
		return nil, nil
	}, service.HooksOptions{})
	client.SetImplemented(nil)
	for seed, m := range methodsOf(t, reflect.TypeFor[plugin.Hooks](), hooksService) {
		if specialHooks[m.name] {
			continue
		}
		args := filled(contracttest.NewFiller(int64(seed), false), m.goType.NumIn(), m.goType.In)
		want := unchanged(m.name, m.goType, args)
		if got := callHook(client, m.name, args); !reflect.DeepEqual(append([]any{}, want...), append([]any{}, got...)) {
			t.Errorf("%s returned %v", m.name, got)
		}
	}
}

func TestAnEmptyReplyMeansUnchanged(t *testing.T) {
	client := pluginProcess(t, nothing, service.HooksOptions{})
	for seed, m := range methodsOf(t, reflect.TypeFor[plugin.Hooks](), hooksService) {
		if specialHooks[m.name] {
			continue
		}
		args := filled(contracttest.NewFiller(int64(seed), false), m.goType.NumIn(), m.goType.In)
		want := unchanged(m.name, m.goType, args)
		got := callHook(client, m.name, args)
		if found := contracttest.Diff(append([]any{}, want...), append([]any{}, got...)); len(found) > 0 {
			t.Errorf("%s: %s", m.name, strings.Join(found, "; "))
		}
	}
}

// Hooks that can refuse: by a reason, which is their last result, or by an error.
var deciding = []string{
	"UserWillLogIn", "MessageWillBePosted", "MessageWillBeUpdated", "ChannelWillBeArchived", "ChannelMemberWillBeAdded",
	"TeamMemberWillBeAdded", "FileWillBeDownloaded", "EmailNotificationWillBeSent", "NotificationWillBePushed",
	"ChannelWillBeUpdated", "ChannelWillBeRestored", "ScheduledPostWillBeCreated", "DraftWillBeUpserted",
	"ConfigurationWillBeSaved", "OnSAMLLogin",
}

func TestWhenAHookFailsThePolicyDecidesAboutWhatCanBeRefused(t *testing.T) {
	for _, decision := range []service.Decision{service.Allow, service.Reject("not now")} {
		var asked []string
		client := pluginProcess(t, failing, service.HooksOptions{OnFailure: func(hook string, err error) service.Decision {
			var failure *service.HookError
			if !errors.As(err, &failure) || failure.Hook != hook || failure.Code != codes.Internal {
				t.Errorf("%s: asked about %v", hook, err)
			}
			asked = append(asked, hook)
			return decision
		}})
		if err := pluginProcess(t, nothing, service.HooksOptions{}).OnActivate(); err != nil {
			t.Fatal(err)
		}
		for seed, m := range methodsOf(t, reflect.TypeFor[plugin.Hooks](), hooksService) {
			if specialHooks[m.name] || m.name == "OnConfigurationChange" {
				continue
			}
			args := filled(contracttest.NewFiller(int64(seed), false), m.goType.NumIn(), m.goType.In)
			got := callHook(client, m.name, args)
			switch {
			case !slices.Contains(deciding, m.name):
				wantFailure(t, m, got)
			case decision == service.Allow:
				if want := unchanged(m.name, m.goType, args); !reflect.DeepEqual(want, got) {
					t.Errorf("%s: allowed is %v", m.name, got)
				}
			default:
				wantRefusal(t, m, args, got)
			}
		}
		slices.Sort(asked)
		if want := slices.Sorted(slices.Values(deciding)); !slices.Equal(asked, want) {
			t.Errorf("asked about %v\nnot %v", asked, want)
		}
	}
}

// wantFailure checks the results of a hook that failed and cannot refuse: an error where there is a place for one.
func wantFailure(t *testing.T, m method, got []any) {
	t.Helper()
	for i, value := range got {
		_, isError := value.(error)
		switch {
		case m.goType.Out(i) == reflect.TypeFor[error](), m.goType.Out(i) == reflect.TypeFor[*model.AppError]():
			if !isError || reflect.ValueOf(value).IsNil() {
				t.Errorf("%s: the failure is lost: %v", m.name, got)
			}
		case value != nil && !reflect.ValueOf(value).IsZero():
			t.Errorf("%s failed and returned %v", m.name, got)
		}
	}
}

// wantRefusal checks the results of a hook that refused: beside the reason there is nothing, but for the hooks whose
// answer is decoded into their argument, as with Mattermost's own client.
func wantRefusal(t *testing.T, m method, args, got []any) {
	t.Helper()
	reason := got[len(got)-1]
	if err, ok := reason.(error); ok {
		reason = err.Error()
	}
	if reason != "not now" {
		t.Errorf("%s: refused is %v", m.name, got)
	}
	if len(got) != 2 {
		return
	}
	if mixed(m.name) && got[0] != args[1] || !mixed(m.name) && !reflect.ValueOf(got[0]).IsNil() {
		t.Errorf("%s: refused, but returned %v", m.name, got[0])
	}
}

func TestWhatAnAnswerLeavesEmptyStaysAsItWas(t *testing.T) {
	client := pluginProcess(t, func(string, proto.Message) (proto.Message, error) {
		answer := &model.Post{Message: "new", Metadata: &model.PostMetadata{Priority: &model.PostPriority{RequestedAck: model.NewPointer(true)}}}
		answer.SetProps(model.StringInterface{"b": "2"})
		return &pluginpb.MessageWillBePostedResponse{Result: contracttest.ToProto[pluginpb.Post](convert.AppendPost(nil, answer))}, nil
	}, service.HooksOptions{})
	original := &model.Post{
		Id: "p", Message: "old", IsPinned: true, FileIds: model.StringArray{"f"},
		Metadata: &model.PostMetadata{RedactedFileCount: 3, Priority: &model.PostPriority{Priority: model.NewPointer("urgent")}},
	}
	original.SetProps(model.StringInterface{"a": "1"})
	want := original.Clone()
	want.Message = "new"
	want.Metadata.Priority.RequestedAck = model.NewPointer(true)
	want.SetProps(model.StringInterface{"a": "1", "b": "2"})
	got, reason := client.MessageWillBePosted(&plugin.Context{}, original)
	if found := contracttest.Diff(want, got); len(found) > 0 || reason != "" {
		t.Error(found, reason)
	}
}

// An update is not merged: Mattermost's client is not for it either.
func TestAnUpdateIsTakenAsItIs(t *testing.T) {
	client := pluginProcess(t, func(string, proto.Message) (proto.Message, error) {
		return &pluginpb.MessageWillBeUpdatedResponse{Result: &pluginpb.Post{Id: "p"}}, nil
	}, service.HooksOptions{})
	got, _ := client.MessageWillBeUpdated(&plugin.Context{}, &model.Post{Id: "p", Message: "new"}, &model.Post{Id: "p"})
	if got == nil || got.Message != "" {
		t.Errorf("got %v", got)
	}
}

func TestARefusedUpdateReturnsNoPostBecauseAServerLooksAtNothingElse(t *testing.T) {
	client := pluginProcess(t, func(string, proto.Message) (proto.Message, error) {
		return &pluginpb.MessageWillBeUpdatedResponse{RejectionReason: "no"}, nil
	}, service.HooksOptions{})
	post, reason := client.MessageWillBeUpdated(&plugin.Context{}, &model.Post{Message: "new"}, &model.Post{Message: "old"})
	if post != nil || reason != "no" {
		t.Errorf("got %v, %q", post, reason)
	}
}

func TestActivationTellsThePluginWhereItsHostIs(t *testing.T) {
	var request proto.Message
	client := pluginProcess(t, func(_ string, in proto.Message) (proto.Message, error) {
		request = in
		return nil, nil
	}, service.HooksOptions{Activation: func() (service.Activation, error) {
		return service.Activation{APIBrokerID: 7, DriverBrokerID: 8, ServerVersion: "11.4.0"}, nil
	}})
	if err := client.OnActivate(); err != nil {
		t.Fatal(err)
	}
	sameMessage(t, "OnActivate", &pluginpb.OnActivateRequest{ApiBrokerId: 7, DriverBrokerId: 8, ServerVersion: "11.4.0"},
		known(t, request, &pluginpb.OnActivateRequest{}))
}

// known returns a received message as one of its Go type.
func known[M proto.Message](t *testing.T, in proto.Message, out M) M {
	t.Helper()
	data, err := proto.Marshal(in)
	if err == nil {
		err = proto.Unmarshal(data, out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestActivationFailsWhenThePluginOrTheHostDoes(t *testing.T) {
	refusing := pluginProcess(t, func(string, proto.Message) (proto.Message, error) {
		kind := &pluginpb.Error_ErrorString{ErrorString: &pluginpb.ErrorString{Err: "no database"}}
		return &pluginpb.OnActivateResponse{Error: &pluginpb.Error{Kind: kind}}, nil
	}, service.HooksOptions{})
	if err := refusing.OnActivate(); err == nil || err.Error() != "no database" {
		t.Errorf("got %v", err)
	}
	var failure *service.HookError
	if err := pluginProcess(t, failing, service.HooksOptions{}).OnActivate(); !errors.As(err, &failure) {
		t.Errorf("got %v", err)
	}
	noAPI := errors.New("no broker")
	hostless := pluginProcess(t, nothing, service.HooksOptions{Activation: func() (service.Activation, error) {
		return service.Activation{}, noAPI
	}})
	if err := hostless.OnActivate(); !errors.Is(err, noAPI) {
		t.Errorf("got %v", err)
	}
}

func TestConfigurationChangesAreSentOnlyToAnActivePlugin(t *testing.T) {
	var calls []string
	refuse := true
	client := pluginProcess(t, func(hook string, _ proto.Message) (proto.Message, error) {
		calls = append(calls, hook)
		if refuse {
			return nil, status.Error(codes.Internal, "not yet")
		}
		return nil, nil
	}, service.HooksOptions{})
	steps := []func() error{client.OnConfigurationChange, client.OnActivate, client.OnConfigurationChange}
	for _, step := range steps {
		_ = step()
	}
	refuse = false
	for _, step := range steps {
		if err := step(); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"OnActivate", "OnActivate", "OnConfigurationChange"}; !slices.Equal(calls, want) {
		t.Errorf("sent %v", calls)
	}
}

func TestImplementedIsAskedOnceAndRemembered(t *testing.T) {
	var calls []string
	client := pluginProcess(t, func(hook string, _ proto.Message) (proto.Message, error) {
		calls = append(calls, hook)
		if hook == "Implemented" {
			return &pluginpb.ImplementedResponse{Result: []string{"UserHasLoggedIn", "FromTheFuture"}}, nil
		}
		return nil, nil
	}, service.HooksOptions{})
	client.SetImplemented(nil)
	names, err := client.Implemented()
	if err != nil || !slices.Equal(names, []string{"UserHasLoggedIn", "FromTheFuture"}) {
		t.Errorf("got %v, %v", names, err)
	}
	client.UserHasLoggedIn(&plugin.Context{}, &model.User{})
	client.UserHasBeenCreated(&plugin.Context{}, &model.User{})
	if !slices.Equal(calls, []string{"Implemented", "UserHasLoggedIn"}) {
		t.Errorf("called %v", calls)
	}
}

func TestAHookThatTakesTooLongIsAFailure(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var failure *service.HookError
	client := pluginProcess(t, func(string, proto.Message) (proto.Message, error) { <-release; return nil, nil },
		service.HooksOptions{
			Deadline: func(hook string) time.Duration {
				if hook == "UserWillLogIn" {
					return 30 * time.Millisecond
				}
				return 0
			},
			OnFailure: func(_ string, err error) service.Decision {
				errors.As(err, &failure)
				return service.Reject("")
			},
		})
	if reason := client.UserWillLogIn(&plugin.Context{}, &model.User{}); reason == "" {
		t.Error("a rejection needs a reason")
	}
	if failure == nil || failure.Code != codes.DeadlineExceeded {
		t.Errorf("failed with %v", failure)
	}
}

func TestAPluginThatIsGoneIsUnavailable(t *testing.T) {
	conn, err := grpc.NewClient("unix:"+t.TempDir()+"/nobody", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := service.NewHooksClient(conn, service.HooksOptions{Logger: hclog.NewNullLogger()})
	var failure *service.HookError
	if _, err := client.Implemented(); !errors.As(err, &failure) || failure.Code != codes.Unavailable {
		t.Errorf("got %v", err)
	}
}

type proxy struct{ served []string }

func (p *proxy) ServeHTTP(*plugin.Context, http.ResponseWriter, *http.Request) {
	p.served = append(p.served, "HTTP")
}

func (p *proxy) ServeMetrics(*plugin.Context, http.ResponseWriter, *http.Request) {
	p.served = append(p.served, "metrics")
}

func TestHTTPGoesToTheProxy(t *testing.T) {
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range []struct {
		implemented bool
		proxy       *proxy
		status      int
	}{{false, nil, 404}, {false, &proxy{}, 404}, {true, nil, 501}, {true, &proxy{}, 200}} {
		options := service.HooksOptions{}
		if c.proxy != nil {
			options.HTTP = c.proxy
		}
		client := pluginProcess(t, nothing, options)
		if !c.implemented {
			client.SetImplemented(nil)
		}
		for _, hook := range []func(*plugin.Context, http.ResponseWriter, *http.Request){client.ServeHTTP, client.ServeMetrics} {
			recorder := httptest.NewRecorder()
			hook(&plugin.Context{}, recorder, request)
			if recorder.Code != c.status {
				t.Errorf("%+v: status %d", c, recorder.Code)
			}
		}
		if c.status == 200 && !slices.Equal(c.proxy.served, []string{"HTTP", "metrics"}) {
			t.Errorf("served %v", c.proxy.served)
		}
	}
}

// uploads serves FileWillBeUploaded by a function.
type uploads struct {
	pluginpb.UnimplementedHooksServer
	handle func(grpc.BidiStreamingServer[pluginpb.FileWillBeUploadedRequest, pluginpb.FileWillBeUploadedResponse]) error
}

func (u uploads) FileWillBeUploaded(stream grpc.BidiStreamingServer[pluginpb.FileWillBeUploadedRequest, pluginpb.FileWillBeUploadedResponse]) error {
	return u.handle(stream)
}

func uploadTo(t *testing.T, handle func(grpc.BidiStreamingServer[pluginpb.FileWillBeUploadedRequest, pluginpb.FileWillBeUploadedResponse]) error) *service.HooksClient {
	t.Helper()
	conn := serve(t, func(s *grpc.Server) { pluginpb.RegisterHooksServer(s, uploads{handle: handle}) })
	client := service.NewHooksClient(conn, service.HooksOptions{Logger: hclog.NewNullLogger()})
	client.SetImplemented([]string{"FileWillBeUploaded"})
	return client
}

type uploadStream = grpc.BidiStreamingServer[pluginpb.FileWillBeUploadedRequest, pluginpb.FileWillBeUploadedResponse]

func sendResult(stream uploadStream, info *pluginpb.FileInfo, reason string) error {
	head := &pluginpb.FileWillBeUploadedResponseHead{Result: info, RejectionReason: reason}
	return stream.Send(&pluginpb.FileWillBeUploadedResponse{Part: &pluginpb.FileWillBeUploadedResponse_Head{Head: head}})
}

func sendChunk(stream uploadStream, chunk []byte) error {
	return stream.Send(&pluginpb.FileWillBeUploadedResponse{Part: &pluginpb.FileWillBeUploadedResponse_Chunk{Chunk: chunk}})
}

func TestAnUploadedFileStreamsThroughThePlugin(t *testing.T) {
	client := uploadTo(t, func(stream uploadStream) error {
		first, err := stream.Recv()
		if err != nil {
			return err
		}
		info := first.GetHead().GetInfo()
		for {
			message, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if err := sendChunk(stream, []byte(strings.ToUpper(string(message.GetChunk())))); err != nil {
				return err
			}
		}
		info.Name += "." + first.GetHead().GetContext().GetRequestId()
		return sendResult(stream, info, "")
	})
	content := strings.Repeat("some text ", 300_000)
	var output strings.Builder
	info, reason := client.FileWillBeUploaded(&plugin.Context{RequestId: "r"}, &model.FileInfo{Name: "n"}, strings.NewReader(content), &output)
	if reason != "" || info == nil || info.Name != "n.r" {
		t.Errorf("got %v, %q", info, reason)
	}
	if output.String() != strings.ToUpper(content) {
		t.Errorf("%d bytes came back, %d were sent", output.Len(), len(content))
	}
}

func TestAPluginNeedNotReadTheFile(t *testing.T) {
	client := uploadTo(t, func(stream uploadStream) error { return sendResult(stream, nil, "") })
	original := &model.FileInfo{Name: "n"}
	var output strings.Builder
	endless := io.MultiReader(strings.NewReader(strings.Repeat("x", 50_000_000)), strings.NewReader("y"))
	info, reason := client.FileWillBeUploaded(&plugin.Context{}, original, endless, &output)
	if info != original || reason != "" || output.Len() != 0 {
		t.Errorf("got %v, %q", info, reason)
	}
}

func TestARefusedFileHasAReason(t *testing.T) {
	client := uploadTo(t, func(stream uploadStream) error { return sendResult(stream, nil, "a virus") })
	original := &model.FileInfo{}
	info, reason := client.FileWillBeUploaded(&plugin.Context{}, original, strings.NewReader("x"), io.Discard)
	if info != original || reason != "a virus" {
		t.Errorf("got %v, %q", info, reason)
	}
}

func TestHalfAReplacementIsRefusedWhateverThePolicy(t *testing.T) {
	client := uploadTo(t, func(stream uploadStream) error {
		if err := sendChunk(stream, []byte("half")); err != nil {
			return err
		}
		return status.Error(codes.Internal, "the hook raised")
	})
	original := &model.FileInfo{}
	info, reason := client.FileWillBeUploaded(&plugin.Context{}, original, strings.NewReader("x"), io.Discard)
	if info != original || reason == "" {
		t.Errorf("got %v, %q", info, reason)
	}
}

func TestAPluginThatFailsBeforeItWritesLeavesTheFileAsItIs(t *testing.T) {
	client := uploadTo(t, func(uploadStream) error { return status.Error(codes.Internal, "the hook raised") })
	original := &model.FileInfo{}
	if info, reason := client.FileWillBeUploaded(&plugin.Context{}, original, strings.NewReader("x"), io.Discard); info != original || reason != "" {
		t.Errorf("got %v, %q", info, reason)
	}
}

// brokenFile can be neither read nor written, once the plugin has the call.
type brokenFile struct{ started <-chan struct{} }

var errDisk = errors.New("disk error")

func (b brokenFile) Read([]byte) (int, error) {
	<-b.started
	return 0, errDisk
}

func (b brokenFile) Write([]byte) (int, error) { return 0, errDisk }

func TestAFileThatCannotBeReadOrWrittenEndsTheStream(t *testing.T) {
	started, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	client := uploadTo(t, func(stream uploadStream) error {
		started <- struct{}{}
		err := sendChunk(stream, []byte("x"))
		<-stream.Context().Done()
		ended <- struct{}{}
		return err
	})
	broken := brokenFile{started}
	client.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{}, broken, io.Discard)
	<-ended
	original := &model.FileInfo{}
	info, reason := client.FileWillBeUploaded(&plugin.Context{}, original, strings.NewReader("x"), broken)
	if info != original || reason != "" {
		t.Errorf("nothing was written, but got %v, %q", info, reason)
	}
	<-ended
}
