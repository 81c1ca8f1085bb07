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

// rapid is how long after another a call is one by itself.
const rapid = 300 * time.Microsecond

// read reads until the link ends or another goroutine reads.
func (l *serverLink) read() {
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
func (l *serverLink) mayHandle() bool {
	now := time.Now()
	quick := now.Sub(l.answered) < rapid
	l.answered = now
	if quick {
		l.server.watch.start(l.server)
	}
	if l.frames.holdsFrame() {
		return false
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
func (l *serverLink) handle(call *serverCall) bool {
	alone := l.server.watch.latest.Swap(l) == l
	run := l.runs.Add(1)
	l.turn.Store(run)
	call.handle()
	l.server.watch.handling.Add(-1)
	if !l.turn.CompareAndSwap(run, 0) {
		return false // there may be a later run by now
	}
	l.looks = alone
	l.answered = time.Now()
	return true
}

// next waits for a frame, looking for it first if the last call was answered just now and all of late came on this
// link.
func (l *serverLink) next() (frameHeader, []byte, error) {
	if l.looks {
		l.looks = false
		if l.patience.wantsToLook() {
			l.source.look()
			for until := l.answered.Add(lookFor); l.server.watch.latest.Load() == l; {
				header, payload, err := l.frames.next()
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					l.patience.learn(true)
					return header, payload, err
				}
				if time.Now().After(until) {
					break
				}
			}
			l.patience.learn(false)
		}
	}
	l.source.park()
	return l.frames.next()
}

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
