package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"hash/fnv"
	"path"
	"path/filepath"
	"reflect"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// notCalled are the unary hooks that are no plain calls: they belong to the life of the plugin, or say where its HTTP
// server listens. ExecuteCommand is, beside, how the plugin is told what to do.
var notCalled = map[string]bool{
	"OnActivate": true, "OnDeactivate": true, "Implemented": true, "ServeHTTP": true, "ServeMetrics": true,
}

// examineHooks calls every hook and compares the arguments that the plugin saw with those given, and what comes
// back with what the plugin gave.
func examineHooks(hooks plugin.Hooks, outcome, folder string, seed uint64, out map[string][]string) error {
	name := "hooks-" + outcome
	if err := command(hooks, "/hooks "+outcome+" "+filepath.Join(folder, name)); err != nil {
		return err
	}
	given, returned := map[string]func() []reflect.Value{}, map[string][]any{}
	hooksType := reflect.TypeFor[plugin.Hooks]()
	for i := range hooksType.NumMethod() {
		method := hooksType.Method(i)
		if notCalled[method.Name] || !isUnary("Hooks", method.Name) {
			continue
		}
		hash := fnv.New64()
		_, _ = hash.Write([]byte(method.Name))
		given[method.Name] = func() []reflect.Value { return arguments(method.Type, seed^hash.Sum64()) }
		returned[method.Name] = invoke(hooks, method.Name, given[method.Name]())
	}
	file, err := examineFile(hooks, seed)
	if err != nil {
		return err
	}
	if err := command(hooks, "/done"); err != nil {
		return err
	}
	notes, err := readNotes(folder, name)
	if err != nil {
		return err
	}
	seen := map[string]note{}
	for _, note := range notes {
		seen[note.Method] = note
	}
	for method, args := range given {
		key := method + "/" + outcome
		out[key] = []string{}
		note, ok := seen[method]
		if !ok {
			out[key] = append(out[key], "the plugin did not see the call")
			continue
		}
		if note.Failure != "" {
			out[key] = append(out[key], "the plugin failed: "+note.Failure)
			continue
		}
		differences, err := playHook(note, args, returned[method])
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		out[key] = append(out[key], differences...)
	}
	key := fileHook + "/" + outcome
	if note, ok := seen[fileHook]; !ok {
		out[key] = []string{"the plugin did not see the call"}
	} else if note.Failure != "" {
		out[key] = []string{"the plugin failed: " + note.Failure}
	} else if out[key], err = file.play(note); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func arguments(method reflect.Type, seed uint64) []reflect.Value {
	filler := contracttest.NewFiller(int64(seed), false)
	args := make([]reflect.Value, method.NumIn())
	for i := range args {
		args[i] = filled(filler, method.In(i))
	}
	return args
}

func invoke(hooks plugin.Hooks, method string, args []reflect.Value) []any {
	var out []any
	for _, result := range reflect.ValueOf(hooks).MethodByName(method).Call(args) {
		out = append(out, result.Interface())
	}
	return out
}

// playHook calls the hook once more over gRPC alone, with a server in place of the plugin that answers as the plugin
// did, and compares. args makes the arguments anew each time: they may be changed.
func playHook(note note, args func() []reflect.Value, returned []any) ([]string, error) {
	method := descriptor("Hooks", note.Method)
	response, err := parse(method.Output(), note.Response)
	if err != nil {
		return nil, err
	}
	got, err := parse(method.Input(), note.Request)
	if err != nil {
		return nil, err
	}
	player := &player{response: response, method: note.Method}
	conn, stop, err := connection(func(served *grpc.Server) {
		pluginpb.RegisterHooksServer(served, pluginpb.UnimplementedHooksServer{})
	}, grpc.UnaryInterceptor(player.answer))
	if err != nil {
		return nil, err
	}
	defer stop()
	client := service.NewHooksClient(conn, service.HooksOptions{Logger: hclog.NewNullLogger()})
	client.SetImplemented([]string{"OnActivate", note.Method})
	if err := client.OnActivate(); err != nil { // some hooks are not called before
		return nil, err
	}
	want := invoke(client, note.Method, args())
	differences := differ("arguments", player.request, got)
	if want, err = asReturned(note.Method, args(), want); err != nil {
		return nil, err
	}
	return append(differences, contracttest.Diff(want, returned)...), nil
}

// asReturned returns the results as Mattermost's net/rpc client hands them on. For some hooks it decodes what the
// plugin returned into what it was given, so that a plugin which does not know a field leaves it as it is; gob adds to
// a map there.
func asReturned(method string, args []reflect.Value, results []any) ([]any, error) {
	var from, into any
	switch method {
	case "MessageWillBePosted":
		from = &plugin.Z_MessageWillBePostedReturns{A: results[0].(*model.Post), B: results[1].(string)}
		into = &plugin.Z_MessageWillBePostedReturns{A: args[1].Interface().(*model.Post)}
	case "ChannelMemberWillBeAdded":
		from = &plugin.Z_ChannelMemberWillBeAddedReturns{A: results[0].(*model.ChannelMember), B: results[1].(string)}
		into = &plugin.Z_ChannelMemberWillBeAddedReturns{A: args[1].Interface().(*model.ChannelMember)}
	case "TeamMemberWillBeAdded":
		from = &plugin.Z_TeamMemberWillBeAddedReturns{A: results[0].(*model.TeamMember), B: results[1].(string)}
		into = &plugin.Z_TeamMemberWillBeAddedReturns{A: args[1].Interface().(*model.TeamMember)}
	case fileHook:
		from = &plugin.Z_FileWillBeUploadedReturns{A: results[0].(*model.FileInfo), B: results[1].(string)}
		into = &plugin.Z_FileWillBeUploadedReturns{A: args[1].Interface().(*model.FileInfo)}
	default:
		return results, nil
	}
	var wire bytes.Buffer
	if err := gob.NewEncoder(&wire).Encode(from); err != nil {
		return nil, err
	}
	if err := gob.NewDecoder(&wire).Decode(into); err != nil {
		return nil, err
	}
	fields := reflect.ValueOf(into).Elem()
	return []any{fields.Field(0).Interface(), fields.Field(1).Interface()}, nil
}

// player answers one method with a given response and keeps the request.
type player struct {
	method   string
	response proto.Message

	lock    sync.Mutex
	request proto.Message
}

func (p *player) answer(_ context.Context, request any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
	if path.Base(info.FullMethod) != p.method {
		return &pluginpb.OnActivateResponse{}, nil
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.request = request.(proto.Message)
	return p.response, nil
}
