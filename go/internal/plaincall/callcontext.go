package plaincall

import (
	"context"
	"sync"
	"time"
)

// callContext is the context of a call. Most handlers never ask for its end, so that the timer and the channel are made
// only when one does.
type callContext struct {
	deadline time.Time // zero: none

	lock  sync.Mutex
	done  chan struct{}
	timer *time.Timer
	err   error
}

func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

func (c *callContext) Value(any) any { return nil }

func (c *callContext) Done() <-chan struct{} {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		} else if !c.deadline.IsZero() {
			c.timer = time.AfterFunc(time.Until(c.deadline), func() { c.end(context.DeadlineExceeded) })
		}
	}
	return c.done
}

func (c *callContext) Err() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.err == nil && !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		c.endLocked(context.DeadlineExceeded)
	}
	return c.err
}

// end ends the context, if it has not ended.
func (c *callContext) end(reason error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.endLocked(reason)
}

func (c *callContext) endLocked(reason error) {
	if c.err != nil {
		return
	}
	c.err = reason
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.done != nil {
		close(c.done)
	}
}
