package plaincall

import (
	"errors"
	"net"
	"sync"
)

// writer writes to a socket what several goroutines have to say. Whoever comes first writes, for those too that come
// meanwhile.
type writer struct {
	socket net.Conn

	lock    sync.Mutex
	out     []byte // to be written
	spare   []byte // the buffer that was written last
	writing bool
}

// maxSpare is how large a buffer may be to be used again.
const maxSpare = 1 << 20

// flush writes what is in out and unlocks lock, which has to be held. If another goroutine writes, it takes this along.
func (w *writer) flush() {
	if w.writing {
		w.lock.Unlock()
		return
	}
	w.writing = true
	for len(w.out) > 0 {
		out := w.out
		w.out, w.spare = w.spare[:0], nil
		w.lock.Unlock()
		_, err := w.socket.Write(out)
		w.lock.Lock()
		if cap(out) <= maxSpare {
			w.spare = out
		}
		if err != nil {
			w.out = nil
			// The reader hears of it too, and ends all calls.
			_ = w.socket.Close()
		}
	}
	w.writing = false
	w.lock.Unlock()
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
