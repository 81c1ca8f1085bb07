package plaincall

import (
	"errors"
	"runtime"
	"sync"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketio"
)

// writer writes to a socket what several goroutines have to say. Whoever comes first writes, for those too that come
// meanwhile.
type writer struct {
	socket *socketio.Conn

	lock    sync.Mutex
	out     []byte // to be written
	spare   []byte // the buffer that was written last
	writing bool
	failed  bool   // the socket took no more
	queued  uint32 // the newest stream of which something is in out, or was
	taken   uint32 // the newest one of which the socket may have taken something
	soon    bool   // a goroutine is about to write
	yields  bool   // goroutines that are ready come first, so that what they have to say is written along
}

// maxSpare is how large a buffer may be to be used again.
const maxSpare = 1 << 20

// flush writes what is in out and unlocks lock, which has to be held. If another goroutine writes, it takes this along.
// It tells whether this may have been taken by the socket: if not, certainly no octet of it was.
func (w *writer) flush() bool {
	if w.writing || w.failed {
		defer w.lock.Unlock()
		return !w.failed
	}
	w.writing = true
	taken := true
	if w.yields {
		w.yields = false
		w.lock.Unlock()
		runtime.Gosched()
		w.lock.Lock()
	}
	for first := true; len(w.out) > 0; first = false {
		out, before := w.out, w.taken
		w.taken = w.queued
		w.out, w.spare = w.spare[:0], nil
		w.lock.Unlock()
		n, err := w.socket.Write(out)
		w.lock.Lock()
		if cap(out) <= maxSpare {
			w.spare = out
		}
		if err != nil {
			if n == 0 {
				w.taken = before
			}
			w.out, w.failed = nil, true
			taken = !first || n > 0
			breakOff(w.socket) // the reader hears of it, and ends all calls
		}
	}
	w.writing = false
	w.lock.Unlock()
	return taken
}

// flushSoon has what is in out written by another goroutine, together with what is said until that one gets to run: who
// calls it does not wait for the socket. The lock is held.
func (w *writer) flushSoon() {
	if w.soon || w.writing || w.failed {
		return
	}
	w.soon = true
	go func() {
		w.lock.Lock()
		w.soon = false
		w.flush()
	}()
}

// breakOff lets whoever reads from a socket find its end, or whoever will: closing it would have to wait for the reader.
func breakOff(socket *socketio.Conn) {
	_ = socket.CloseRead()
	_ = socket.CloseWrite()
}

// give queues frames and writes them.
func (w *writer) give(add func(out []byte) []byte) {
	w.lock.Lock()
	w.out = add(w.out)
	w.flush()
}

// answerPing answers a PING frame that is not an answer itself.
func (w *writer) answerPing(header frameHeader, payload []byte) error {
	if len(payload) != 8 {
		return errors.New("PING has a wrong size")
	}
	if header.flags&flagAck == 0 {
		w.give(func(out []byte) []byte {
			return append(appendFrameHeader(out, 8, framePing, flagAck, 0), payload...)
		})
	}
	return nil
}
