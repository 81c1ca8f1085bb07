package plaincall_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

const (
	piece = 256 << 10

	// inTransit is what may be on its way through the server and what is inside it: the windows of two streams and the
	// buffers of two connections, and a message beyond each.
	inTransit = 8 << 20

	// muchMore is more than any buffer holds.
	muchMore = 64 << 20
)

// stalled waits until a count grows no more, and returns it.
func stalled(count *atomic.Int64) int64 {
	for last := int64(-1); ; {
		now := count.Load()
		if now == last && now > 0 {
			return now
		}
		last = now
		time.Sleep(100 * time.Millisecond)
	}
}

func TestServerTakesNoMoreOfARequestThanItsHandlerReads(t *testing.T) {
	read := make(chan struct{})
	client, _ := serveAPI(t, &api{plain: echo, upload: func(stream uploadStream) error {
		var size int64
		for {
			<-read
			in, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return stream.SendAndClose(&pluginpb.UploadFileResponse{Result: &pluginpb.FileInfo{Size: size}})
			}
			if err != nil {
				return err
			}
			size += int64(len(in.GetChunk()))
		}
	}})
	stream, err := client.UploadFile(t.Context())
	require.NoError(t, err)
	var sent atomic.Int64
	ended := make(chan error, 1)
	go func() {
		chunk := &pluginpb.UploadFileRequest{Part: &pluginpb.UploadFileRequest_Chunk{Chunk: make([]byte, piece)}}
		for sent.Load() < muchMore {
			if err := stream.Send(chunk); err != nil {
				ended <- err
				return
			}
			sent.Add(piece)
		}
		ended <- nil
	}()

	unread := stalled(&sent)
	require.LessOrEqual(t, unread, int64(inTransit), "nothing has been read")
	// Others are not held up meanwhile.
	got, err := delete(t.Context(), client, "plain")
	require.NoError(t, err)
	require.Equal(t, "plain", got)
	// As much as is read is taken again, and no more.
	const some = 8
	for range some {
		read <- struct{}{}
		stalled(&sent)
	}
	require.LessOrEqual(t, sent.Load(), int64(some*piece+inTransit))

	close(read)
	require.NoError(t, <-ended)
	out, err := stream.CloseAndRecv()
	require.NoError(t, err)
	require.EqualValues(t, muchMore, out.GetResult().GetSize())
}

func TestServerSendsNoMoreOfAResponseThanItsCallerReads(t *testing.T) {
	var sent atomic.Int64
	ended := make(chan error, 1)
	client, _ := serveAPI(t, &api{plain: echo, download: func(stream downloadStream) error {
		chunk := &pluginpb.GetFileResponse{Part: &pluginpb.GetFileResponse_Chunk{Chunk: bytes.Repeat([]byte("x"), piece)}}
		for sent.Load() < muchMore {
			if err := stream.Send(chunk); err != nil {
				ended <- err
				return err
			}
			sent.Add(piece)
		}
		ended <- nil
		return nil
	}})
	stream, err := client.GetFile(t.Context(), &pluginpb.GetFileRequest{})
	require.NoError(t, err)
	require.LessOrEqual(t, stalled(&sent), int64(inTransit), "nothing has been read")
	got, err := delete(t.Context(), client, "plain")
	require.NoError(t, err)
	require.Equal(t, "plain", got)

	size := 0
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		size += len(in.GetChunk())
	}
	require.NoError(t, <-ended)
	require.Equal(t, muchMore, size)
}

func TestServerEndsAHandlerWhoseCallerLeavesWhileItCannotSend(t *testing.T) {
	var sent atomic.Int64
	ended := make(chan error, 1)
	client, _ := serveAPI(t, &api{plain: echo, download: func(stream downloadStream) error {
		for {
			chunk := &pluginpb.GetFileResponse_Chunk{Chunk: make([]byte, piece)}
			if err := stream.Send(&pluginpb.GetFileResponse{Part: chunk}); err != nil {
				ended <- err
				return err
			}
			sent.Add(piece)
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := client.GetFile(ctx, &pluginpb.GetFileRequest{})
	require.NoError(t, err)
	stalled(&sent)
	cancel()
	require.Equal(t, codes.Canceled, status.Code(<-ended))
}
