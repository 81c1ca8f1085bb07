package muxtap

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scripted is a socket from which given octets come in pieces of a size, and which keeps what is written.
type scripted struct {
	net.Conn
	in    []byte
	piece int

	lock    sync.Mutex
	written []byte
}

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.piece)], s.in)
	s.in = s.in[n:]
	return n, nil
}

func (s *scripted) Write(p []byte) (int, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.written = append(s.written, p...)
	return len(p), nil
}

func (s *scripted) SetWriteDeadline(time.Time) error { return nil }
func (s *scripted) Close() error                     { return nil }

// frames is what a conversation is made of that has a stream taken, for fuzzing to begin with.
func frames(flags uint16) []byte {
	out := header{kind: typeWindow, flags: flagSYN, stream: 1}.append(nil)
	out = append(header{stream: 1, length: 4}.append(out), number(7)...)
	out = append(header{stream: 1, flags: flags, length: 5}.append(out), "hello"...)
	out = header{kind: typeWindow, stream: 1, length: 1000}.append(out)
	out = header{kind: typePing, flags: flagSYN, length: 3}.append(out)
	out = header{kind: typeWindow, flags: flagSYN, stream: 3}.append(out)
	return append(header{stream: 3, length: 2}.append(out), "hi"...)
}

func FuzzTap(f *testing.F) {
	for _, flags := range []uint16{0, flagACK, flagFIN, flagRST, flagSYN} {
		f.Add(frames(flags), frames(flags), uint16(1))
		f.Add(frames(flags), frames(flags), uint16(1000))
	}
	f.Add(header{version: 1, length: 5}.append(nil), header{kind: 200, length: 1 << 31}.append(nil), uint16(7))
	f.Add(header{stream: 1, length: 1<<32 - 1}.append(frames(0)), header{stream: 1, length: 1<<32 - 1}.append(nil), uint16(64))
	f.Fuzz(func(t *testing.T, in, out []byte, piece uint16) {
		size := int(piece)%4096 + 1
		for _, expected := range []bool{false, true} {
			socket := &scripted{in: in, piece: size}
			tap := New(socket)
			var streams []*Stream
			if expected {
				take := func(stream *Stream) { streams = append(streams, stream) }
				tap.Expect(7, take)
				tap.ExpectDial(7, take)
			}
			var writing sync.WaitGroup
			writing.Go(func() {
				for rest := out; len(rest) > 0; {
					n, err := tap.Write(rest[:min(len(rest), size)])
					if err != nil {
						return
					}
					rest = rest[n:]
				}
			})
			got, err := io.ReadAll(&limited{tap, size})
			writing.Wait()
			require.NoError(t, tap.Close())
			for _, stream := range streams {
				_, _ = io.ReadAll(stream)
				_, err := stream.Write([]byte{1})
				require.Error(t, err)
			}
			if !expected {
				require.NoError(t, err)
				// What is less than a frame at the end goes no further.
				require.True(t, bytes.HasPrefix(in, got), "other octets came")
				require.Less(t, len(in)-len(got), headerSize+numberSize)
				require.True(t, bytes.HasPrefix(out, socket.written), "other octets were sent")
			}
		}
	})
}

// limited reads pieces of a size.
type limited struct {
	io.Reader
	size int
}

func (l *limited) Read(p []byte) (int, error) { return l.Reader.Read(p[:min(len(p), l.size)]) }
