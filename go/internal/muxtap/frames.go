package muxtap

import "encoding/binary"

// headerSize is the size of a frame's header. Frames of data have as many octets behind it as it says.
const headerSize = 12

const (
	typeData   = 0
	typeWindow = 1
)

const (
	flagSYN = 1 << iota
	_       // ACK, which only the session minds
	flagFIN
	flagRST
)

// initialWindow is how much of a stream may be sent before the other side gives more room.
const initialWindow = 256 << 10

type header struct {
	version byte
	kind    byte
	flags   uint16
	stream  uint32
	length  uint32
}

func parseHeader(raw []byte) header {
	return header{
		version: raw[0],
		kind:    raw[1],
		flags:   binary.BigEndian.Uint16(raw[2:]),
		stream:  binary.BigEndian.Uint32(raw[4:]),
		length:  binary.BigEndian.Uint32(raw[8:]),
	}
}

// content is how many octets follow.
func (h header) content() int {
	if h.kind == typeData {
		return int(h.length)
	}
	return 0
}

// ends tells whether the sender says no more on the stream.
func (h header) ends() bool { return h.flags&(flagFIN|flagRST) != 0 }

// isStreams tells whether it is about a stream: not about the session, and nothing that is unknown.
func (h header) isStreams() bool { return h.version == 0 && h.kind <= typeWindow }

func (h header) append(out []byte) []byte {
	out = append(out, h.version, h.kind)
	out = binary.BigEndian.AppendUint16(out, h.flags)
	out = binary.BigEndian.AppendUint32(out, h.stream)
	return binary.BigEndian.AppendUint32(out, h.length)
}

// frame is put together from what is written piece by piece.
type frame struct {
	head    [headerSize]byte
	held    int // octets of head
	left    int // octets of content that are to come
	content []byte
}

// header may be asked for when head is complete.
func (f *frame) header() header { return parseHeader(f.head[:]) }

// add takes the next octets and returns how many it has taken. Content that comes in one piece is not copied.
func (f *frame) add(p []byte) (taken int, complete bool) {
	if f.held < headerSize {
		taken = copy(f.head[f.held:], p)
		if f.held += taken; f.held == headerSize {
			f.left = f.header().content()
		}
	} else {
		taken = min(len(p), f.left)
		if f.content == nil && taken == f.left {
			f.content = p[:taken]
		} else {
			f.content = append(f.content, p[:taken]...)
		}
		f.left -= taken
	}
	return taken, f.held == headerSize && f.left == 0
}
