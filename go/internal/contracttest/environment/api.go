package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// examineAPI lets the plugin call every method of the API, those that move files among them, and compares, for each, the arguments that the server
// saw with those the plugin gave, and the result that the plugin got with the one the server gave.
func examineAPI(hooks plugin.Hooks, server *server, outcome, folder string, out map[string][]string) error {
	server.examine(outcome)
	name := "api-" + outcome
	if err := command(hooks, "/api "+filepath.Join(folder, name)); err != nil {
		return err
	}
	notes, err := readNotes(folder, name)
	if err != nil {
		return err
	}
	var played []any
	direct := contracttest.APIFunc(func(method string, args ...any) []any {
		played = drained(args)
		return server.results(method, args)
	})
	conn, stop, err := connection(func(served *grpc.Server) {
		service.RegisterAPI(served, service.DirectAPI(direct), hclog.NewNullLogger())
	})
	if err != nil {
		return err
	}
	defer stop()
	for _, note := range notes {
		key := note.Method + "/" + outcome
		out[key] = []string{}
		if note.Failure != "" {
			out[key] = append(out[key], "the plugin could not call it: "+note.Failure)
			continue
		}
		played = nil
		differences, err := playAPI(conn, note)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		out[key] = append(out[key], differences...)
		out[key] = append(out[key], compareArguments(note.Method, played, server.seen(note.Method))...)
	}
	return nil
}

// playAPI sends the request that the plugin made once more, to the API itself, and compares the response.
func playAPI(conn *grpc.ClientConn, note note) ([]string, error) {
	method := descriptor("API", note.Method)
	request, err := parse(method.Input(), note.Request)
	if err != nil {
		return nil, err
	}
	got, err := parse(method.Output(), note.Response)
	if err != nil {
		return nil, err
	}
	want, err := parse(method.Output(), nil)
	if err != nil {
		return nil, err
	}
	path := "/" + string(method.Parent().FullName()) + "/" + note.Method
	if method.IsStreamingClient() || method.IsStreamingServer() {
		return playStream(conn, path, method, note, request, got)
	}
	if err := conn.Invoke(context.Background(), path, request, want); err != nil {
		return nil, err
	}
	keepError(want)
	return differ("result", want, got), nil
}

// playStream is playAPI for a method whose request or response is a stream: a head and chunks of content.
func playStream(conn *grpc.ClientConn, path string, method protoreflect.MethodDescriptor, note note, request, got proto.Message) ([]string, error) {
	description := &grpc.StreamDesc{ClientStreams: method.IsStreamingClient(), ServerStreams: method.IsStreamingServer()}
	stream, err := conn.NewStream(context.Background(), description, path)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(request); err != nil {
		return nil, err
	}
	if method.IsStreamingClient() {
		chunk, err := parse(method.Input(), nil)
		if err != nil {
			return nil, err
		}
		field := method.Input().Fields().ByName("chunk")
		chunk.ProtoReflect().Set(field, protoreflect.ValueOfBytes(note.Content))
		if err := stream.SendMsg(chunk); err != nil {
			return nil, err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	var head proto.Message
	var content []byte
	for {
		message, err := parse(method.Output(), nil)
		if err != nil {
			return nil, err
		}
		if err := stream.RecvMsg(message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		field := method.Output().Fields().ByName("chunk")
		if field != nil && message.ProtoReflect().Has(field) {
			content = append(content, message.ProtoReflect().Get(field).Bytes()...)
		} else {
			head = message
		}
	}
	keepError(head)
	differences := differ("result", head, got)
	if method.IsStreamingServer() && !bytes.Equal(content, note.Content) {
		differences = append(differences, fmt.Sprintf("content: want %d bytes, got %d others", len(content), len(note.Content)))
	}
	return differences, nil
}

// compareArguments compares the arguments of a call with those of the calls that arrived. There may be further calls:
// the log of the plugin comes by way of the API too.
func compareArguments(method string, want []any, calls [][]any) []string {
	if method == "LoadPluginConfiguration" {
		return nil // its argument is where the result goes
	}
	want = asSent(method, want)
	differences := []string{"no call arrived"}
	for _, got := range calls {
		if differences = contracttest.Diff(withoutAddresses(want), withoutAddresses(got)); len(differences) == 0 {
			return nil
		}
	}
	return differences
}

// asSent returns the arguments as Mattermost's net/rpc client sends them, which changes those of a few methods: what
// is logged becomes text, and the free parts of audit records what JSON makes of them.
func asSent(method string, args []any) []any {
	out := slices.Clone(args)
	switch method {
	case "LogDebug", "LogInfo", "LogWarn", "LogError":
		var texts []any
		for _, value := range args[1].([]any) {
			texts = append(texts, fmt.Sprintf("%+v", value))
		}
		out[1] = texts
	case "LogAuditRec", "LogAuditRecWithLevel":
		record := *args[0].(*model.AuditRecord)
		record.EventData.Parameters = throughJSON(record.EventData.Parameters)
		record.EventData.PriorState = throughJSON(record.EventData.PriorState)
		record.EventData.ResultState = throughJSON(record.EventData.ResultState)
		record.Meta = throughJSON(record.Meta)
		out[0] = &record
	}
	return out
}

var address = regexp.MustCompile(`0x[0-9a-f]{6,}`)

// withoutAddresses masks the addresses that pointers inside logged values print as.
func withoutAddresses(args []any) []any {
	out := slices.Clone(args)
	for i, arg := range args {
		if values, ok := arg.([]any); ok {
			masked := slices.Clone(values)
			for j, value := range values {
				if text, ok := value.(string); ok {
					masked[j] = address.ReplaceAllString(text, "0x")
				}
			}
			out[i] = masked
		}
	}
	return out
}

func throughJSON(in map[string]any) map[string]any {
	data, err := json.Marshal(in)
	if err != nil {
		return map[string]any{"error": "not representable as JSON: " + err.Error()}
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		panic(fmt.Sprintf("JSON that was just written cannot be read: %v", err))
	}
	return out
}
