package plaincall

import (
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// Handing a call to another goroutine costs more than handling a small one. So where a client makes one call after the
// other, the goroutine that has read a call handles it and reads on afterwards. A handler that takes longer must hold
// nobody up: a watch that looks every millisecond has another goroutine read then.

// Where several calls are read at once, it handles them in turn if the handlers of their methods are short, and writes a
// few answers together. It looks for more while the client works on those.

// rapid is how long after another a call is one by itself.
const rapid = 300 * time.Microsecond

// mostPutOff is how many octets of answers wait for those to the calls that were read along with theirs: some four. With
// more the client is idle meanwhile, with fewer there are more system calls.
const mostPutOff = 512

// read reads until the link ends or another goroutine reads.
func (l *serverLink) read() {
	l.catchUp()
	for {
		header, payload, err := l.next()
		if err == nil {
			err = l.frame(header, payload)
		}
		if err != nil {
			l.fail(err)
			return
		}
		if call := l.ready; call != nil {
			l.ready = nil
			if !l.handle(call) {
				return
			}
		}
	}
}

// mayHandle tells whether the goroutine that reads may handle a call whose request is complete. If so, it has to.
func (l *serverLink) mayHandle(call *ServerCall) bool {
	now := time.Now()
	quick := now.Sub(l.answered) < rapid
	l.answered = now
	if quick {
		l.server.watch.start(l.server)
	}
	several := l.frames.holdsFrame()
	l.crowd = l.crowd || several
	if !call.method.duration.isShort() && (several || l.handlesMoreThan(1)) {
		return false // others would have to wait for it, or those that have come to be answered meanwhile
	}
	// In this order: a watch that ends looks for calls once more.
	l.server.watch.handling.Add(1)
	if l.server.watch.active.Load() {
		return true
	}
	l.server.watch.handling.Add(-1)
	return false
}

// handle handles a call, and tells whether this goroutine still is the one that reads.
func (l *serverLink) handle(call *ServerCall) bool {
	if l.putsOff != l.frames.holdsFrame() {
		l.lock.Lock()
		l.putsOff = !l.putsOff
		l.lock.Unlock()
	}
	alone := l.server.watch.latest.Swap(l) == l
	run := l.runs.Add(1)
	l.turn.Store(run) // from here on the watch may have another goroutine read
	call.handle()
	l.server.watch.handling.Add(-1)
	if !l.turn.CompareAndSwap(run, 0) {
		return false // there may be a later run by now
	}
	l.looks = alone && !l.handlesMoreThan(0)
	l.answered = time.Now()
	return true
}

// handlesMoreThan tells whether more than so many calls of the link are under way.
func (l *serverLink) handlesMoreThan(calls int) bool {
	l.lock.Lock()
	defer l.lock.Unlock()
	return len(l.calls) > calls
}

// next waits for a frame, looking for it first if the last call was answered just now and all of late came on this
// link.
func (l *serverLink) next() (frameHeader, []byte, error) {
	if l.putsOff && !l.frames.holdsFrame() {
		l.catchUp()
	}
	if l.looks {
		l.looks = false
		if l.patience.wantsToLook() {
			l.source.look()
			patient := lookForOne
			if l.crowd {
				patient = lookFor
			}
			l.crowd = false
			for until := l.answered.Add(patient); l.server.watch.latest.Load() == l; {
				header, payload, err := l.frames.next()
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					l.patience.learn(true)
					return header, payload, err
				}
				if time.Now().After(until) {
					break
				}
				giveWay()
			}
			l.patience.learn(false)
		}
	}
	l.source.park()
	return l.frames.next()
}

// catchUp writes what was put off.
func (l *serverLink) catchUp() {
	l.lock.Lock()
	l.putsOff = false
	l.flush()
}

// duration is how long a method's handler takes, of late.
type duration struct{ average atomic.Int64 }

const (
	// short is a handler for which it does not pay to hand a call to another goroutine.
	short = 20 * time.Microsecond
	// Longer ones all count the same, so that a goroutine that was interrupted does not count for long.
	long = 10 * short
)

// learn takes in how long a handler took.
func (d *duration) learn(took time.Duration) {
	d.average.Store((7*d.average.Load() + int64(min(took, long))) / 8) // a value that is lost now and then is no harm
}

// isShort tells whether the next call most likely is short.
func (d *duration) isShort() bool { return d.average.Load() < int64(short) }

// watch looks after the goroutines that handle what they have read, as long as there is something to do.
type watch struct {
	active   atomic.Bool
	handling atomic.Int32               // calls handled by goroutines that read
	latest   atomic.Pointer[serverLink] // whose goroutine handled the latest one
}

const (
	tick       = time.Millisecond
	quietTicks = 20
)

// start begins to watch, if not already.
func (w *watch) start(s *Server) {
	if w.active.CompareAndSwap(false, true) {
		s.serving.Go(func() { w.run(s) })
	}
}

func (w *watch) run(s *Server) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for quiet := 0; ; quiet++ {
		select {
		case <-ticker.C:
		case <-s.stop:
			return
		}
		if w.look(s) {
			quiet = 0
		}
		if quiet >= quietTicks {
			w.active.Store(false)
			if w.handling.Load() == 0 || !w.active.CompareAndSwap(false, true) {
				return
			}
		}
	}
}

// look has other goroutines read where a call has been handled since the last look, and tells whether calls began.
func (w *watch) look(s *Server) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	began := false
	for link := range s.links {
		runs := link.runs.Load()
		switch {
		case runs != link.seen:
			link.seen, began = runs, true
		case runs != 0 && link.turn.CompareAndSwap(runs, 0):
			s.serving.Go(link.read)
		}
	}
	return began
}
