package host

import "time"

// clock is the time as the supervisor sees it. The zero value is the system's.
type clock struct {
	now   func() time.Time
	after func(time.Duration) <-chan time.Time
}

func (c clock) completed() clock {
	if c.now == nil {
		return clock{now: time.Now, after: time.After}
	}
	return c
}
