package plaincall_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// forwarded is a call that was begun.
type forwarded struct {
	*plaincall.ServerCall
	key string
}

func (f forwarded) answer(text string) {
	f.Answer(encoded{&pluginpb.KVDeleteResponse{Error: &pluginpb.AppError{Message: text}}}, nil)
}

// forwarding is a server that forwards calls of one method. While it is busy, which it is until release, all are.
type forwarding struct {
	pluginpb.APIClient
	path     string
	underWay atomic.Int64
	handled  atomic.Int64 // by the method's handler
	release  func()
}

// held is the key of the call that keeps it busy.
const held = "held"

func startForwarding(t *testing.T, begin func(forwarded) bool) *forwarding {
	t.Helper()
	f := &forwarding{}
	came, released := make(chan struct{}), make(chan struct{})
	server, err := plaincall.NewServer(grpc.NewServer(grpc.MaxRecvMsgSize(1<<30)), encoding.GetCodecV2(encodingproto.Name), &f.underWay)
	require.NoError(t, err)
	pluginpb.RegisterAPIServer(server, &api{plain: func(_ context.Context, key string) (string, error) {
		f.handled.Add(1)
		if key == held {
			close(came)
			<-released
		}
		return key, nil
	}})
	server.Forward("/mattermost.plugin.v1.API/KVDelete", func(call *plaincall.ServerCall) bool {
		in := &pluginpb.KVDeleteRequest{}
		require.NoError(t, call.Parse(encoded{in}))
		return begin(forwarded{call, in.GetKey()})
	})
	t.Cleanup(func() { require.Zero(t, f.underWay.Load()) })
	f.APIClient, f.path = connect(t, server)
	answered := make(chan error, 1)
	go func() {
		_, err := delete(context.Background(), f, held)
		answered <- err
	}()
	<-came
	f.release = sync.OnceFunc(func() {
		close(released)
		require.NoError(t, <-answered)
	})
	t.Cleanup(f.release)
	return f
}

func TestCallsAreForwardedWhileOthersAreUnderWay(t *testing.T) {
	f := startForwarding(t, func(call forwarded) bool {
		go call.answer(call.key)
		return true
	})
	var all sync.WaitGroup
	for caller := range 16 {
		all.Go(func() {
			for n := range 100 {
				want := strings.Repeat("x", 1+caller*n)
				got, err := delete(t.Context(), f, want)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, f.handled.Load(), "only the one that was held")
	f.release()
	got, err := delete(t.Context(), f, "alone")
	require.NoError(t, err)
	require.Equal(t, "alone", got)
	require.EqualValues(t, 2, f.handled.Load())
}

func TestWhatIsNotBegunIsHandled(t *testing.T) {
	f := startForwarding(t, func(forwarded) bool { return false })
	got, err := delete(t.Context(), f, "handled")
	require.NoError(t, err)
	require.Equal(t, "handled", got)
	large := strings.Repeat("x", 100_000)
	got, err = delete(t.Context(), f, large)
	require.NoError(t, err)
	require.Equal(t, large, got)
	require.EqualValues(t, 3, f.handled.Load())
}

func TestAForwardedCallFailsWithItsTrailers(t *testing.T) {
	f := startForwarding(t, func(call forwarded) bool {
		if err := grpc.SetTrailer(call.Context(), metadata.Pairs("minimum-version", "11.5")); err != nil {
			t.Error(err)
		}
		if call.key == "status" {
			call.Answer(nil, status.Error(codes.Unimplemented, "not there"))
		} else {
			call.Answer(nil, errors.New("something else"))
		}
		return true
	})
	for key, want := range map[string]codes.Code{"status": codes.Unimplemented, "error": codes.Unknown} {
		var trailer metadata.MD
		_, err := delete(t.Context(), f, key, grpc.Trailer(&trailer))
		require.Equal(t, want, status.Code(err))
		require.Equal(t, []string{"11.5"}, trailer.Get("minimum-version"))
	}
}

func TestALargeAnswerOfAForwardedCallIsSentAsTheClientTakesIt(t *testing.T) {
	large := strings.Repeat("0123456789", 1<<20)
	f := startForwarding(t, func(call forwarded) bool {
		call.answer(large)
		return true
	})
	for range 3 {
		got, err := delete(t.Context(), f, "")
		require.NoError(t, err)
		require.Len(t, got, len(large))
	}
}

// TestForwardedCallsEndAtTheirDeadlines has a client that does not look at the clock, as those that the deadline is for.
func TestForwardedCallsEndAtTheirDeadlines(t *testing.T) {
	calls := make(chan forwarded, 3)
	f := startForwarding(t, func(call forwarded) bool {
		calls <- call
		return true
	})
	socket, err := net.Dial("unix", f.path)
	require.NoError(t, err)
	defer socket.Close()
	out := bytes.NewBufferString(http2.ClientPreface) // which comes at once, so that none of the calls is alone
	framer := http2.NewFramer(out, socket)
	require.NoError(t, framer.WriteSettings())
	message := encoded{&pluginpb.KVDeleteRequest{Key: "k"}}.Append(make([]byte, 5))
	message[4] = byte(len(message) - 5)
	var block bytes.Buffer
	fields := hpack.NewEncoder(&block)
	for i, timeout := range []string{"120m", "30m", "60m"} {
		block.Reset()
		for _, field := range [][2]string{
			{":method", "POST"}, {":scheme", "http"}, {":path", "/mattermost.plugin.v1.API/KVDelete"}, {":authority", "x"},
			{"content-type", "application/grpc"}, {"te", "trailers"}, {"grpc-timeout", timeout},
		} {
			require.NoError(t, fields.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}))
		}
		stream := uint32(2*i + 1)
		require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true}))
		require.NoError(t, framer.WriteData(stream, true, message))
	}
	_, err = out.WriteTo(socket)
	require.NoError(t, err)
	decoder := hpack.NewDecoder(4096, nil)
	var order []uint32
	for len(order) < 3 {
		frame, err := framer.ReadFrame()
		require.NoError(t, err)
		if headers, ok := frame.(*http2.HeadersFrame); ok {
			fields, err := decoder.DecodeFull(headers.HeaderBlockFragment())
			require.NoError(t, err)
			require.Contains(t, fields, hpack.HeaderField{Name: "grpc-status", Value: "4"})
			order = append(order, headers.StreamID)
		}
	}
	require.Equal(t, []uint32{3, 5, 1}, order)
	for range 3 {
		(<-calls).answer("late")
	}
}

func TestForwardedCallsThatAreCancelledAreAnsweredForNobody(t *testing.T) {
	calls := make(chan forwarded, 1)
	f := startForwarding(t, func(call forwarded) bool {
		if call.key == "next" {
			call.answer("next")
		} else {
			calls <- call
		}
		return true
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := delete(ctx, f, "cancelled")
		ended <- err
	}()
	call := <-calls
	cancel()
	require.Equal(t, codes.Canceled, status.Code(<-ended))
	time.Sleep(10 * time.Millisecond) // so that the server hears of it
	call.answer("late")
	got, err := delete(t.Context(), f, "next")
	require.NoError(t, err)
	require.Equal(t, "next", got)
}
