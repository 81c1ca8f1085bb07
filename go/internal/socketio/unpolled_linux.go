package socketio

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// unpolled is a socket that the runtime's poller knows only while somebody waits for it.
type unpolled struct {
	lock   sync.RWMutex // whoever uses the descriptor shares it
	fd     int
	closed bool

	readable *waiting
	writable *waiting // nil: nobody has had to wait yet
}

// newUnpolled returns a handle of a socket with a descriptor of its own, in the place of the socket's.
func newUnpolled(socket net.Conn, raw syscall.RawConn) (handle, error) {
	fd := -1
	var failure error
	err := raw.Control(func(own uintptr) { fd, failure = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(err, failure); err != nil {
		return nil, err
	}
	readable, err := newWaiting(fd, unix.EPOLLIN|unix.EPOLLRDHUP)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	if err := socket.Close(); err != nil { // the poller forgets it; the connection is the new descriptor's
		return nil, errors.Join(err, readable.close(), unix.Close(fd))
	}
	return &unpolled{fd: fd, readable: readable}, nil
}

func (h *unpolled) read(try func(fd uintptr) bool) error {
	done, err := h.use(try)
	if done || err != nil {
		return err
	}
	return h.wait(h.readable, try)
}

func (h *unpolled) write(try func(fd uintptr) bool) error {
	done, err := h.use(try)
	if done || err != nil {
		return err
	}
	if err := h.makeWritable(); err != nil {
		return err
	}
	return h.wait(h.writable, try)
}

// use has something done with the descriptor, unless it is closed.
func (h *unpolled) use(try func(fd uintptr) bool) (bool, error) {
	h.lock.RLock()
	defer h.lock.RUnlock()
	if h.closed {
		return false, net.ErrClosed
	}
	return try(uintptr(h.fd)), nil
}

func (h *unpolled) makeWritable() error {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.closed {
		return net.ErrClosed
	}
	if h.writable != nil {
		return nil
	}
	writable, err := newWaiting(h.fd, unix.EPOLLOUT)
	h.writable = writable
	return err
}

// wait tries again and again, each time that waiting has come to an end.
func (h *unpolled) wait(waiting *waiting, try func(fd uintptr) bool) error {
	var failure error
	err := waiting.raw.Read(func(poll uintptr) bool {
		if failure = waiting.disarm(int(poll)); failure != nil {
			return true
		}
		var unarmed error
		done, err := h.use(func(fd uintptr) bool {
			if try(fd) {
				return true
			}
			unarmed = waiting.arm(int(poll), int(fd))
			return false
		})
		failure = errors.Join(err, unarmed)
		return done || failure != nil
	})
	if err != nil { // only closing ends it
		return net.ErrClosed
	}
	return failure
}

func (h *unpolled) shutdown(how int) error {
	var failure error
	_, err := h.use(func(fd uintptr) bool {
		failure = unix.Shutdown(int(fd), how)
		return true
	})
	return errors.Join(err, failure)
}

func (h *unpolled) close() error {
	h.lock.Lock()
	closed := h.closed
	h.closed = true // from here on nobody uses the descriptor
	h.lock.Unlock()
	if closed {
		return net.ErrClosed
	}
	err := h.readable.close() // which waits for who waits
	if h.writable != nil {
		err = errors.Join(err, h.writable.close())
	}
	return errors.Join(err, unix.Close(h.fd))
}

// waiting is how to wait until a socket can be read, or written to: the runtime's poller knows an instance of epoll, which
// lets it hear of the socket once when it is armed.
type waiting struct {
	poll   *os.File
	raw    syscall.RawConn
	events uint32
	armed  bool
	heard  [1]unix.EpollEvent
}

func newWaiting(fd int, events uint32) (*waiting, error) {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create an instance of epoll: %w", err)
	}
	if err := unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLONESHOT}); err != nil {
		return nil, errors.Join(fmt.Errorf("add a socket to an instance of epoll: %w", err), unix.Close(poll))
	}
	if err := unix.SetNonblock(poll, true); err != nil { // for os.NewFile: it can be polled
		return nil, errors.Join(err, unix.Close(poll))
	}
	file := os.NewFile(uintptr(poll), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &waiting{poll: file, raw: raw, events: events}, nil
}

// arm lets the poller hear of the socket.
func (w *waiting) arm(poll, fd int) error {
	w.armed = true
	return unix.EpollCtl(poll, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: w.events | unix.EPOLLONESHOT})
}

// disarm takes what the poller has heard of, after which it hears no more.
func (w *waiting) disarm(poll int) error {
	for w.armed {
		_, err := unix.EpollWait(poll, w.heard[:], 0)
		if err == nil {
			w.armed = false
		} else if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
	return nil
}

func (w *waiting) close() error { return w.poll.Close() }
