package netrpcwire

import "sync"

// maxIdle is how many goroutines stay while there is nothing to do.
const maxIdle = 256

// workers are goroutines that stay: their stacks have grown.
type workers struct {
	work    func(*call)
	waiting chan *call
	running sync.WaitGroup

	lock sync.Mutex
	idle int
}

func newWorkers(work func(*call)) *workers {
	return &workers{work: work, waiting: make(chan *call)}
}

// do has one of them do something, a new one if all are busy.
func (w *workers) do(c *call) {
	select {
	case w.waiting <- c:
	default:
		w.running.Go(func() { w.run(c) })
	}
}

func (w *workers) run(c *call) {
	for {
		w.work(c)
		if !w.stays(+1) {
			return
		}
		next, ok := <-w.waiting
		w.stays(-1)
		if !ok {
			return
		}
		c = next
	}
}

// stays counts who waits, and tells whether there may be one more.
func (w *workers) stays(change int) bool {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.idle+change > maxIdle {
		return false
	}
	w.idle += change
	return true
}

// stop waits until all has been done. do is not called any more.
func (w *workers) stop() {
	close(w.waiting)
	w.running.Wait()
}
