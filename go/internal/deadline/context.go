// Package deadline has a context for calls that only a deadline or their own end can end.
package deadline

import (
	"context"
	"sync"
	"time"
)

// Context is the context of a call. Most calls never ask for its end, so that the timer and the channel are made only
// when one does. The zero value has no deadline.
type Context struct {
	deadline time.Time // zero: none

	lock  sync.Mutex
	done  chan struct{}
	timer *time.Timer
	err   error
}

// After returns a context that ends after so long.
func After(limit time.Duration) *Context { return &Context{deadline: time.Now().Add(limit)} }

// Set gives a context that nobody uses yet its deadline.
func (c *Context) Set(deadline time.Time) { c.deadline = deadline }

// Deadline returns when the context ends by itself.
func (c *Context) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Value returns nil: the context carries nothing.
func (c *Context) Value(any) any { return nil }

// Done returns a channel that is closed when the context ends.
func (c *Context) Done() <-chan struct{} {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		} else if !c.deadline.IsZero() {
			c.timer = time.AfterFunc(time.Until(c.deadline), func() { c.End(context.DeadlineExceeded) })
		}
	}
	return c.done
}

// Err returns why the context has ended, nil if it has not.
func (c *Context) Err() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.err == nil && !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		c.end(context.DeadlineExceeded)
	}
	return c.err
}

// End ends the context, if it has not ended.
func (c *Context) End(reason error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.end(reason)
}

func (c *Context) end(reason error) {
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
