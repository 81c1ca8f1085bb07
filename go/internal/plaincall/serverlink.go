package plaincall

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// serverLink is one HTTP/2 connection of a server.
type serverLink struct {
	writer // its lock guards what follows, too
	server *Server

	calls    map[uint32]*ServerCall
	window   int        // what may be sent
	initial  int        // the client's window of a new stream
	maxFrame int        // what the client takes at once
	changed  *sync.Cond // a window opened, a call ended or the link was lost
	lost     bool
	alarm    alarm // at the deadlines of calls that were forwarded
	putsOff  bool  // answers are written together, when what was read has been handled
	crowded  int   // with more calls than that, answers wait for each other

	turn atomic.Uint32 // the call, as runs counts them, that the goroutine that reads handles; 0: it reads
	runs atomic.Uint32 // calls handled by goroutines that read
	seen uint32        // of the watch: how many there were

	// Of the reading goroutine alone.
	source      *source
	frames      *frameReader
	patience    patience
	ready       *ServerCall // to be handled by it
	looks       bool        // the next call may come in no time
	crowd       bool        // several calls were read together since it was looked for one
	answered    time.Time   // the last call that it handled
	requests    *requests
	last        uint32 // the newest stream
	block       []byte // of a header block that is not complete
	blockStream uint32
	blockFlags  byte
	unread      int
}

// newServerLink returns a link over a socket of the system.
func newServerLink(server *Server, socket net.Conn) (*serverLink, error) {
	source, err := newSource(socket)
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	l := &serverLink{
		writer: writer{socket: source.Conn}, server: server, calls: map[uint32]*ServerCall{}, requests: newRequests(),
		window: defaultWindow, initial: defaultWindow, maxFrame: maxFrame, crowded: crowdedFrom(),
		source: source, frames: newFrameReader(source, serverMaxFrame),
	}
	l.changed = sync.NewCond(&l.lock)
	return l, nil
}

// serve begins to read.
func (l *serverLink) serve() {
	l.give(appendServerPreface)
	l.source.park()
	start := make([]byte, len(preface))
	if _, err := io.ReadFull(l.frames, start); err != nil || string(start) != preface {
		l.end()
		return
	}
	l.read()
}

// fail ends the link because of an error, or because the client has.
func (l *serverLink) fail(why error) {
	if !errors.Is(why, io.EOF) && !errors.Is(why, net.ErrClosed) {
		l.give(func(out []byte) []byte { return l.appendGoAway(out, why.Error()) })
	}
	l.end()
}

func (l *serverLink) end() {
	_ = l.socket.Close()
	l.server.forget(l)
	l.lock.Lock()
	l.lost = true
	l.alarm.stop()
	lost := l.calls
	l.calls = map[uint32]*ServerCall{}
	l.changed.Broadcast()
	l.lock.Unlock()
	for _, call := range lost {
		call.context.End(context.Canceled)
	}
}

func (l *serverLink) appendGoAway(out []byte, why string) []byte {
	out = appendFrameHeader(out, 8+len(why), frameGoAway, 0, 0)
	out = binary.BigEndian.AppendUint32(out, l.last)
	out = binary.BigEndian.AppendUint32(out, codeProtocolError)
	return append(out, why...)
}

func (l *serverLink) frame(header frameHeader, payload []byte) error {
	if l.block != nil && (header.kind != frameContinuation || header.stream != l.blockStream) {
		return errors.New("a header block is interrupted by another frame")
	}
	switch header.kind {
	case frameData:
		return l.onData(header, payload)
	case frameHeaders, frameContinuation:
		return l.onHeaders(header, payload)
	case frameRSTStream:
		l.onReset(header)
	case frameSettings:
		return l.onSettings(header, payload)
	case framePing:
		return l.answerPing(header, payload)
	case frameWindowUpdate:
		return l.onWindowUpdate(header, payload)
	case framePushPromise:
		return errors.New("PUSH_PROMISE from a client")
	}
	return nil // GOAWAY of a client says nothing; what is not known is ignored
}

func (l *serverLink) onHeaders(header frameHeader, payload []byte) error {
	content := payload
	if header.kind == frameHeaders {
		var err error
		if content, err = unpad(header, payload); err != nil {
			return err
		}
		l.blockStream, l.blockFlags = header.stream, header.flags
	} else if l.block == nil {
		return errors.New("CONTINUATION without HEADERS")
	}
	if header.flags&flagEndHeaders == 0 {
		if l.block = append(l.block, content...); len(l.block) > 1<<20 {
			return errors.New("a header block is larger than allowed")
		}
		if l.block == nil {
			l.block = []byte{}
		}
		return nil
	}
	if l.block != nil {
		content, l.block = append(l.block, content...), nil
	}
	request, err := l.requests.decode(content)
	if err != nil {
		return err
	}
	if found := l.find(header.stream); found != nil {
		if request.pseudo {
			return errors.New("trailers with pseudo-header fields")
		}
		return l.onTrailers(found, l.blockFlags)
	}
	if header.stream <= l.last {
		return nil // trailers of a call that was cancelled or has been answered
	}
	if header.stream&1 == 0 {
		return fmt.Errorf("a client cannot open stream %d", header.stream)
	}
	l.last = header.stream
	l.open(header.stream, request, l.blockFlags&flagEndStream != 0)
	return nil
}

func (l *serverLink) onTrailers(call *ServerCall, flags byte) error {
	if flags&flagEndStream == 0 {
		return errors.New("HEADERS in the midst of a request")
	}
	l.complete(call)
	return nil
}

// open begins a call.
func (l *serverLink) open(stream uint32, request *request, ended bool) {
	switch {
	case request.broken != "":
		l.give(func(out []byte) []byte { return appendReset(out, stream, codeProtocolError) })
		return
	case request.refusal != "":
		l.give(func(out []byte) []byte {
			block := appendRefusal(nil, request.refusal)
			out = append(appendFrameHeader(out, len(block), frameHeaders, flagEndHeaders|flagEndStream, stream), block...)
			return appendReset(out, stream, codeNoError)
		})
		return
	}
	call := &ServerCall{link: l, stream: stream, request: request}
	if request.timeout > 0 {
		call.context.Set(time.Now().Add(request.timeout))
	}
	found, plain := l.server.methods[request.path]
	call.plain = plain && request.metadata == nil
	call.method = found
	l.lock.Lock()
	call.window = l.initial
	tooMany := len(l.calls) >= maxConcurrent
	if !tooMany {
		l.calls[stream] = call
	}
	l.lock.Unlock()
	switch {
	case tooMany:
		l.give(func(out []byte) []byte { return appendReset(out, stream, codeRefusedStream) })
	case request.encoding != "":
		call.finish(status.Newf(codes.Unimplemented, "grpc-encoding %q is not supported", request.encoding),
			metadata.Pairs("grpc-accept-encoding", "identity"))
	case ended:
		call.start()
		l.complete(call)
	case !call.plain:
		call.start()
	}
}

// complete takes in that a request has come to its end.
func (l *serverLink) complete(call *ServerCall) {
	if call.plain {
		switch {
		case l.forward(call):
		case l.mayHandle(call):
			l.ready = call
		default:
			l.server.run(call)
		}
		return
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	call.ended = true
	l.changed.Broadcast()
}

func (l *serverLink) onData(header frameHeader, payload []byte) error {
	content, err := unpad(header, payload)
	if err != nil {
		return err
	}
	if l.unread += len(payload); l.unread > maxWindow/2 {
		read := l.unread
		l.unread = 0
		l.give(func(out []byte) []byte { return appendWindowUpdate(out, 0, read) })
	}
	call := l.find(header.stream)
	if call == nil {
		return nil // ended already; these octets were on their way
	}
	if call.plain {
		call.data = withRoom(append(call.data, content...))
		if call.held += len(payload); call.held > streamWindow/2 && header.flags&flagEndStream == 0 {
			call.credit()
		}
	} else {
		l.lock.Lock()
		call.data = withRoom(append(call.data, content...))
		call.held += len(payload)
		l.changed.Broadcast()
		l.lock.Unlock()
	}
	if header.flags&flagEndStream != 0 {
		l.complete(call)
	}
	return nil
}

// withRoom gives the start of a message room for all of it, so that it need not grow piece by piece.
func withRoom(data []byte) []byte {
	if len(data) < messagePrefix {
		return data
	}
	size := messagePrefix + int(binary.BigEndian.Uint32(data[1:]))
	if size <= cap(data) || size > streamWindow {
		return data // what is larger than a window is not taken at its word
	}
	return slices.Grow(data, size-len(data))
}

func (l *serverLink) find(stream uint32) *ServerCall {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.calls[stream]
}

func (l *serverLink) onReset(header frameHeader) {
	l.lock.Lock()
	call := l.calls[header.stream]
	delete(l.calls, header.stream)
	if call != nil {
		call.gone = true
	}
	l.changed.Broadcast()
	l.lock.Unlock()
	if call != nil {
		call.context.End(context.Canceled)
	}
}

func (l *serverLink) onSettings(header frameHeader, payload []byte) error {
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
			for _, call := range l.calls {
				call.window += value - l.initial
			}
			l.initial = value
		case settingMaxFrameSize:
			l.maxFrame = min(value, serverMaxFrame)
		}
	}
	l.changed.Broadcast()
	l.out = appendFrameHeader(l.out, 0, frameSettings, flagAck, 0)
	l.flush()
	return nil
}

func (l *serverLink) onWindowUpdate(header frameHeader, payload []byte) error {
	if len(payload) != 4 {
		return errors.New("WINDOW_UPDATE has a wrong size")
	}
	increment := int(binary.BigEndian.Uint32(payload) & maxWindow)
	l.lock.Lock()
	defer l.lock.Unlock()
	defer l.changed.Broadcast()
	if header.stream == 0 {
		if l.window += increment; l.window > maxWindow {
			return errors.New("the window is opened further than allowed")
		}
	} else if call := l.calls[header.stream]; call != nil {
		call.window += increment
	}
	return nil
}
