package muxtap

import (
	"encoding/binary"
	"io"
	"net"
	"sync"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketio"
)

// numberSize is what is said first on a stream of go-plugin's broker: the number that is dialled, and the same back.
const numberSize = 4

// Tap is the connection that a yamux session is given in the place of a socket. Read and Write are called by one
// goroutine each, as a session does.
type Tap struct {
	socket  net.Conn
	inbound inbound
	session frame // what the session is about to send
	out     *outbound

	lock     sync.Mutex
	expected map[uint32]func(*Stream) // by the broker's number
	fresh    map[uint32]bool          // streams on which no number has been said yet; whether the other side opened it
	dialled  map[uint32]uint32        // the expected number that the session has said on a stream, and waits for back
	taken    map[uint32]*Stream
}

// New returns the tap of a socket, which is closed with it.
func New(socket net.Conn) *Tap {
	if direct, err := socketio.New(socket); err == nil {
		socket = direct
	}
	return &Tap{
		socket:   socket,
		out:      newOutbound(socket),
		expected: map[uint32]func(*Stream){},
		fresh:    map[uint32]bool{},
		dialled:  map[uint32]uint32{},
		taken:    map[uint32]*Stream{},
	}
}

// Expect has take called with the stream that either side is about to dial under a number of the broker. take must not
// wait: nothing is read from the connection before it returns. A stream on which the number does not come by itself
// stays the session's, and take is not called.
func (t *Tap) Expect(number uint32, take func(*Stream)) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.expected[number] = take
}

// Read implements io.Reader: it returns what is the session's.
func (t *Tap) Read(p []byte) (int, error) {
	for {
		if n := t.inbound.next(p, t); n > 0 || len(p) == 0 {
			return n, nil
		}
		n, err := t.inbound.read(p, t.socket)
		if err != nil {
			t.end(err)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write implements io.Writer: it takes what the session sends.
func (t *Tap) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n, complete := t.session.add(rest)
		rest = rest[n:]
		if !complete {
			continue
		}
		t.sent(t.session.header(), t.session.content)
		err := t.out.frame(t.session.head[:], t.session.content)
		t.session = frame{}
		if err != nil {
			return len(p) - len(rest), err
		}
	}
	return len(p), nil
}

// Close implements io.Closer. What was sent before is written, if the other side takes it.
func (t *Tap) Close() error {
	t.out.close()
	err := t.socket.Close()
	t.end(net.ErrClosed)
	return err
}

// end ends what is taken when there is no connection any more.
func (t *Tap) end(why error) {
	t.out.fail(why)
	t.lock.Lock()
	streams := t.taken
	t.taken = map[uint32]*Stream{}
	t.lock.Unlock()
	for _, stream := range streams {
		stream.end(io.EOF)
	}
}

// sent takes notice of a frame of the session's.
func (t *Tap) sent(h header, content []byte) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if h.flags&flagSYN != 0 {
		t.fresh[h.stream] = false
	}
	if h.kind == typeData {
		if byOther, fresh := t.fresh[h.stream]; fresh && !byOther {
			delete(t.fresh, h.stream)
			if number, isNumber := numberIn(content); isNumber && t.expected[number] != nil {
				t.dialled[h.stream] = number
			}
		}
	}
	if h.ends() {
		t.forget(h.stream)
	}
}

// received takes notice of a frame of the other side's. It returns the stream that the frame is for, nil if the session
// is to have it. content is what there is of it yet; more tells that this is not enough.
func (t *Tap) received(h header, content []byte) (stream *Stream, more bool) {
	t.lock.Lock()
	stream = t.taken[h.stream]
	take := t.takes(h, content, &more)
	if take == nil || more {
		if h.ends() && !more {
			t.forget(h.stream)
		}
		t.lock.Unlock()
		return stream, more
	}
	begins := newStream(h.stream, t.out)
	t.taken[h.stream] = begins
	t.lock.Unlock()
	take(begins)
	return nil, false // the number itself is the session's
}

// takes tells whether a frame has the number, or its answer, of a stream that is expected.
func (t *Tap) takes(h header, content []byte, more *bool) func(*Stream) {
	if h.flags&flagSYN != 0 {
		t.fresh[h.stream] = true
	}
	dialled, answers := t.dialled[h.stream]
	byOther, dials := t.fresh[h.stream]
	if h.kind != typeData || !answers && !(dials && byOther) {
		return nil
	}
	if *more = h.length == numberSize && len(content) < numberSize; *more {
		return nil
	}
	delete(t.dialled, h.stream)
	delete(t.fresh, h.stream)
	if h.length != numberSize || h.ends() {
		return nil
	}
	number, _ := numberIn(content[:numberSize])
	take := t.expected[number]
	if take == nil || answers && number != dialled {
		return nil
	}
	delete(t.expected, number)
	return take
}

// forget lets go of a stream that ends.
func (t *Tap) forget(stream uint32) {
	delete(t.fresh, stream)
	delete(t.dialled, stream)
	delete(t.taken, stream)
}

// numberIn returns the number that is all there is in a frame.
func numberIn(content []byte) (number uint32, isNumber bool) {
	if len(content) != numberSize {
		return 0, false
	}
	return binary.LittleEndian.Uint32(content), true
}
