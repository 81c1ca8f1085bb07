package service_test

import (
	"context"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

func echoPost(_ string, args ...any) []any { return []any{args[0], nil} }

func createPosts(b *testing.B, conn *grpc.ClientConn) {
	client := pluginpb.NewAPIClient(conn)
	in := &pluginpb.CreatePostRequest{Post: contracttest.ToProto[pluginpb.Post](convert.AppendPost(nil, &model.Post{Id: model.NewId(), Message: "hello"}))}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.CreatePost(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAPICall is a call of a plugin in Go over gRPC, and what the way over Mattermost's RPC adds to it.
func BenchmarkAPICall(b *testing.B) {
	b.Run("in the server's process", func(b *testing.B) {
		createPosts(b, serveAPI(b, service.DirectAPI(contracttest.APIFunc(echoPost))))
	})
	b.Run("over Mattermost's RPC", func(b *testing.B) {
		createPosts(b, serveNetRPCAPI(b, startServer(b, echoPost, nil, noHooks, nil).plugin.api))
	})
}

// BenchmarkHook is a call of a hook of a plugin in Go over gRPC.
func BenchmarkHook(b *testing.B) {
	client := pluginProcess(b, func(string, proto.Message) (proto.Message, error) { return nil, nil },
		service.HooksOptions{Logger: hclog.NewNullLogger()})
	post := &model.Post{Id: model.NewId(), Message: "hello"}
	b.ReportAllocs()
	for b.Loop() {
		client.MessageWillBePosted(&plugin.Context{}, post)
	}
}
