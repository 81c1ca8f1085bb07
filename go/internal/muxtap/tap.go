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
	expected map[dial]func(*Stream)
	opened   map[uint32]opening // streams on which no number has been said, or an expected one not yet answered
	taken    map[uint32]*Stream // as long as the connection lasts
	over     bool               // the connection
}

// dial is how a stream comes about.
type dial struct {
	number  uint32 // of the broker of the side that is dialled
	byOther bool   // the other side dials
}

// opening is what has happened on a stream that may be one to take.
type opening struct {
	byOther bool
	said    uint32 // an expected number that the session has said, and waits for back; 0 is none
	granted int    // by the other side, beyond the initial window
	allowed int    // by the session, beyond it
}

// New returns the tap of a socket, which is closed with it.
func New(socket net.Conn) *Tap {
	if direct, err := socketio.New(socket); err == nil {
		socket = direct
	}
	return &Tap{
		socket:   socket,
		out:      newOutbound(socket),
		expected: map[dial]func(*Stream){},
		opened:   map[uint32]opening{},
		taken:    map[uint32]*Stream{},
	}
}

// Expect has take called with the stream that the other side is about to dial under a number of this side's broker. take
// must not wait: nothing is read from the connection before it returns. A stream on which the number does not come by
// itself stays the session's, and take is not called.
func (t *Tap) Expect(number uint32, take func(*Stream)) { t.expect(dial{number, true}, take) }

// ExpectDial is Expect for a stream that this side is about to dial under a number of the other side's broker: each
// broker counts by itself.
func (t *Tap) ExpectDial(number uint32, take func(*Stream)) { t.expect(dial{number, false}, take) }

func (t *Tap) expect(number dial, take func(*Stream)) {
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
		if err := t.inbound.broken; err != nil {
			t.end(err)
			return 0, err
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
		var err error
		if t.sent(t.session.header(), t.session.content) {
			err = t.out.frame(t.session.head[:], t.session.content)
		}
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
	t.taken, t.over = map[uint32]*Stream{}, true
	t.lock.Unlock()
	for _, stream := range streams {
		stream.end(io.EOF)
	}
}

// sent takes notice of a frame of the session's, and tells whether the other side is to have it.
func (t *Tap) sent(h header, content []byte) bool {
	if !h.isStreams() {
		return true
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	if h.flags&flagSYN != 0 {
		t.opened[h.stream] = opening{}
	}
	stream := t.taken[h.stream]
	opened, isOpened := t.opened[h.stream]
	switch {
	case h.kind == typeWindow && stream != nil:
		stream.allow(int(h.length))
	case h.kind == typeWindow && isOpened:
		opened.allowed += int(h.length)
		t.opened[h.stream] = opened
	case isOpened && !opened.byOther:
		number, isNumber := numberIn(content)
		if isNumber && t.expected[dial{number, false}] != nil {
			opened.said = number
			t.opened[h.stream] = opened
		} else {
			delete(t.opened, h.stream)
		}
	}
	if h.ends() {
		delete(t.opened, h.stream)
	}
	if stream == nil || !h.ends() {
		return true
	}
	if h.flags&flagRST != 0 {
		stream.end(io.ErrUnexpectedEOF)
		return true
	}
	// It has seen the other side's end, and knows nothing of what is still to be said: Stream.Close says that all is.
	return false
}

// received takes notice of a frame of the other side's. It returns the stream that the frame is for, nil if the session
// is to have it. content is what there is of it yet; more tells that this is not enough.
func (t *Tap) received(h header, content []byte) (stream *Stream, more bool) {
	if !h.isStreams() {
		return nil, false
	}
	t.lock.Lock()
	stream = t.taken[h.stream]
	take := t.takes(h, content, &more)
	if h.flags&flagSYN != 0 {
		stream = nil // no stream begins twice: it is for the session to say so
	}
	if take == nil || more {
		if h.ends() && !more {
			delete(t.opened, h.stream)
		}
		t.lock.Unlock()
		return stream, more
	}
	begins := newStream(h.stream, t.out, t.opened[h.stream])
	delete(t.opened, h.stream)
	over := t.over
	if !over {
		t.taken[h.stream] = begins
	}
	t.lock.Unlock()
	if over {
		begins.end(io.EOF)
	}
	take(begins)
	return nil, false // the number itself is the session's
}

// takes tells whether a frame has the number, or its answer, of a stream that is expected.
func (t *Tap) takes(h header, content []byte, more *bool) func(*Stream) {
	opened, isOpened := t.opened[h.stream]
	if h.flags&flagSYN != 0 && t.taken[h.stream] == nil && !isOpened {
		opened, isOpened = opening{byOther: true}, true
		t.opened[h.stream] = opened
	}
	if isOpened && h.kind == typeWindow {
		opened.granted += int(h.length)
		t.opened[h.stream] = opened
	}
	if h.kind != typeData || !isOpened || !opened.byOther && opened.said == 0 {
		return nil
	}
	if *more = h.length == numberSize && len(content) < numberSize; *more {
		return nil
	}
	if h.length == numberSize && !h.ends() {
		number, _ := numberIn(content[:numberSize])
		dialled := dial{number, opened.byOther}
		if take := t.expected[dialled]; take != nil && (opened.byOther || number == opened.said) {
			delete(t.expected, dialled)
			return take
		}
	}
	delete(t.opened, h.stream)
	return nil
}

// numberIn returns the number that is all there is in a frame.
func numberIn(content []byte) (number uint32, isNumber bool) {
	if len(content) != numberSize {
		return 0, false
	}
	return binary.LittleEndian.Uint32(content), true
}
