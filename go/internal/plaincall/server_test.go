package plaincall_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// api is an implementation with a method of each shape.
type api struct {
	pluginpb.UnimplementedAPIServer
	plain    func(context.Context, string) (string, error)
	download func(downloadStream) error // nil: as below
	upload   func(uploadStream) error
}

type (
	downloadStream = grpc.ServerStreamingServer[pluginpb.GetFileResponse]
	uploadStream   = grpc.ClientStreamingServer[pluginpb.UploadFileRequest, pluginpb.UploadFileResponse]
)

func (a *api) KVDelete(ctx context.Context, in *pluginpb.KVDeleteRequest) (*pluginpb.KVDeleteResponse, error) {
	out, err := a.plain(ctx, in.GetKey())
	if err != nil {
		return nil, err
	}
	return &pluginpb.KVDeleteResponse{Error: &pluginpb.AppError{Message: out}}, nil
}

// GetFile sends as many pieces as the id has letters.
func (a *api) GetFile(in *pluginpb.GetFileRequest, stream downloadStream) error {
	if a.download != nil {
		return a.download(stream)
	}
	for _, letter := range in.GetFileId() {
		chunk := bytes.Repeat([]byte(string(letter)), 1<<20)
		if err := stream.Send(&pluginpb.GetFileResponse{Part: &pluginpb.GetFileResponse_Chunk{Chunk: chunk}}); err != nil {
			return err
		}
	}
	return nil
}

// UploadFile counts what comes.
func (a *api) UploadFile(stream uploadStream) error {
	if a.upload != nil {
		return a.upload(stream)
	}
	size := 0
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&pluginpb.UploadFileResponse{Result: &pluginpb.FileInfo{Size: int64(size)}})
		}
		if err != nil {
			return err
		}
		size += len(in.GetChunk())
	}
}

// PluginHTTP sends each piece back.
func (a *api) PluginHTTP(stream grpc.BidiStreamingServer[pluginpb.PluginHTTPRequest, pluginpb.PluginHTTPResponse]) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status.Error(codes.DataLoss, "that was all")
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pluginpb.PluginHTTPResponse{Part: &pluginpb.PluginHTTPResponse_Chunk{Chunk: in.GetChunk()}}); err != nil {
			return err
		}
	}
}

func serve(t *testing.T, plain func(context.Context, string) (string, error), options ...grpc.DialOption) (pluginpb.APIClient, *plaincall.Server) {
	t.Helper()
	return serveAPI(t, &api{plain: plain}, options...)
}

func serveAPI(t *testing.T, implementation *api, options ...grpc.DialOption) (pluginpb.APIClient, *plaincall.Server) {
	t.Helper()
	server, err := plaincall.NewServer(grpc.NewServer(grpc.MaxRecvMsgSize(1<<30)), encoding.GetCodecV2(proto.Name), new(atomic.Int64))
	require.NoError(t, err)
	pluginpb.RegisterAPIServer(server, implementation)
	client, _ := connect(t, server, options...)
	return client, server
}

// connect has a server serve on a socket and returns a client and where that is.
func connect(t *testing.T, server *plaincall.Server, options ...grpc.DialOption) (pluginpb.APIClient, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server.sock")
	listener, err := net.Listen("unix", path)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30), grpc.MaxCallSendMsgSize(1<<30)))
	conn, err := grpc.NewClient("unix:"+path, options...)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		require.NoError(t, <-served)
	})
	return pluginpb.NewAPIClient(conn), path
}

func delete(ctx context.Context, client pluginpb.APIClient, key string, options ...grpc.CallOption) (string, error) {
	out, err := client.KVDelete(ctx, &pluginpb.KVDeleteRequest{Key: key}, options...)
	return out.GetError().GetMessage(), err
}

func TestServerAnswersPlainCallsOfGRPCGo(t *testing.T) {
	client, _ := serve(t, echo)
	var done sync.WaitGroup
	for range 16 {
		done.Go(func() {
			for size := range 200 {
				want := strings.Repeat("x", 1+size*size)
				got, err := delete(t.Context(), client, want)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
	done.Wait()
}

func TestServerCarriesLargeMessagesBothWays(t *testing.T) {
	client, _ := serve(t, echo)
	large := strings.Repeat("0123456789abcdef", 2<<20)
	got, err := delete(t.Context(), client, large)
	require.NoError(t, err)
	require.Equal(t, len(large), len(got))
}

func TestServerSendsAStatusWithDetailsAndTrailers(t *testing.T) {
	client, _ := serve(t, func(ctx context.Context, _ string) (string, error) {
		if err := grpc.SetTrailer(ctx, metadata.Pairs("mattermost-minimum-version", "11.5", "raw-bin", "\x00\xff")); err != nil {
			return "", err
		}
		failed, err := status.New(codes.Unimplemented, "nö: 100 %\n").WithDetails(&errdetails.ErrorInfo{Reason: "because"})
		if err != nil {
			return "", err
		}
		return "", failed.Err()
	})
	var trailer metadata.MD
	_, err := delete(t.Context(), client, "", grpc.Trailer(&trailer))
	got := status.Convert(err)
	require.Equal(t, codes.Unimplemented, got.Code())
	require.Equal(t, "nö: 100 %\n", got.Message())
	require.Len(t, got.Details(), 1)
	require.Equal(t, []string{"11.5"}, trailer.Get("mattermost-minimum-version"))
	require.Equal(t, []string{"\x00\xff"}, trailer.Get("raw-bin"))
}

func TestServerCancelsTheHandlerWhenTheCallerIsGone(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 1)
	client, _ := serve(t, func(ctx context.Context, _ string) (string, error) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return "", ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	_, err := delete(ctx, client, "")
	require.Equal(t, codes.Canceled, status.Code(err))
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestServerEndsTheHandlerWithTheDeadline(t *testing.T) {
	ended := make(chan error, 1)
	client, _ := serve(t, func(ctx context.Context, _ string) (string, error) {
		_, ok := ctx.Deadline()
		require.True(t, ok)
		<-ctx.Done()
		ended <- ctx.Err()
		return "", ctx.Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // enough to reach the handler
	defer cancel()
	_, err := delete(ctx, client, "")
	require.Equal(t, codes.DeadlineExceeded, status.Code(err))
	require.Error(t, <-ended) // the caller may cancel first
}

func TestServerPassesMethodsThatAreNotThereOn(t *testing.T) {
	client, _ := serve(t, echo)
	_, err := client.GetServerVersion(t.Context(), &pluginpb.GetServerVersionRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
}

func TestServerPassesCallsWithMetadataOn(t *testing.T) {
	client, _ := serve(t, func(ctx context.Context, _ string) (string, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		return strings.Join(md.Get("color"), ","), grpc.SetHeader(ctx, metadata.Pairs("shape", "round"))
	})
	var header metadata.MD
	got, err := delete(metadata.AppendToOutgoingContext(t.Context(), "color", "red", "color", "blue"), client, "", grpc.Header(&header))
	require.NoError(t, err)
	require.Equal(t, "red,blue", got)
	require.Equal(t, []string{"round"}, header.Get("shape"))
}

func TestServerRefusesCompressionItDoesNotKnow(t *testing.T) {
	client, _ := serve(t, echo)
	_, err := delete(t.Context(), client, "x", grpc.UseCompressor("gzip"))
	require.Equal(t, codes.Unimplemented, status.Code(err))
}

func TestServerStreamsResponsesAsTheyAreTaken(t *testing.T) {
	client, _ := serve(t, echo)
	stream, err := client.GetFile(t.Context(), &pluginpb.GetFileRequest{FileId: "abcdefghijklmnopqrstuvwxyz"})
	require.NoError(t, err)
	for _, letter := range "abcdefghijklmnopqrstuvwxyz" {
		in, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, bytes.Repeat([]byte(string(letter)), 1<<20), in.GetChunk())
	}
	_, err = stream.Recv()
	require.ErrorIs(t, err, io.EOF)
}

func TestServerStreamsRequests(t *testing.T) {
	client, _ := serve(t, echo)
	stream, err := client.UploadFile(t.Context())
	require.NoError(t, err)
	random, total := rand.New(rand.NewSource(1)), 0
	for range 40 {
		chunk := make([]byte, random.Intn(3<<20))
		total += len(chunk)
		require.NoError(t, stream.Send(&pluginpb.UploadFileRequest{Part: &pluginpb.UploadFileRequest_Chunk{Chunk: chunk}}))
	}
	out, err := stream.CloseAndRecv()
	require.NoError(t, err)
	require.EqualValues(t, total, out.GetResult().GetSize())
}

func TestServerStreamsBothWaysAndPlainCallsGoOnMeanwhile(t *testing.T) {
	client, _ := serve(t, echo)
	stream, err := client.PluginHTTP(t.Context())
	require.NoError(t, err)
	for i := range 100 {
		want := bytes.Repeat([]byte{byte(i)}, i*1000)
		require.NoError(t, stream.Send(&pluginpb.PluginHTTPRequest{Part: &pluginpb.PluginHTTPRequest_Chunk{Chunk: want}}))
		in, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, len(want), len(in.GetChunk()))
		got, err := delete(t.Context(), client, "plain")
		require.NoError(t, err)
		require.Equal(t, "plain", got)
	}
	require.NoError(t, stream.CloseSend())
	_, err = stream.Recv()
	require.Equal(t, codes.DataLoss, status.Code(err))
	require.Equal(t, "that was all", status.Convert(err).Message())
}

func TestServerCancelsAStreamThatItsCallerDropped(t *testing.T) {
	client, server := serve(t, echo)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := client.GetFile(ctx, &pluginpb.GetFileRequest{FileId: strings.Repeat("x", 500)})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)
	cancel()
	stopped := make(chan struct{})
	go func() { server.Stop(); close(stopped) }() // waits for every handler
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Fatal("the handler did not end")
	}
}

func TestServerWorksWithTheClientOfThisPackage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.sock")
	listener, err := net.Listen("unix", path)
	require.NoError(t, err)
	server, err := plaincall.NewServer(grpc.NewServer(), encoding.GetCodecV2(proto.Name), new(atomic.Int64))
	require.NoError(t, err)
	pluginpb.RegisterAPIServer(server, &api{plain: echo})
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	conn := plaincall.New(nil, func() (net.Conn, error) { return net.Dial("unix", path) })
	defer conn.Close()
	got, err := delete(t.Context(), pluginpb.NewAPIClient(conn), "both ends")
	require.NoError(t, err)
	require.Equal(t, "both ends", got)
}
