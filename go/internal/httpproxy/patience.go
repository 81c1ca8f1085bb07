package httpproxy

import (
	"sync"
	"time"
)

// patience measures how long the plugin lets others wait: it runs while the next step is the plugin's, not while the
// client is sending.
type patience struct {
	limit time.Duration
	timer *time.Timer

	lock sync.Mutex
	over bool
}

// newPatience starts to wait. exhausted is called when the plugin took longer than limit; 0 means never.
func newPatience(limit time.Duration, exhausted func()) *patience {
	p := &patience{limit: limit}
	if limit > 0 {
		p.timer = time.AfterFunc(limit, exhausted)
	}
	return p
}

// hold says that the client is to do something now.
func (p *patience) hold() {
	if p.timer == nil {
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.timer.Stop()
}

// resume says that it is the plugin's turn again.
func (p *patience) resume() {
	if p.timer == nil {
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if !p.over {
		p.timer.Reset(p.limit)
	}
}

// end says that the plugin has answered.
func (p *patience) end() {
	if p.timer == nil {
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.over = true
	p.timer.Stop()
}
