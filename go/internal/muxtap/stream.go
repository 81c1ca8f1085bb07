package muxtap

import (
	"io"
	"sync"
)

// Stream is a stream of the connection that the session does not carry. It is read by one goroutine at a time, and
// written by one.
type Stream struct {
	id  uint32
	out *outbound

	// What has come.
	lock   sync.Mutex
	came   sync.Cond
	buffer []byte
	at     int // what was read of it
	owed   int // octets that were read and that the other side may not send again yet
	room   int // octets that the other side may send
	over   error

	// Under the lock of out.
	window int
	closed bool
}

// newStream returns a stream on which the session sends and receives a number.
func newStream(id uint32, out *outbound, opened opening) *Stream {
	s := &Stream{
		id:     id,
		out:    out,
		room:   initialWindow - numberSize + opened.allowed,
		window: initialWindow - numberSize + opened.granted,
	}
	s.came.L = &s.lock
	return s
}

// admit takes notice that so many octets are about to come, and tells whether they may.
func (s *Stream) admit(octets int) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.room -= octets
	return s.room >= 0
}

// allow takes notice that the session lets the other side send so many octets more.
func (s *Stream) allow(octets int) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.room += octets
}

// receive takes what has come.
func (s *Stream) receive(data []byte) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.at == len(s.buffer) {
		if s.at = 0; cap(s.buffer) > initialWindow {
			s.buffer = nil // something large went through
		}
		s.buffer = s.buffer[:0]
	} else if unread := len(s.buffer) - s.at; unread <= s.at && len(s.buffer)+len(data) > cap(s.buffer) {
		// A reader that is never quite done must not have it grow.
		s.buffer, s.at = s.buffer[:copy(s.buffer, s.buffer[s.at:])], 0
	}
	s.buffer = append(s.buffer, data...)
	s.came.Signal()
}

// finish has reading return why, after what has come.
func (s *Stream) finish(why error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.over == nil {
		s.over = why
	}
	s.came.Broadcast()
}

// end is finish, and has writing fail.
func (s *Stream) end(why error) {
	s.out.lock.Lock()
	s.closed = true
	s.out.room.Broadcast()
	s.out.lock.Unlock()
	s.finish(why) // who hears of the end writes no more
}

// give allows so many octets more to be sent.
func (s *Stream) give(octets int) {
	s.out.lock.Lock()
	defer s.out.lock.Unlock()
	s.window += octets
	s.out.room.Broadcast()
}

// Read implements io.Reader.
func (s *Stream) Read(p []byte) (int, error) {
	s.lock.Lock()
	for s.at == len(s.buffer) && s.over == nil {
		s.came.Wait()
	}
	n := copy(p, s.buffer[s.at:])
	if s.at += n; n == 0 && len(p) > 0 {
		defer s.lock.Unlock()
		return 0, s.over
	}
	s.owed += n
	owed := s.owed
	if owed < initialWindow/2 {
		owed = 0
	}
	s.owed -= owed
	s.room += owed
	s.lock.Unlock()
	if owed > 0 {
		s.out.lock.Lock()
		defer s.out.lock.Unlock()
		s.out.queue = header{kind: typeWindow, stream: s.id, length: uint32(owed)}.append(s.out.queue)
		_ = s.out.queued() // who reads on hears of the end
	}
	return n, nil
}

// Write implements io.Writer. It returns when all of p is queued, behind what was queued before it.
func (s *Stream) Write(p []byte) (int, error) {
	s.out.lock.Lock()
	defer s.out.lock.Unlock()
	written := 0
	for written < len(p) {
		if s.out.failed != nil {
			return written, s.out.failed
		}
		if s.closed {
			return written, io.ErrClosedPipe
		}
		size := min(len(p)-written, s.window)
		if size == 0 || len(s.out.queue) >= maxQueue {
			s.out.room.Wait()
			continue
		}
		s.window -= size
		s.out.queue = header{kind: typeData, stream: s.id, length: uint32(size)}.append(s.out.queue)
		s.out.queue = append(s.out.queue, p[written:written+size]...)
		written += size
		if err := s.out.queued(); err != nil {
			return written, err
		}
	}
	return written, nil
}

// Close implements io.Closer: nothing is read or written any more, and the other side hears so. The session's own end of
// the stream says nothing of that kind: what was written here goes first.
func (s *Stream) Close() error {
	s.out.lock.Lock()
	if !s.closed {
		s.closed = true
		s.out.queue = header{kind: typeWindow, flags: flagFIN, stream: s.id}.append(s.out.queue)
		_ = s.out.queued() // a connection that is gone has no other side
	}
	s.out.lock.Unlock()
	s.end(io.ErrClosedPipe)
	return nil
}
