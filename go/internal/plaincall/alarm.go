package plaincall

import "time"

// alarm rings at the first of the moments that it was set for: one timer for all calls of a connection. Deadlines that
// are as long as each other come one after the other, so that most calls do not touch it. The lock of the connection
// guards it.
type alarm struct {
	at    time.Time // zero: it is not set
	timer *time.Timer
}

// set has it ring at a moment, or before; zero: it need not. ring is called without the lock, and sets it for what is
// left.
func (a *alarm) set(moment time.Time, ring func()) {
	if moment.IsZero() || !a.at.IsZero() && !moment.Before(a.at) {
		return
	}
	a.at = moment
	if a.timer == nil {
		a.timer = time.AfterFunc(time.Until(moment), ring)
	} else {
		a.timer.Reset(time.Until(moment))
	}
}

// rang tells that it has rung. It returns when that was, for whose moment is not after it.
func (a *alarm) rang() time.Time {
	a.at = time.Time{}
	return time.Now()
}

// stop has it ring no more.
func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}
