package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// note is what the plugin wrote down of one call: the messages of what it saw.
type note struct {
	Method   string `json:"method"`
	Request  []byte `json:"request"`
	Response []byte `json:"response"`
	Content  []byte `json:"content"` // what streamed in beside them, for methods of the API either way
	Written  []byte `json:"written"` // what a hook wrote
	Failure  string `json:"failure"`
}

func readNotes(folder, name string) ([]note, error) {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	var notes []note
	for line := range strings.Lines(string(data)) {
		var next note
		if err := json.Unmarshal([]byte(line), &next); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		notes = append(notes, next)
	}
	return notes, nil
}

// connection serves gRPC services in this process and returns a connection to them.
func connection(register func(*grpc.Server), options ...grpc.ServerOption) (*grpc.ClientConn, func(), error) {
	listener := bufconn.Listen(1 << 20)
	served := grpc.NewServer(append(service.ServerOptions(), options...)...)
	register(served)
	go func() { _ = served.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		return nil, nil, err
	}
	return conn, func() { _ = conn.Close(); served.Stop() }, nil
}

// descriptor returns the method of a service of the contract.
func descriptor(service, method string) protoreflect.MethodDescriptor {
	for _, file := range []protoreflect.FileDescriptor{pluginpb.File_mattermost_plugin_v1_api_proto, pluginpb.File_mattermost_plugin_v1_hooks_proto} {
		if found := file.Services().ByName(protoreflect.Name(service)); found != nil {
			return found.Methods().ByName(protoreflect.Name(method))
		}
	}
	return nil
}

// isUnary tells whether a method of a service of the contract is a plain call.
func isUnary(service, method string) bool {
	found := descriptor(service, method)
	return found != nil && !found.IsStreamingClient() && !found.IsStreamingServer()
}

// parse reads a message of the type that a descriptor names.
func parse(message protoreflect.MessageDescriptor, data []byte) (proto.Message, error) {
	found, err := protoregistry.GlobalTypes.FindMessageByName(message.FullName())
	if err != nil {
		return nil, err
	}
	out := found.New().Interface()
	return out, proto.Unmarshal(data, out)
}

// keepError clears the results beside an error, if there is one: whoever gets an error does not look at them.
func keepError(response proto.Message) {
	message := response.ProtoReflect()
	failed := message.Descriptor().Fields().ByName("error")
	if failed == nil || !message.Has(failed) {
		return
	}
	message.Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if field != failed {
			message.Clear(field)
		}
		return true
	})
}

// differ compares two messages of a kind.
func differ(what string, want, got proto.Message) []string {
	if proto.Equal(want, got) {
		return nil
	}
	return []string{fmt.Sprintf("%s: want %v, got %v", what, want, got)}
}
