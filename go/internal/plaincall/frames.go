package plaincall

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Frame types, flags, settings and error codes of RFC 9113 that are used here.
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameRSTStream    = 0x3
	frameSettings     = 0x4
	framePushPromise  = 0x5
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8
	frameContinuation = 0x9

	flagAck        = 0x1
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingHeaderTableSize      = 0x1
	settingEnablePush           = 0x2
	settingMaxConcurrentStreams = 0x3
	settingInitialWindowSize    = 0x4
	settingMaxFrameSize         = 0x5

	codeNoError       = 0x0
	codeProtocolError = 0x1
	codeRefusedStream = 0x7
	codeCancel        = 0x8
	codeCalm          = 0xb
)

const (
	preface         = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeaderSize = 9
	messagePrefix   = 5
	maxFrame        = 1 << 14 // what every peer takes
	defaultWindow   = 1<<16 - 1
	maxWindow       = 1<<31 - 1
	streamWindow    = 4 << 20
	// serverMaxFrame is what a server takes at once: files come in large pieces.
	serverMaxFrame = 1 << 20
	// maxConcurrent is how many calls at once a server takes on a connection.
	maxConcurrent = 4096
)

// frameHeader is the start of every frame.
type frameHeader struct {
	size   int
	kind   byte
	flags  byte
	stream uint32
}

func parseFrameHeader(b []byte) frameHeader {
	return frameHeader{
		size:   int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   b[3],
		flags:  b[4],
		stream: binary.BigEndian.Uint32(b[5:]) & maxWindow,
	}
}

func appendFrameHeader(out []byte, size int, kind, flags byte, stream uint32) []byte {
	return append(out, byte(size>>16), byte(size>>8), byte(size), kind, flags,
		byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
}

// appendCall appends a whole request: HEADERS, then DATA with the message. It has been checked that the message fits.
func appendCall(out []byte, stream uint32, block, message []byte) []byte {
	out = appendFrameHeader(out, len(block), frameHeaders, flagEndHeaders, stream)
	out = append(out, block...)
	out = appendFrameHeader(out, messagePrefix+len(message), frameData, flagEndStream, stream)
	out = append(out, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(message)))
	return append(out, message...)
}

func appendWindowUpdate(out []byte, stream uint32, increment int) []byte {
	out = appendFrameHeader(out, 4, frameWindowUpdate, 0, stream)
	return binary.BigEndian.AppendUint32(out, uint32(increment))
}

func appendReset(out []byte, stream uint32, code uint32) []byte {
	out = appendFrameHeader(out, 4, frameRSTStream, 0, stream)
	return binary.BigEndian.AppendUint32(out, code)
}

type setting struct {
	id    uint16
	value uint32
}

// appendClientPreface appends what a client sends first.
func appendClientPreface(out []byte) []byte {
	out = append(out, preface...)
	return appendSettings(out, setting{settingHeaderTableSize, 0}, setting{settingEnablePush, 0},
		setting{settingInitialWindowSize, streamWindow})
}

// appendServerPreface appends what a server sends first.
func appendServerPreface(out []byte) []byte {
	return appendSettings(out, setting{settingMaxConcurrentStreams, maxConcurrent},
		setting{settingInitialWindowSize, streamWindow}, setting{settingMaxFrameSize, serverMaxFrame})
}

// appendSettings appends SETTINGS and opens the connection's window as far as it goes: it is the streams' windows that
// bound what is held.
func appendSettings(out []byte, settings ...setting) []byte {
	out = appendFrameHeader(out, 6*len(settings), frameSettings, 0, 0)
	for _, setting := range settings {
		out = binary.BigEndian.AppendUint16(out, setting.id)
		out = binary.BigEndian.AppendUint32(out, setting.value)
	}
	return appendWindowUpdate(out, 0, maxWindow-defaultWindow)
}

// unpad returns what a frame holds without padding and priority.
func unpad(header frameHeader, payload []byte) ([]byte, error) {
	if header.flags&flagPadded != 0 {
		if len(payload) == 0 || int(payload[0]) >= len(payload) {
			return nil, fmt.Errorf("frame of type %d has more padding than content", header.kind)
		}
		payload = payload[1 : len(payload)-int(payload[0])]
	}
	if header.kind == frameHeaders && header.flags&flagPriority != 0 {
		if len(payload) < 5 {
			return nil, fmt.Errorf("HEADERS frame is too short for its priority")
		}
		payload = payload[5:]
	}
	return payload, nil
}

// readSize is how much is read from a socket at once.
const readSize = 64 << 10

// frameReader reads frames. A read that fails for the moment, because it took too long, loses nothing of a frame that
// is no larger than what is read at once.
type frameReader struct {
	*bufio.Reader
	limit int    // octets in a frame
	large []byte // a frame that is larger than what is read at once
}

func newFrameReader(in io.Reader, limit int) *frameReader {
	return &frameReader{Reader: bufio.NewReaderSize(in, readSize), limit: limit}
}

// next waits for a frame. Its payload is there until the next one is read.
func (r *frameReader) next() (frameHeader, []byte, error) {
	start, err := r.Peek(frameHeaderSize)
	if err != nil {
		return frameHeader{}, nil, err
	}
	header := parseFrameHeader(start)
	size := frameHeaderSize + header.size
	if header.size > r.limit {
		return header, nil, fmt.Errorf("frame of %d octets is larger than allowed", header.size)
	}
	if size <= r.Size() {
		whole, err := r.Peek(size)
		if err != nil {
			return header, nil, err
		}
		_, _ = r.Discard(size) // they were peeked at
		return header, whole[frameHeaderSize:], nil
	}
	if cap(r.large) < header.size {
		r.large = make([]byte, header.size)
	}
	_, _ = r.Discard(frameHeaderSize)
	payload := r.large[:header.size]
	if _, err := io.ReadFull(r, payload); err != nil {
		return header, nil, err
	}
	return header, payload, nil
}

// holdsFrame tells whether the next frame is there without waiting.
func (r *frameReader) holdsFrame() bool {
	if r.Buffered() < frameHeaderSize {
		return false
	}
	start, _ := r.Peek(frameHeaderSize) // they are buffered
	return r.Buffered() >= frameHeaderSize+parseFrameHeader(start).size
}
