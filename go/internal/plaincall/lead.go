package plaincall

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A call that finds nobody reading leads: it looks for its response on its own goroutine for a moment. That is the way
// of one caller after the other, and nothing is handed over on it: a goroutine that reads for others has to be woken by
// the runtime and has to wake the caller, each of which may wake a further thread. If the response takes longer, or
// other calls wait when it is there, a goroutine reads for all until none waits. Between calls nobody reads.
//
// Where several waited together of late, none leads: the goroutine that looks keeps a processor from the others, and from
// the plugin if the scheduler has put it on the same. With one caller the scheduler soon parts them, unless the caller
// gives way; then both go on to share a processor while the other is idle. So it does only in a process that keeps to one
// processor: there is a third then that needs the other.

// triesForOne is how often a goroutine that looks for all tries before it gives way.
const triesForOne = 8

// stale is how long a link may go unread until it is looked at before the next call.
const stale = 100 * time.Millisecond

// lead looks for the response of a call, and lets a goroutine read if it has not come.
func (l *link) lead(c *call) {
	if !c.alone || !l.patience.wantsToLook() {
		go l.readForAll()
		return
	}
	l.source.look()
	for until := time.Now().Add(lookFor); !c.hasEnded() || l.frames.holdsFrame(); {
		err := l.readFrame()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if time.Now().After(until) {
				break
			}
			if l.oneProcessor {
				runtime.Gosched() // other callers may have something to send
				giveWay()
			}
		} else if err != nil {
			l.lose(err)
			return
		}
	}
	l.patience.learn(c.hasEnded())
	l.resign()
}

// resign lets another goroutine read, if calls still wait.
func (l *link) resign() {
	l.lock.Lock()
	waiting := len(l.calls) > 0
	l.led = waiting
	if !waiting {
		l.used = time.Now()
	}
	l.lock.Unlock()
	if waiting {
		go l.readForAll()
	}
}

// readForAll reads as long as calls wait.
func (l *link) readForAll() {
	for {
		err := l.lookForAll()
		for first := true; err == nil && (first || l.frames.holdsFrame()); first = false {
			err = l.readFrame()
		}
		if err != nil {
			l.lose(err)
			return
		}
		l.lock.Lock()
		if len(l.calls) == 0 {
			l.led, l.used = false, time.Now()
			l.lock.Unlock()
			return
		}
		l.lock.Unlock()
	}
}

// lookForAll looks for a frame for a moment, while those who got their responses make their next calls. It leaves a link
// that is read by waiting. A process that keeps to one processor only waits: its callers and a third process need that
// processor.
func (l *link) lookForAll() error {
	defer l.source.park()
	if l.oneProcessor || l.frames.holdsFrame() || !l.allPatience.wantsToLook() {
		return nil
	}
	l.source.look()
	until := time.Now().Add(lookFor)
	for tries := 1; ; tries++ {
		_, err := l.frames.Peek(frameHeaderSize)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			l.allPatience.learn(true)
			return err
		}
		if time.Now().After(until) {
			l.allPatience.learn(false)
			return nil
		}
		runtime.Gosched()
		if tries%triesForOne == 0 {
			giveWay() // seldom: it is the callers on this side who have something to do
		}
	}
}

// look takes in what has come while nobody read, such as the end of the connection, if that was for long.
func (l *link) look() {
	l.lock.Lock()
	if l.led || time.Since(l.used) < stale {
		l.lock.Unlock()
		return
	}
	l.led = true
	l.lock.Unlock()
	l.source.look()
	for {
		err := l.readFrame()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			l.lose(err)
			return
		}
	}
	l.resign()
}

func (l *link) readFrame() error {
	header, payload, err := l.frames.next()
	if err != nil {
		return err
	}
	return l.frame(header, payload)
}

// lose ends a link that only the caller reads from, and all calls on it. Nobody will read from it any more.
func (l *link) lose(why error) {
	_ = l.socket.Close()
	if errors.Is(why, io.EOF) || errors.Is(why, net.ErrClosed) {
		why = errors.New("the connection is closed")
	}
	l.lock.Lock()
	l.closing = true
	lost := l.calls
	l.calls = map[uint32]*call{}
	l.alarm.stop()
	taken := l.taken
	l.lock.Unlock()
	for _, c := range lost {
		c.refused = c.stream > taken
		c.end(status.Errorf(codes.Unavailable, "the plugin's process is gone: %v", why))
	}
}
