package muxtap

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/hashicorp/yamux"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/sockettest"
)

const (
	typePing = 2
	flagACK  = 2
)

// peer is the other side of a tap, frame by frame. This side has hashicorp's session.
type peer struct {
	t       *testing.T
	tap     *Tap
	session *yamux.Session
	conn    net.Conn
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	near, far := sockettest.Pair(t)
	p := &peer{t: t, tap: New(near), conn: far}
	one := config()
	one.AcceptBacklog = 1 // stream that is not acknowledged
	var err error
	p.session, err = yamux.Server(p.tap, one)
	require.NoError(t, err)
	t.Cleanup(func() { p.session.Close() })
	return p
}

func (p *peer) send(h header, content ...byte) {
	p.t.Helper()
	if h.kind == typeData {
		h.length = uint32(len(content))
	}
	_, err := p.conn.Write(append(h.append(nil), content...))
	require.NoError(p.t, err)
}

// next returns the next frame that comes.
func (p *peer) next() (header, []byte) {
	p.t.Helper()
	raw := make([]byte, headerSize)
	_, err := io.ReadFull(p.conn, raw)
	require.NoError(p.t, err)
	h := parseHeader(raw)
	content := make([]byte, h.content())
	_, err = io.ReadFull(p.conn, content)
	require.NoError(p.t, err)
	return h, content
}

// nothingMore makes sure that the tap has nothing to say: the answer to a ping comes next.
func (p *peer) nothingMore() {
	p.t.Helper()
	p.send(header{kind: typePing, flags: flagSYN, length: 99})
	h, _ := p.next()
	require.Equal(p.t, header{kind: typePing, flags: flagACK, length: 99}, h)
}

func number(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

// accepting accepts a stream beside, and returns what waits until that is done.
func (p *peer) accepting() (wait func()) {
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		accept(p.t, p.session)
	}()
	return func() { <-accepted }
}

// dial dials a number; with is said on the frame that opens the stream.
func (p *peer) dial(stream, n uint32, with header) {
	p.t.Helper()
	with.kind, with.flags, with.stream = typeWindow, flagSYN, stream
	p.send(with)
	defer p.accepting()()
	h, _ := p.next()
	require.Equal(p.t, header{kind: typeWindow, flags: flagACK, stream: stream}, h)
	p.send(header{stream: stream}, number(n)...)
	h, content := p.next()
	require.Equal(p.t, header{stream: stream, length: numberSize}, h)
	require.Equal(p.t, number(n), content)
}

// taken returns stream 1, which was dialled.
func (p *peer) taken() *Stream {
	p.t.Helper()
	taken := expect(p.tap, 7, true)
	p.dial(1, 7, header{})
	return receive(p.t, taken)
}

// isOver makes sure that the connection ends, and the stream with it.
func (p *peer) isOver(stream *Stream) {
	p.t.Helper()
	<-p.session.CloseChan()
	_, err := io.ReadAll(stream)
	require.NoError(p.t, err)
	_, err = stream.Write([]byte{1})
	require.Error(p.t, err)
}

// data returns how much came on stream 1 in the next frames, which are as many as it takes.
func (p *peer) data(size int) {
	p.t.Helper()
	for got := 0; got < size; {
		h, content := p.next()
		require.Equal(p.t, header{stream: 1, length: uint32(len(content))}, h)
		got += len(content)
		require.LessOrEqual(p.t, got, size)
	}
}

func TestNoMoreIsSentThanTheOtherSideTakes(t *testing.T) {
	for name, test := range map[string]struct{ atOpening, beforeNumber uint32 }{
		"the initial window":             {},
		"more room at the opening":       {atOpening: 1000},
		"more room later, but before it": {beforeNumber: 500},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			taken := expect(p.tap, 7, true)
			if test.beforeNumber > 0 {
				p.send(header{kind: typeWindow, flags: flagSYN, stream: 1})
				wait := p.accepting()
				_, _ = p.next()
				p.send(header{kind: typeWindow, stream: 1, length: test.beforeNumber})
				p.send(header{stream: 1}, number(7)...)
				_, _ = p.next()
				wait()
			} else {
				p.dial(1, 7, header{length: test.atOpening})
			}
			stream := receive(t, taken)
			const size = 1 << 20
			done := make(chan error, 1)
			go func() {
				_, err := stream.Write(make([]byte, size))
				done <- err
			}()
			first := initialWindow - numberSize + int(test.atOpening+test.beforeNumber)
			p.data(first)
			p.nothingMore()
			p.send(header{kind: typeWindow, stream: 1, length: 10})
			p.data(10)
			p.nothingMore()
			p.send(header{kind: typeWindow, stream: 1, length: size})
			p.data(size - first - 10)
			require.NoError(t, <-done)
			p.nothingMore()
		})
	}
}

func TestTheOtherSideIsGivenRoomForWhatWasRead(t *testing.T) {
	p := newPeer(t)
	stream := p.taken()
	sent := content(1, initialWindow-numberSize)
	p.send(header{stream: 1}, sent...)
	got := make([]byte, initialWindow/2-1)
	_, err := io.ReadFull(stream, got)
	require.NoError(t, err)
	p.nothingMore()
	_, err = io.ReadFull(stream, make([]byte, 1))
	require.NoError(t, err)
	h, _ := p.next()
	require.Equal(t, header{kind: typeWindow, stream: 1, length: initialWindow / 2}, h)
	require.True(t, bytes.Equal(sent[:len(got)], got))
	p.send(header{stream: 1}, make([]byte, initialWindow/2)...)
	_, err = io.ReadFull(stream, make([]byte, len(sent)))
	require.NoError(t, err)
	p.send(header{stream: 1}, make([]byte, 1)...)
	_, err = io.ReadFull(stream, make([]byte, 1))
	require.NoError(t, err)
}

func TestWhoSendsMoreThanItsWindowLosesTheConnection(t *testing.T) {
	p := newPeer(t)
	stream := p.taken()
	p.send(header{stream: 1}, make([]byte, initialWindow-numberSize)...)
	p.send(header{stream: 1}, 1)
	p.isOver(stream)
}

func TestABufferDoesNotGrowForAReaderThatIsNeverDone(t *testing.T) {
	p := newPeer(t)
	stream := p.taken()
	stream.receive(make([]byte, 1000))
	for range 10_000 {
		stream.receive(make([]byte, 1000))
		_, err := io.ReadFull(stream, make([]byte, 1000))
		require.NoError(t, err)
	}
	require.Less(t, cap(stream.buffer), 10_000)
}

func TestAStreamOnWhichTheNumberDoesNotComeByItselfIsTheSessions(t *testing.T) {
	for name, dial := range map[string]func(p *peer){
		"with other data":   func(p *peer) { p.send(header{stream: 1}, append(number(7), "data"...)...) },
		"in two pieces":     func(p *peer) { p.send(header{stream: 1}, 7, 0); p.send(header{stream: 1}, 0, 0, 'd', 'a', 't', 'a') },
		"another number":    func(p *peer) { p.send(header{stream: 1}, number(8)...); p.send(header{stream: 1}, []byte("data")...) },
		"with nothing else": func(p *peer) { p.send(header{stream: 1, flags: flagFIN}, number(7)...) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			taken := expect(p.tap, 7, true)
			p.send(header{kind: typeWindow, flags: flagSYN, stream: 1})
			stream, err := p.session.Accept()
			require.NoError(t, err)
			_, _ = p.next()
			dial(p)
			p.nothingMore() // all of it has come to the session
			got := make([]byte, 4)
			_, err = io.ReadFull(stream, got)
			require.NoError(t, err)
			if name != "with nothing else" {
				_, err = io.ReadFull(stream, got)
				require.NoError(t, err)
				require.Equal(t, "data", string(got))
			}
			require.Empty(t, taken)
		})
	}
}

func TestANumberOnTheFrameThatOpensAStreamCounts(t *testing.T) {
	p := newPeer(t)
	taken := expect(p.tap, 7, true)
	p.send(header{stream: 1, flags: flagSYN}, number(7)...)
	accept(t, p.session)
	stream := receive(t, taken)
	p.send(header{stream: 1}, []byte("data")...)
	got := make([]byte, 4)
	_, err := io.ReadFull(stream, got)
	require.NoError(t, err)
	require.Equal(t, "data", string(got))
}

func TestAWrongAnswerLeavesTheStreamToTheSession(t *testing.T) {
	for name, answer := range map[string][]byte{
		"another number":          number(8),
		"another that is awaited": number(9),
		"more than a number":      append(number(7), 1),
		"less than a number":      {7, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			taken, other := expect(p.tap, 7, false), expect(p.tap, 9, false)
			stream, err := p.session.Open()
			require.NoError(t, err)
			_, err = stream.Write(number(7))
			require.NoError(t, err)
			h, _ := p.next()
			require.Equal(t, header{kind: typeWindow, flags: flagSYN, stream: 2}, h)
			_, _ = p.next()
			p.send(header{kind: typeWindow, flags: flagACK, stream: 2})
			p.send(header{stream: 2}, answer...)
			p.send(header{stream: 2}, []byte("data")...)
			got := make([]byte, len(answer)+4)
			_, err = io.ReadFull(stream, got)
			require.NoError(t, err)
			require.Equal(t, append(answer, "data"...), got)
			require.Empty(t, taken)
			require.Empty(t, other)
		})
	}
}

func TestAnAcknowledgementThatComesLateIsTheSessions(t *testing.T) {
	p := newPeer(t)
	taken := expect(p.tap, 7, false)
	opened, err := p.session.OpenStream()
	require.NoError(t, err)
	_, err = opened.Write(number(7))
	require.NoError(t, err)
	_, _ = p.next()
	_, _ = p.next()
	p.send(header{stream: 2}, number(7)...)
	p.send(header{stream: 2, flags: flagACK}, []byte("data")...)
	p.nothingMore()
	got := make([]byte, 4)
	_, err = io.ReadFull(receive(t, taken), got)
	require.NoError(t, err)
	require.Equal(t, "data", string(got))
	_, err = p.session.OpenStream() // waits while another stream is not acknowledged
	require.NoError(t, err)
}

func TestTheOtherSideHearsOfTheEndOnce(t *testing.T) {
	p := newPeer(t)
	stream := p.taken()
	p.send(header{stream: 1, flags: flagFIN}, []byte("last")...)
	got, err := io.ReadAll(stream)
	require.NoError(t, err)
	require.Equal(t, "last", string(got))
	p.nothingMore()
	_, err = stream.Write([]byte("answer"))
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	h, _ := p.next()
	require.Equal(t, header{stream: 1, length: 6}, h)
	h, _ = p.next()
	require.Equal(t, header{kind: typeWindow, flags: flagFIN, stream: 1}, h)
	p.nothingMore()
}

func TestAStreamThatIsResetEndsBothWays(t *testing.T) {
	for name, reset := range map[string]header{
		"alone":     {kind: typeWindow, flags: flagRST, stream: 1},
		"with data": {flags: flagRST, stream: 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			stream := p.taken()
			p.send(reset)
			_, err := io.ReadAll(stream)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			_, err = stream.Write([]byte{1})
			require.ErrorIs(t, err, io.ErrClosedPipe)
			require.NoError(t, stream.Close())
			p.nothingMore()
		})
	}
}

func TestWhatTheSessionRefusesEndsTheConnection(t *testing.T) {
	for name, frame := range map[string]header{
		"an unknown type":     {kind: 9, stream: 1, length: 1 << 31},
		"another version":     {version: 1, stream: 1, length: 5},
		"a stream begun anew": {kind: typeWindow, flags: flagSYN, stream: 1},
		"a bad reason":        {kind: 3, length: 77},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			stream := p.taken()
			_, err := p.conn.Write(frame.append(nil))
			require.NoError(t, err)
			p.isOver(stream)
		})
	}
}

func TestAnAbsurdLengthEndsTheConnection(t *testing.T) {
	p := newPeer(t)
	stream := p.taken()
	_, err := p.conn.Write(header{stream: 1, length: 1<<32 - 1}.append(nil))
	require.NoError(t, err)
	p.isOver(stream)
}

func TestAStreamThatIsCutWithinItsLastFrameEnds(t *testing.T) {
	for name, cut := range map[string]func(p *peer) error{
		"by the other side": func(p *peer) error { return p.conn.Close() },
		"by the session":    func(p *peer) error { return p.session.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			stream := p.taken()
			_, err := p.conn.Write(append(header{stream: 1, flags: flagFIN, length: 100}.append(nil), "part"...))
			require.NoError(t, err)
			got := make([]byte, 4)
			_, err = io.ReadFull(stream, got)
			require.NoError(t, err)
			require.NoError(t, cut(p))
			p.isOver(stream)
		})
	}
}

func TestWhatOthersGrantDoesNotFillTheMemory(t *testing.T) {
	p := newPeer(t)
	stream := p.taken()
	p.send(header{kind: typeWindow, stream: 1, length: 1<<32 - 1})
	p.nothingMore()
	const pieces, size = 256, 64 << 10
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < pieces && err == nil; i++ {
			_, err = stream.Write(make([]byte, size))
		}
		done <- err
	}()
	for got := 0; got < pieces*size; {
		h, content := p.next()
		require.Equal(t, uint32(1), h.stream)
		got += len(content)
		stream.out.lock.Lock()
		require.LessOrEqual(t, len(stream.out.queue), maxQueue+size+headerSize)
		stream.out.lock.Unlock()
	}
	require.NoError(t, <-done)
}
