package muxtap

import (
	"net"
	"runtime"
	"sync"
	"time"
)

const (
	// maxQueue is how much may wait to be written before who writes has to wait, and how large a buffer is kept.
	maxQueue = 1 << 20

	// closeGrace is how long the other side may take for what was sent before the connection is closed.
	closeGrace = 100 * time.Millisecond
)

// outbound writes frames to the socket, on a goroutine of its own. It lets those go first that are ready to run, so that
// what they have to say is written along.
type outbound struct {
	socket net.Conn
	ended  chan struct{} // the goroutine has

	lock    sync.Mutex
	wake    sync.Cond // of the goroutine
	room    sync.Cond // of who waits to write
	queue   []byte
	spare   []byte
	closing bool
	failed  error
}

func newOutbound(socket net.Conn) *outbound {
	o := &outbound{socket: socket, ended: make(chan struct{})}
	o.wake.L, o.room.L = &o.lock, &o.lock
	go o.run()
	return o
}

func (o *outbound) run() {
	defer close(o.ended)
	o.lock.Lock()
	defer o.lock.Unlock()
	for {
		for len(o.queue) == 0 && o.failed == nil && !o.closing {
			o.wake.Wait()
		}
		if len(o.queue) == 0 || o.failed != nil {
			return
		}
		o.lock.Unlock()
		runtime.Gosched()
		o.lock.Lock()
		o.write()
	}
}

// write writes what is in the queue. The lock is held, but not meanwhile.
func (o *outbound) write() {
	out := o.queue
	o.queue, o.spare = o.spare[:0], nil
	o.lock.Unlock()
	_, err := o.socket.Write(out)
	o.lock.Lock()
	if cap(out) <= 2*maxQueue {
		o.spare = out
	}
	if err != nil && o.failed == nil {
		o.failed = err
	}
	if len(out) >= maxQueue || o.failed != nil {
		o.room.Broadcast()
	}
}

// queued has what was put into the queue written. The lock is held.
func (o *outbound) queued() error {
	o.wake.Signal()
	return o.failed
}

// frame sends a frame of the session's.
func (o *outbound) frame(head, content []byte) error {
	o.lock.Lock()
	defer o.lock.Unlock()
	for len(o.queue) >= maxQueue && o.failed == nil {
		o.room.Wait()
	}
	o.queue = append(append(o.queue, head...), content...)
	return o.queued()
}

// fail ends everything.
func (o *outbound) fail(why error) {
	o.lock.Lock()
	defer o.lock.Unlock()
	if o.failed == nil {
		o.failed = why
	}
	o.wake.Signal()
	o.room.Broadcast()
}

// close waits for what was sent to be written.
func (o *outbound) close() {
	_ = o.socket.SetWriteDeadline(time.Now().Add(closeGrace)) // a socket that is closed needs none
	o.lock.Lock()
	o.closing = true
	o.wake.Signal()
	o.lock.Unlock()
	<-o.ended
}
