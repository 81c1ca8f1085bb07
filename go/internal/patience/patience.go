// Package patience measures how long a plugin lets others wait.
package patience

import (
	"sync"
	"time"
)

// Patience runs out when the next step was the plugin's for too long without a break. It does not while others are to
// do something.
type Patience struct {
	limit time.Duration
	timer *time.Timer

	lock sync.Mutex
	held int
	over bool
}

// New starts to wait. exhausted is called when the plugin took longer than limit; 0 means never.
func New(limit time.Duration, exhausted func()) *Patience {
	p := &Patience{limit: limit}
	if limit > 0 {
		p.timer = time.AfterFunc(limit, exhausted)
	}
	return p
}

// Hold says that somebody else is to do something now.
func (p *Patience) Hold() {
	if p.timer == nil {
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.held++
	p.timer.Stop()
}

// Resume takes a Hold back. After the last one it is the plugin's turn again.
func (p *Patience) Resume() {
	if p.timer == nil {
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.held--; p.held == 0 && !p.over {
		p.timer.Reset(p.limit)
	}
}

// End says that the plugin has done all that it had to.
func (p *Patience) End() {
	if p.timer == nil {
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.over = true
	p.timer.Stop()
}
