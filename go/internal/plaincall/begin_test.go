package plaincall_test

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// encoded is a message of protobuf that encodes itself.
type encoded struct{ proto.Message }

func (e encoded) Append(b []byte) []byte {
	out, err := proto.MarshalOptions{}.MarshalAppend(b, e.Message)
	if err != nil {
		panic(err)
	}
	return out
}

func (e encoded) Parse(data []byte) error { return proto.Unmarshal(data, e.Message) }

const userWillLogIn = "/mattermost.plugin.v1.Hooks/UserWillLogIn"

// begin begins a call and tells whether it has. then hears what came of it.
func (b *bench) begin(id string, deadline time.Time, then func(answer string, failure error)) bool {
	in := encoded{&pluginpb.UserWillLogInRequest{User: &pluginpb.User{Id: id}}}
	return b.conn.Begin(userWillLogIn, deadline, in, func(data []byte, failure error) {
		out := &pluginpb.UserWillLogInResponse{}
		if failure == nil {
			failure = proto.Unmarshal(data, out)
		}
		then(out.GetRejectionReason(), failure)
	})
}

// begun begins a call and waits for what comes of it.
func (b *bench) begun(t *testing.T, id string, deadline time.Time) (string, error) {
	t.Helper()
	var answer string
	ended := make(chan error, 1)
	require.True(t, b.begin(id, deadline, func(got string, failure error) {
		answer = got
		ended <- failure
	}))
	return answer, <-ended
}

func TestManyCallsAreBegunBesideOthers(t *testing.T) {
	b := start(t, echo)
	var done sync.WaitGroup
	for caller := range 16 {
		done.Go(func() {
			for i := range 200 {
				want := strings.Repeat("x", caller*i)
				var got string
				var err error
				if caller%4 == 0 {
					got, err = b.call(t.Context(), want)
				} else {
					ended := make(chan struct{})
					require.True(t, b.begin(want, time.Now().Add(time.Minute), func(answer string, failure error) {
						got, err = answer, failure
						close(ended)
					}))
					<-ended
				}
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
	done.Wait()
	require.EqualValues(t, 1, b.dialled.Load())
	require.Zero(t, b.general.calls.Load())
}

func TestACallThatWasBegunFailsWithTheStatusOfTheServer(t *testing.T) {
	b := start(t, func(context.Context, string) (string, error) {
		return "", status.Error(codes.FailedPrecondition, "not now")
	})
	_, err := b.begun(t, "", time.Time{})
	require.Equal(t, status.Error(codes.FailedPrecondition, "not now").Error(), err.Error())
}

func TestCallsThatWereBegunEndAtTheirDeadlinesAndAreCancelledAtTheServer(t *testing.T) {
	cancelled := make(chan string, 3)
	b := start(t, func(ctx context.Context, id string) (string, error) {
		if id != "answered" {
			<-ctx.Done()
			cancelled <- id
		}
		return id, nil
	})
	order := make(chan string, 3)
	begin := time.Now()
	for id, after := range map[string]time.Duration{"first": 20, "second": 60, "third": 120} {
		require.True(t, b.begin(id, begin.Add(after*time.Millisecond), func(_ string, failure error) {
			require.Equal(t, codes.DeadlineExceeded, status.Code(failure))
			order <- id
		}))
	}
	got, err := b.begun(t, "answered", begin.Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, "answered", got)
	for _, want := range []string{"first", "second", "third"} {
		require.Equal(t, want, <-order)
		<-cancelled
	}
	require.False(t, b.begin("late", time.Now(), func(string, error) { t.Error("it was not begun") }))
}

func TestWhatCannotBePlainIsNotBegun(t *testing.T) {
	b := start(t, echo)
	never := func(string, error) { t.Error("it was not begun") }
	require.False(t, b.begin(strings.Repeat("x", 20_000), time.Time{}, never))
	require.False(t, plaincall.New(b.general, nil).Begin(userWillLogIn, time.Time{}, encoded{&pluginpb.UserWillLogInRequest{}}, nil))
	b.conn.Close()
	require.False(t, b.begin("", time.Time{}, never))
}

func TestMoreCallsThanTheServerAllowsAreNotBegun(t *testing.T) {
	release := make(chan struct{})
	b := start(t, func(_ context.Context, id string) (string, error) {
		<-release
		return id, nil
	}, grpc.MaxConcurrentStreams(2))
	ended := make(chan error, 3)
	then := func(_ string, failure error) { ended <- failure }
	require.True(t, b.begin("", time.Time{}, then))
	// The first goes before the server has said how many there may be.
	require.Eventually(t, func() bool {
		return !b.begin("", time.Time{}, func(string, error) {})
	}, 10*time.Second, time.Millisecond)
	close(release)
	require.NoError(t, <-ended)
}

func TestALargeResponseDoesNotHoldOthersUp(t *testing.T) {
	large := strings.Repeat("0123456789", 1<<20)
	b := start(t, func(_ context.Context, id string) (string, error) {
		if id == "large" {
			return large, nil
		}
		return id, nil
	})
	release, ended := make(chan struct{}), make(chan struct{})
	require.True(t, b.begin("large", time.Time{}, func(answer string, failure error) {
		<-release
		require.NoError(t, failure)
		require.Len(t, answer, len(large))
		close(ended)
	}))
	got, err := b.begun(t, "small", time.Time{})
	require.NoError(t, err)
	require.Equal(t, "small", got)
	close(release)
	<-ended
}

func TestACallThatWasBegunEndsWithTheConnection(t *testing.T) {
	came, release := make(chan struct{}), make(chan struct{})
	b := start(t, func(_ context.Context, id string) (string, error) {
		if id == "wait" {
			close(came)
			<-release
		}
		return id, nil
	})
	defer close(release)
	go func() {
		<-came
		b.disconnect()
	}()
	_, err := b.begun(t, "wait", time.Time{})
	require.Equal(t, codes.Unavailable, status.Code(err))
	got, err := b.begun(t, "next", time.Time{})
	require.NoError(t, err)
	require.Equal(t, "next", got)
	require.EqualValues(t, 2, b.dialled.Load())
}

// TestWhatTheServerNeverSawHasNotBeenMade has a server that does not read: what is written when the socket is full may have
// been seen by it, what comes after that certainly not.
func TestWhatTheServerNeverSawHasNotBeenMade(t *testing.T) {
	b := start(t, echo)
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	accepted := make(chan net.Conn, 1)
	go func() {
		socket, err := listener.Accept()
		require.NoError(t, err)
		accepted <- socket
	}()
	conn := plaincall.New(b.general, func() (net.Conn, error) {
		socket, err := net.Dial("unix", listener.Addr().String())
		if err == nil {
			err = socket.(*net.UnixConn).SetWriteBuffer(4096)
		}
		return socket, err
	})
	defer conn.Close()
	in := encoded{&pluginpb.UserWillLogInRequest{User: &pluginpb.User{Id: strings.Repeat("x", 600)}}}
	var ended []chan error
	begin := func() {
		how := make(chan error, 1)
		require.True(t, conn.Begin(userWillLogIn, time.Time{}, in, func(_ []byte, failure error) { how <- failure }))
		ended = append(ended, how)
	}
	for range 80 {
		begin()
	}
	time.Sleep(50 * time.Millisecond) // until the socket is full
	begin()
	require.NoError(t, listener.Close())
	require.NoError(t, (<-accepted).Close())
	seen := 0
	for i, how := range ended {
		failure := <-how
		if status.Code(failure) == codes.Unavailable && i == seen {
			seen++
		} else {
			require.ErrorIs(t, failure, plaincall.ErrNotMade, "call %d", i)
		}
	}
	require.Positive(t, seen)
	require.Less(t, seen, len(ended))
	require.False(t, conn.Begin(userWillLogIn, time.Time{}, in, nil), "nobody listens")
}
