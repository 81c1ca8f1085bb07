package muxtap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/sockettest"
)

func config() *yamux.Config {
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	return config
}

// link is a connection with hashicorp's sessions at both ends, the near one over a tap.
type link struct {
	t         testing.TB
	tap       *Tap
	near, far *yamux.Session
}

// connect makes a link. socket and session may change what the tap, and the session, reads and writes.
func connect(t testing.TB, config *yamux.Config, socket func(net.Conn) net.Conn, session func(io.ReadWriteCloser) io.ReadWriteCloser) *link {
	t.Helper()
	near, far := sockettest.Pair(t)
	if socket != nil {
		near = socket(near)
	}
	l := &link{t: t, tap: New(near)}
	var conn io.ReadWriteCloser = l.tap
	if session != nil {
		conn = session(conn)
	}
	var err error
	l.near, err = yamux.Server(conn, config)
	require.NoError(t, err)
	l.far, err = yamux.Client(far, config)
	require.NoError(t, err)
	t.Cleanup(func() { l.far.Close(); l.near.Close() })
	return l
}

// dialTo dials a number as go-plugin's broker does.
func dialTo(t testing.TB, session *yamux.Session, number uint32) net.Conn {
	t.Helper()
	stream, err := session.Open()
	require.NoError(t, err)
	require.NoError(t, binary.Write(stream, binary.LittleEndian, number))
	var answer uint32
	require.NoError(t, binary.Read(stream, binary.LittleEndian, &answer))
	require.Equal(t, number, answer)
	return stream
}

// accept accepts a number, whichever it is, as go-plugin's broker does.
func accept(t testing.TB, session *yamux.Session) net.Conn {
	t.Helper()
	stream, err := session.Accept()
	require.NoError(t, err)
	var number uint32
	require.NoError(t, binary.Read(stream, binary.LittleEndian, &number))
	require.NoError(t, binary.Write(stream, binary.LittleEndian, number))
	return stream
}

// pair returns the ends of a new stream that is dialled: by the far side, else by the near one.
func (l *link) pair(number uint32, byFar bool) (near, far net.Conn) {
	l.t.Helper()
	dials, accepts := l.near, l.far
	if byFar {
		dials, accepts = l.far, l.near
	}
	accepted := make(chan net.Conn, 1)
	go func() { accepted <- accept(l.t, accepts) }()
	dialled := dialTo(l.t, dials, number)
	if byFar {
		return <-accepted, dialled
	}
	return dialled, <-accepted
}

// expect returns where the tap puts a stream.
func expect(tap *Tap, number uint32, byFar bool) <-chan *Stream {
	taken := make(chan *Stream, 1)
	put := func(stream *Stream) { taken <- stream }
	if byFar {
		tap.Expect(number, put)
	} else {
		tap.ExpectDial(number, put)
	}
	return taken
}

// taken returns the ends of a new stream that the tap takes.
func (l *link) taken(number uint32, byFar bool) (near *Stream, far net.Conn) {
	l.t.Helper()
	taken := expect(l.tap, number, byFar)
	_, far = l.pair(number, byFar)
	return receive(l.t, taken), far
}

// receive returns a stream that has been taken already.
func receive(t testing.TB, taken <-chan *Stream) *Stream {
	t.Helper()
	select {
	case stream := <-taken:
		return stream
	default:
		t.Fatal("the stream was not taken")
		return nil
	}
}

// content is different for each seed.
func content(seed int64, size int) []byte {
	out := make([]byte, size)
	rand.New(rand.NewSource(seed)).Read(out)
	return out
}

// both sends content of that size from each end to the other, in pieces of random sizes, and compares what arrives.
func both(t testing.TB, near, far io.ReadWriter, seed int64, size int) {
	var group sync.WaitGroup
	send := func(to io.Writer, seed int64) {
		pieces := rand.New(rand.NewSource(seed))
		for rest := content(seed, size); len(rest) > 0; {
			piece := min(len(rest), 1+pieces.Intn(1<<(1+pieces.Intn(19))))
			if n, err := to.Write(rest[:piece]); n != piece || err != nil {
				t.Errorf("wrote %d of %d: %v", n, piece, err)
				return
			}
			rest = rest[piece:]
		}
	}
	check := func(from io.Reader, seed int64) {
		got := make([]byte, size)
		if _, err := io.ReadFull(from, got); err != nil || !bytes.Equal(got, content(seed, size)) {
			t.Errorf("what arrived is something else (%v)", err)
		}
	}
	group.Go(func() { send(near, seed) })
	group.Go(func() { send(far, -seed) })
	group.Go(func() { check(far, seed) })
	group.Go(func() { check(near, -seed) })
	group.Wait()
}

// settled waits until there are no more goroutines than before.
func settled(t testing.TB, before int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// sides names who dials.
var sides = map[string]bool{"the other side": true, "this side": false}

func TestAStreamIsTakenWhoeverDialsIt(t *testing.T) {
	for name, byFar := range sides {
		t.Run(name, func(t *testing.T) {
			l := connect(t, config(), nil, nil)
			near, far := l.taken(7, byFar)
			both(t, near, far, 1, 10<<20)
			both(t, near, far, 2, 1)
		})
	}
}

func TestAllStreamsCarryWhatTheyAreGivenSideBySide(t *testing.T) {
	l := connect(t, config(), nil, nil)
	type ends struct{ near, far io.ReadWriter }
	var all []ends
	for number := range uint32(24) {
		byFar := number%2 == 0
		if number%4 < 2 {
			near, far := l.taken(number+1, byFar)
			all = append(all, ends{near, far})
		} else {
			near, far := l.pair(number+1, byFar)
			all = append(all, ends{near, far})
		}
	}
	var group sync.WaitGroup
	sizes := rand.New(rand.NewSource(3))
	for i, stream := range all {
		size := sizes.Intn(400_000)
		if i < 4 {
			size = 10 << 20
		}
		group.Go(func() { both(t, stream.near, stream.far, int64(i+1), size) })
	}
	group.Wait()
	_, err := l.far.Ping()
	require.NoError(t, err)
	_, err = l.near.Ping()
	require.NoError(t, err)
}

// octets is a connection on which everything is read and written one octet at a time.
type octets struct{ io.ReadWriteCloser }

func (o octets) Read(p []byte) (int, error) { return o.ReadWriteCloser.Read(p[:min(len(p), 1)]) }

func (o octets) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := o.ReadWriteCloser.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// octetSocket is octets that is a socket.
type octetSocket struct {
	net.Conn
	octets octets
}

func (o octetSocket) Read(p []byte) (int, error)  { return o.octets.Read(p) }
func (o octetSocket) Write(p []byte) (int, error) { return o.octets.Write(p) }

func TestItDoesNotMatterInWhichPiecesOctetsCome(t *testing.T) {
	socket := func(conn net.Conn) net.Conn { return octetSocket{conn, octets{conn}} }
	session := func(conn io.ReadWriteCloser) io.ReadWriteCloser { return octets{conn} }
	for name, byFar := range sides {
		t.Run(name, func(t *testing.T) {
			l := connect(t, config(), socket, session)
			near, far := l.taken(1, byFar)
			otherNear, otherFar := l.pair(2, byFar)
			var group sync.WaitGroup
			group.Go(func() { both(t, near, far, 1, 20_000) })
			group.Go(func() { both(t, otherNear, otherFar, 2, 20_000) })
			group.Wait()
			require.NoError(t, far.Close())
			rest, err := io.ReadAll(near)
			require.NoError(t, err)
			require.Empty(t, rest)
		})
	}
}

func TestWindowsMayBeLargerThanTheyBegin(t *testing.T) {
	large := config()
	large.MaxStreamWindowSize = 4 << 20
	for name, byFar := range sides {
		t.Run(name, func(t *testing.T) {
			l := connect(t, large, nil, nil)
			near, far := l.taken(1, byFar)
			both(t, near, far, 1, 10<<20)
		})
	}
}

func TestNumbersOfTheTwoSidesAreNotTheSame(t *testing.T) {
	for name, byFar := range sides {
		t.Run(name, func(t *testing.T) {
			l := connect(t, config(), nil, nil)
			taken := expect(l.tap, 5, byFar)
			near, far := l.pair(5, !byFar)
			both(t, near, far, 1, 1000)
			require.Empty(t, taken)
			_, far = l.pair(5, byFar)
			both(t, receive(t, taken), far, 2, 1000)
		})
	}
}

func TestANumberIsTakenOnce(t *testing.T) {
	l := connect(t, config(), nil, nil)
	taken, far := l.taken(5, true)
	near, far2 := l.pair(5, true)
	both(t, near, far2, 1, 1000)
	both(t, taken, far, 2, 1000)
}

func TestWhatWasSentBeforeTheEndIsReadAndAnswered(t *testing.T) {
	for name, byFar := range sides {
		t.Run(name, func(t *testing.T) {
			l := connect(t, config(), nil, nil)
			near, far := l.taken(1, byFar)
			want := content(1, 100_000)
			_, err := far.Write(want)
			require.NoError(t, err)
			require.NoError(t, far.Close())
			got, err := io.ReadAll(near)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got))

			_, err = near.Write(want)
			require.NoError(t, err)
			require.NoError(t, near.Close())
			got, err = io.ReadAll(far)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got))
			_, err = l.far.Ping()
			require.NoError(t, err)
		})
	}
}

func TestTheEndOfTheSessionsStreamIsNotTheEndOfATakenOne(t *testing.T) {
	l := connect(t, config(), nil, nil)
	taken := expect(l.tap, 1, true)
	sessions, far := l.pair(1, true)
	near := receive(t, taken)
	require.NoError(t, sessions.Close())
	both(t, near, far, 1, 1000)
	require.NoError(t, near.Close())
	_, err := far.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, far.Close())
	_, err = l.far.Ping()
	require.NoError(t, err)
}

func TestAStreamThatIsClosedReadsAndWritesNoMore(t *testing.T) {
	l := connect(t, config(), nil, nil)
	near, far := l.taken(1, true)
	reads, writes := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := near.Read(make([]byte, 1))
		reads <- err
	}()
	go func() {
		_, err := near.Write(make([]byte, 1<<20)) // more than the window
		writes <- err
	}()
	_, err := io.ReadFull(far, make([]byte, 100)) // it has begun
	require.NoError(t, err)
	require.NoError(t, near.Close())
	require.NoError(t, near.Close())
	require.ErrorIs(t, <-reads, io.ErrClosedPipe)
	require.ErrorIs(t, <-writes, io.ErrClosedPipe)
}

func TestEverythingEndsWithTheConnection(t *testing.T) {
	for name, end := range map[string]func(l *link){
		"the other session": func(l *link) { require.NoError(l.t, l.far.Close()) },
		"this session":      func(l *link) { require.NoError(l.t, l.near.Close()) },
		"the tap":           func(l *link) { require.NoError(l.t, l.tap.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			l := connect(t, config(), nil, nil)
			var ends sync.WaitGroup
			for number := range uint32(4) {
				near, far := l.taken(number+1, number%2 == 0)
				ends.Go(func() {
					if _, err := near.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
						t.Errorf("reading ended with %v", err)
					}
				})
				ends.Go(func() {
					if _, err := near.Write(make([]byte, 1<<20)); err == nil {
						t.Error("writing did not end")
					}
				})
				_, err := io.ReadFull(far, make([]byte, 100))
				require.NoError(t, err)
			}
			end(l)
			ends.Wait()
			l.near.Close()
			l.far.Close()
			_, err := l.tap.Write(make([]byte, headerSize))
			require.Error(t, err)
			settled(t, before)
		})
	}
}

func TestASessionThatGoesAwayOpensNoMoreStreams(t *testing.T) {
	l := connect(t, config(), nil, nil)
	near, far := l.taken(1, true)
	require.NoError(t, l.near.GoAway())
	_, err := l.far.Ping() // it is behind
	require.NoError(t, err)
	_, err = l.far.Open()
	require.ErrorIs(t, err, yamux.ErrRemoteGoAway)
	both(t, near, far, 1, 1000)
	require.NoError(t, l.far.GoAway())
	_, err = l.near.Ping()
	require.NoError(t, err)
	_, err = l.near.Open()
	require.ErrorIs(t, err, yamux.ErrRemoteGoAway)
}

func TestAnOtherSideThatReadsNothingDoesNotKeepTheConnectionOpen(t *testing.T) {
	before := runtime.NumGoroutine()
	near, far := sockettest.Pair(t)
	tap := New(near)
	session, err := yamux.Server(tap, config())
	require.NoError(t, err)
	var blocked sync.WaitGroup
	var streams []net.Conn
	for range 8 {
		stream, err := session.Open()
		require.NoError(t, err)
		streams = append(streams, stream)
	}
	for _, stream := range streams {
		blocked.Go(func() {
			if _, err := stream.Write(make([]byte, 1<<20)); err == nil {
				t.Error("all was written")
			}
		})
	}
	require.NoError(t, session.Close())
	blocked.Wait()
	require.NoError(t, far.Close())
	settled(t, before)
}
