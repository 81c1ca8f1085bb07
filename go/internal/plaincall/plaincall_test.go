package plaincall_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
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
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// hooks is a gRPC server of grpc-go whose one hook does what the test says.
type hooks struct {
	pluginpb.UnimplementedHooksServer
	answer func(context.Context, string) (string, error)
}

func (h *hooks) UserWillLogIn(ctx context.Context, in *pluginpb.UserWillLogInRequest) (*pluginpb.UserWillLogInResponse, error) {
	out, err := h.answer(ctx, in.GetUser().GetId())
	return &pluginpb.UserWillLogInResponse{RejectionReason: out}, err
}

// general counts the calls that go the general way.
type general struct {
	*grpc.ClientConn
	calls atomic.Int32
}

func (g *general) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	g.calls.Add(1)
	return g.ClientConn.Invoke(ctx, method, args, reply, options...)
}

type bench struct {
	server    *grpc.Server
	general   *general
	conn      *plaincall.Conn
	dialled   atomic.Int32
	lock      sync.Mutex
	accepted  []net.Conn
	forgotten int
}

// disconnect closes the connections that the server has accepted since the last time.
func (b *bench) disconnect() {
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, socket := range b.accepted[b.forgotten:] {
		_ = socket.Close()
	}
	b.forgotten = len(b.accepted)
}

// listener keeps what it accepts.
type listener struct {
	net.Listener
	bench *bench
}

func (l *listener) Accept() (net.Conn, error) {
	socket, err := l.Listener.Accept()
	if err == nil {
		l.bench.lock.Lock()
		l.bench.accepted = append(l.bench.accepted, socket)
		l.bench.lock.Unlock()
	}
	return socket, err
}

func start(t *testing.T, answer func(context.Context, string) (string, error), options ...grpc.ServerOption) *bench {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server.sock")
	socket, err := net.Listen("unix", path)
	require.NoError(t, err)
	b := &bench{server: grpc.NewServer(append(options, grpc.MaxRecvMsgSize(1<<30), grpc.MaxSendMsgSize(1<<30))...)}
	pluginpb.RegisterHooksServer(b.server, &hooks{answer: answer})
	go func() { _ = b.server.Serve(&listener{socket, b}) }()
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30), grpc.MaxCallSendMsgSize(1<<30)))
	require.NoError(t, err)
	b.general = &general{ClientConn: conn}
	b.conn = plaincall.New(b.general, func() (net.Conn, error) {
		b.dialled.Add(1)
		return net.Dial("unix", path)
	})
	t.Cleanup(func() {
		b.conn.Close()
		_ = conn.Close()
		b.server.Stop()
	})
	return b
}

func (b *bench) call(ctx context.Context, id string, options ...grpc.CallOption) (string, error) {
	out, err := pluginpb.NewHooksClient(b.conn).UserWillLogIn(ctx, &pluginpb.UserWillLogInRequest{User: &pluginpb.User{Id: id}}, options...)
	return out.GetRejectionReason(), err
}

func echo(_ context.Context, id string) (string, error) { return id, nil }

func TestACallReturnsItsResponseWithoutTheGeneralConnection(t *testing.T) {
	b := start(t, echo)
	var reached peer.Peer
	got, err := b.call(t.Context(), "one", grpc.Peer(&reached), grpc.WaitForReady(true))
	require.NoError(t, err)
	require.Equal(t, "one", got)
	require.NotNil(t, reached.Addr)
	require.Zero(t, b.general.calls.Load())
}

func TestManyCallsAtOnceShareAConnectionAndKeepTheirResponsesApart(t *testing.T) {
	b := start(t, echo)
	var done sync.WaitGroup
	for caller := range 32 {
		done.Go(func() {
			for i := range 200 {
				want := fmt.Sprintf("%d/%d/%s", caller, i, strings.Repeat("x", i*20))
				got, err := b.call(t.Context(), want)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
	done.Wait()
	require.EqualValues(t, 1, b.dialled.Load())
}

func TestAStatusArrivesWithItsDetails(t *testing.T) {
	b := start(t, func(context.Context, string) (string, error) {
		failed, err := status.New(codes.FailedPrecondition, "nö: 100 %\n").WithDetails(&errdetails.ErrorInfo{Reason: "because"})
		if err != nil {
			return "", err
		}
		return "", failed.Err()
	})
	_, err := b.call(t.Context(), "")
	got := status.Convert(err)
	require.Equal(t, codes.FailedPrecondition, got.Code())
	require.Equal(t, "nö: 100 %\n", got.Message())
	require.Len(t, got.Details(), 1)
	require.True(t, proto.Equal(&errdetails.ErrorInfo{Reason: "because"}, got.Details()[0].(proto.Message)))
	require.Zero(t, b.general.calls.Load())
}

func TestAnUnknownMethodIsUnimplemented(t *testing.T) {
	b := start(t, echo)
	err := b.conn.Invoke(t.Context(), "/no.Service/Method", &pluginpb.UserWillLogInRequest{}, &pluginpb.UserWillLogInResponse{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
}

func TestTheServerKnowsTheDeadlineAndTheCallEndsWithIt(t *testing.T) {
	left := make(chan time.Duration, 1)
	cancelled := make(chan struct{})
	b := start(t, func(ctx context.Context, _ string) (string, error) {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
		<-ctx.Done()
		close(cancelled)
		return "", ctx.Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := b.call(ctx, "")
	require.Equal(t, codes.DeadlineExceeded, status.Code(err))
	seen := <-left
	require.Greater(t, seen, time.Duration(0))
	require.LessOrEqual(t, seen, 2010*time.Millisecond)
	<-cancelled
}

func TestALongDeadlineIsAnnouncedInSecondsRoundedUp(t *testing.T) {
	left := make(chan time.Duration, 1)
	b := start(t, func(ctx context.Context, _ string) (string, error) {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
		return "", nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := b.call(ctx, "")
	require.NoError(t, err)
	seen := <-left
	require.Greater(t, seen, 20*time.Second)
	require.LessOrEqual(t, seen, 30*time.Second)
}

func TestACancelledCallIsCancelledAtTheServerAndOthersGoOn(t *testing.T) {
	started, cancelled := make(chan struct{}), make(chan struct{})
	b := start(t, func(ctx context.Context, id string) (string, error) {
		if id == "wait" {
			close(started)
			<-ctx.Done()
			close(cancelled)
		}
		return id, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	_, err := b.call(ctx, "wait")
	require.Equal(t, codes.Canceled, status.Code(err))
	<-cancelled
	got, err := b.call(t.Context(), "next")
	require.NoError(t, err)
	require.Equal(t, "next", got)
	require.EqualValues(t, 1, b.dialled.Load())
}

func TestALargeRequestGoesTheGeneralWayAndALargeResponseComesBack(t *testing.T) {
	large := strings.Repeat("0123456789", 3<<20)
	b := start(t, func(_ context.Context, id string) (string, error) {
		if id == "want" {
			return large, nil
		}
		return id[:10], nil
	})
	got, err := b.call(t.Context(), large)
	require.NoError(t, err)
	require.Equal(t, large[:10], got)
	require.EqualValues(t, 1, b.general.calls.Load())

	for range 3 { // more than the window of a stream, and in sum of several of them
		got, err = b.call(t.Context(), "want")
		require.NoError(t, err)
		require.Len(t, got, len(large))
	}
	require.EqualValues(t, 1, b.general.calls.Load())
}

func TestTextThatIsNoUTF8IsLeftToTheGeneralConnection(t *testing.T) {
	b := start(t, echo)
	_, err := b.call(t.Context(), "\xff")
	require.Error(t, err) // grpc-go's own codec refuses it; the one of the host's service does not
	require.EqualValues(t, 1, b.general.calls.Load())
}

func TestMoreCallsThanTheServerAllowsGoTheGeneralWay(t *testing.T) {
	release := make(chan struct{})
	b := start(t, func(_ context.Context, id string) (string, error) {
		<-release
		return id, nil
	}, grpc.MaxConcurrentStreams(2))
	var done sync.WaitGroup
	for range 6 {
		done.Go(func() {
			_, err := b.call(t.Context(), "x")
			require.NoError(t, err)
		})
	}
	require.Eventually(t, func() bool { return b.general.calls.Load() >= 2 }, time.Minute, time.Millisecond)
	close(release)
	done.Wait()
}

func TestALostServerIsUnavailableForCallsThatRun(t *testing.T) {
	started := make(chan struct{})
	b := start(t, func(ctx context.Context, _ string) (string, error) {
		close(started)
		<-ctx.Done()
		return "", ctx.Err()
	})
	go func() { <-started; b.server.Stop() }()
	_, err := b.call(t.Context(), "x")
	require.Equal(t, codes.Unavailable, status.Code(err))
}

func TestAServerThatShutsDownGracefullyLosesNoCall(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	b := start(t, func(_ context.Context, id string) (string, error) {
		close(started)
		<-release
		return id, nil
	})
	stopped := make(chan struct{})
	go func() {
		<-started
		go func() { b.server.GracefulStop(); close(stopped) }()
		time.Sleep(50 * time.Millisecond) // let GOAWAY come before the response
		close(release)
	}()
	got, err := b.call(t.Context(), "last")
	require.NoError(t, err)
	require.Equal(t, "last", got)
	<-stopped
}

func TestClosingLeavesNoGoroutine(t *testing.T) {
	b := start(t, echo)
	_, err := b.call(t.Context(), "x")
	require.NoError(t, err)
	b.conn.Close()
	requireNobodyReads(t)
}

// requireNobodyReads waits until no goroutine reads from a link. Other goroutines, of grpc-go and of the runtime, come
// and go.
func requireNobodyReads(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "plaincall.(*link).read")
	}, time.Minute, 10*time.Millisecond)
}
