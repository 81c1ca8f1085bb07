package plaincall

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// With more calls than that, those that begin wait for each other to be written together, and so do a server's answers. With fewer it would keep the
// plugin waiting, unless the process keeps to one processor: then nothing is read or answered while one is written.
const (
	manyCalls   = 32
	enoughCalls = 3
)

func crowdedFrom() int {
	if oneProcessor() {
		return enoughCalls
	}
	return manyCalls
}

// link is one HTTP/2 connection of a client. Callers write on their own goroutines, and one of them reads: see lead.
type link struct {
	writer // its lock guards what follows, too

	calls   map[uint32]*call
	next    uint32
	window  int  // what may be sent
	initial int  // the server's window of a new stream
	most    int  // calls that the server allows at once
	closing bool // takes no new calls
	crowded int  // with more calls than that, those that begin wait for each other
	led     bool // a goroutine reads; also set once the link is lost
	crowd   bool // several calls waited together since the last one that led began
	used    time.Time
	begun   uint  // calls for which nobody waits
	alarm   alarm // at the deadlines of calls that were begun

	// Of the reading goroutine alone.
	source       *source
	oneProcessor bool     // the process keeps to it
	patience     patience // with one call
	allPatience  patience // with several
	frames       *frameReader
	replies      replies
	block        []byte // of a header block that is not complete
	unread       int    // octets read since the connection's window was last opened
}

// newLink begins to speak HTTP/2 on a socket of the system, over which the link then has command.
func newLink(socket net.Conn) (*link, error) {
	source, err := newSource(socket)
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	l := &link{
		writer: writer{socket: source.Conn}, calls: map[uint32]*call{}, next: 1, used: time.Now(),
		window: defaultWindow, initial: defaultWindow, most: 100, crowded: crowdedFrom(),
		source: source, oneProcessor: oneProcessor(), frames: newFrameReader(source, maxFrame),
	}
	l.give(appendClientPreface)
	return l, nil
}

// start sends a request, if there is room for it now. If nobody reads, the call is to lead.
func (l *link) start(c *call, block, message []byte) bool {
	l.lock.Lock()
	if !l.queue(c, block, message) {
		l.lock.Unlock()
		return false
	}
	several := len(l.calls) > 1
	c.leads = !l.led
	c.alone = c.leads && !several && !l.crowd
	l.crowd = several || l.crowd && !c.leads
	l.led = true
	l.yields = len(l.calls) > l.crowded
	if l.flush() {
		return true
	}
	l.take(c.stream)
	if c.leads {
		l.lose(net.ErrClosed)
	}
	return false
}

// writtenTogether is how many requests wait for each other where calls are begun. The server has something to do
// meanwhile.
const writtenTogether = 8

// begin is start for a call for which nobody waits. It does not wait for the socket.
func (l *link) begin(c *call, block, message []byte) bool {
	l.lock.Lock()
	if l.failed || !l.queue(c, block, message) {
		l.lock.Unlock()
		return false
	}
	l.alarm.set(c.until, l.expire)
	unread := !l.led
	l.crowd, l.led = true, true
	l.begun++
	enough := l.begun%writtenTogether == 0
	l.flushSoon()
	l.lock.Unlock()
	if unread {
		go l.readForAll()
	}
	if enough {
		runtime.Gosched() // to who writes
	}
	return true
}

// queue queues a request, if there is room for it now. The lock is held.
func (l *link) queue(c *call, block, message []byte) bool {
	size := messagePrefix + len(message)
	if l.closing || size > l.window || size > l.initial || len(l.calls) >= l.most || l.next > maxWindow-2 {
		return false
	}
	c.stream = l.next
	l.next += 2
	l.window -= size
	l.calls[c.stream] = c
	l.out = appendCall(l.out, c.stream, block, message)
	l.queued = c.stream
	return true
}

// expire ends calls that were begun and whose time is up.
func (l *link) expire() {
	l.lock.Lock()
	now := l.alarm.rang()
	var late []*call
	for stream, c := range l.calls {
		switch {
		case c.until.IsZero():
		case now.Before(c.until):
			l.alarm.set(c.until, l.expire)
		default:
			late = append(late, c)
			delete(l.calls, stream)
			l.out = appendReset(l.out, stream, codeCancel)
		}
	}
	l.flush()
	for _, c := range late {
		c.end(errTooLate)
	}
}

// cancel ends a call early, and tells whether it had not ended by itself.
func (l *link) cancel(c *call) bool {
	l.lock.Lock()
	_, open := l.calls[c.stream]
	if open {
		delete(l.calls, c.stream)
		l.out = appendReset(l.out, c.stream, codeCancel)
	}
	l.flush()
	return open
}

// close ends the link and all calls on it.
func (l *link) close() {
	l.lock.Lock()
	unread := !l.led
	l.led = true
	l.lock.Unlock()
	if unread {
		l.lose(net.ErrClosed)
	} else {
		breakOff(l.socket)
	}
}

// isOpen tells whether the link takes calls.
func (l *link) isOpen() bool {
	l.lock.Lock()
	defer l.lock.Unlock()
	return !l.closing
}

// take returns a call that has ended, once; nil if it had ended before.
func (l *link) take(stream uint32) *call {
	l.lock.Lock()
	defer l.lock.Unlock()
	found := l.calls[stream]
	delete(l.calls, stream)
	return found
}

func (l *link) find(stream uint32) *call {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.calls[stream]
}

func (l *link) frame(header frameHeader, payload []byte) error {
	if l.block != nil && header.kind != frameContinuation {
		return errors.New("a header block is interrupted by another frame")
	}
	switch header.kind {
	case frameData:
		return l.onData(header, payload)
	case frameHeaders, frameContinuation:
		return l.onHeaders(header, payload)
	case frameRSTStream:
		return l.onReset(header, payload)
	case frameSettings:
		return l.onSettings(header, payload)
	case framePing:
		return l.answerPing(header, payload)
	case frameGoAway:
		return l.onGoAway(payload)
	case frameWindowUpdate:
		return l.onWindowUpdate(header, payload)
	case framePushPromise:
		return errors.New("PUSH_PROMISE, which is not enabled")
	}
	return nil // a client ignores what it does not know
}

func (l *link) onData(header frameHeader, payload []byte) error {
	content, err := unpad(header, payload)
	if err != nil {
		return err
	}
	l.unread += len(payload)
	if l.unread > maxWindow/2 {
		read := l.unread
		l.unread = 0
		l.give(func(out []byte) []byte { return appendWindowUpdate(out, 0, read) })
	}
	c := l.find(header.stream)
	if c == nil {
		return nil // cancelled; these octets were on their way
	}
	c.data = append(c.data, content...)
	if header.flags&flagEndStream != 0 {
		l.end(header.stream, status.Error(codes.Internal, "the response ended without a status"))
		return nil
	}
	if c.held += len(payload); c.held > streamWindow/2 {
		read := c.held
		c.held = 0
		l.give(func(out []byte) []byte { return appendWindowUpdate(out, header.stream, read) })
	}
	return nil
}

func (l *link) onHeaders(header frameHeader, payload []byte) error {
	if header.kind == frameContinuation && l.block == nil {
		return errors.New("CONTINUATION without HEADERS")
	}
	content := payload
	if header.kind == frameHeaders {
		var err error
		if content, err = unpad(header, payload); err != nil {
			return err
		}
	}
	if header.flags&flagEndHeaders == 0 {
		if l.block = append(l.block, content...); len(l.block) > 1<<20 {
			return errors.New("a header block is larger than allowed")
		}
		return nil
	}
	if l.block != nil {
		content, l.block = append(l.block, content...), nil
	}
	reply, err := l.replies.decode(content)
	if err != nil {
		return err
	}
	if reply.final {
		l.end(header.stream, reply.failure)
	}
	return nil
}

// end ends a call with a status.
func (l *link) end(stream uint32, failure error) {
	if c := l.take(stream); c != nil {
		c.end(failure)
	}
}

func (l *link) onReset(header frameHeader, payload []byte) error {
	if len(payload) != 4 {
		return errors.New("RST_STREAM has a wrong size")
	}
	c := l.take(header.stream)
	if c == nil {
		return nil
	}
	code := binary.BigEndian.Uint32(payload)
	c.refused = code == codeRefusedStream
	switch code {
	case codeRefusedStream:
		c.end(status.Error(codes.Unavailable, "the server refused the call"))
	case codeCancel:
		c.end(status.Error(codes.Canceled, "the server cancelled the call"))
	case codeCalm:
		c.end(status.Error(codes.ResourceExhausted, "the server wants fewer calls"))
	default:
		c.end(status.Errorf(codes.Internal, "the server reset the call with code %d", code))
	}
	return nil
}

func (l *link) onSettings(header frameHeader, payload []byte) error {
	if header.flags&flagAck != 0 {
		return nil
	}
	if len(payload)%6 != 0 {
		return errors.New("SETTINGS has a wrong size")
	}
	l.lock.Lock()
	for ; len(payload) > 0; payload = payload[6:] {
		value := int(binary.BigEndian.Uint32(payload[2:]))
		switch binary.BigEndian.Uint16(payload) {
		case settingInitialWindowSize:
			l.initial = value
		case settingMaxConcurrentStreams:
			l.most = value
		}
	}
	l.out = appendFrameHeader(l.out, 0, frameSettings, flagAck, 0)
	l.flush()
	return nil
}

func (l *link) onGoAway(payload []byte) error {
	if len(payload) < 8 {
		return errors.New("GOAWAY has a wrong size")
	}
	last := binary.BigEndian.Uint32(payload) & maxWindow
	if code := binary.BigEndian.Uint32(payload[4:]); code != codeNoError {
		return fmt.Errorf("the server ended the connection with code %d: %q", code, payload[8:])
	}
	l.lock.Lock()
	l.closing = true
	var never []*call
	for stream, c := range l.calls {
		if stream > last {
			never = append(never, c)
			delete(l.calls, stream)
		}
	}
	l.lock.Unlock()
	for _, c := range never {
		c.refused = true
		c.end(status.Error(codes.Unavailable, "the server is shutting down"))
	}
	return nil
}

func (l *link) onWindowUpdate(header frameHeader, payload []byte) error {
	if len(payload) != 4 {
		return errors.New("WINDOW_UPDATE has a wrong size")
	}
	if header.stream != 0 {
		return nil // requests fit into the window of a new stream
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	l.window += int(binary.BigEndian.Uint32(payload) & maxWindow)
	if l.window > maxWindow {
		return errors.New("the window is opened further than allowed")
	}
	return nil
}
