package muxtap

import (
	"errors"
	"io"
)

// errWindow is the end of a connection whose other side keeps to no window.
var errWindow = errors.New("the other side has sent more on a stream than its window allows")

// inboundSize is how much is read at once: many small frames.
const inboundSize = 64 << 10

// inbound sorts what has come: to the session or to a stream that is taken.
type inbound struct {
	buffer  []byte // read and not sorted
	space   []byte
	passing int     // octets that come next and are the session's
	taking  int     // octets that come after these and are stream's
	stream  *Stream // of the frame that is being taken
	flags   uint16  // of that frame
	broken  error   // what the other side did wrong; nothing more is sorted
}

// next sorts what is in the buffer until p is full, and returns how much it has put there.
func (i *inbound) next(p []byte, t *Tap) int {
	n := 0
	for n < len(p) {
		switch {
		case i.passing > 0:
			passed := copy(p[n:], i.buffer[:min(i.passing, len(i.buffer))])
			i.buffer, i.passing, n = i.buffer[passed:], i.passing-passed, n+passed
		case i.stream != nil:
			if taken := min(i.taking, len(i.buffer)); taken > 0 {
				i.stream.receive(i.buffer[:taken])
				i.buffer, i.taking = i.buffer[taken:], i.taking-taken
			}
			if i.taking == 0 {
				if i.flags&flagRST != 0 {
					i.stream.end(io.ErrUnexpectedEOF)
				} else if i.flags&flagFIN != 0 {
					i.stream.finish(io.EOF)
				}
				i.stream = nil
			}
		default:
			if len(i.buffer) < headerSize || i.broken != nil {
				return n
			}
			if more := i.sort(t); more {
				return n
			}
			continue
		}
		if len(i.buffer) == 0 {
			return n
		}
	}
	return n
}

// sort looks at the header that comes next, and tells whether more has to be read for that.
func (i *inbound) sort(t *Tap) (more bool) {
	h := parseHeader(i.buffer)
	stream, more := t.received(h, i.buffer[headerSize:])
	switch {
	case more:
		return true
	case stream == nil:
		i.passing = headerSize + h.content()
		return false
	case h.kind == typeWindow:
		stream.give(int(h.length))
	case !stream.admit(h.content()):
		i.broken = errWindow
		return true
	}
	i.stream, i.taking, i.flags = stream, h.content(), h.flags
	if h.flags != 0 {
		// The session hears of these alone.
		h.kind, h.length = typeWindow, 0
		h.append(i.buffer[:0])
		i.passing = headerSize
	} else {
		i.buffer = i.buffer[headerSize:]
	}
	return false
}

// read reads more, after next has put nothing into p. It returns how much it has read into p.
func (i *inbound) read(p []byte, socket io.Reader) (int, error) {
	if i.passing >= inboundSize && len(i.buffer) == 0 {
		// The middle of something large: no need to copy it.
		n, err := socket.Read(p[:min(len(p), i.passing)])
		i.passing -= n
		return n, err
	}
	if i.space == nil {
		i.space = make([]byte, inboundSize)
	}
	held := copy(i.space, i.buffer) // less than a header and a number
	n, err := socket.Read(i.space[held:])
	i.buffer = i.space[:held+n]
	return 0, err
}
