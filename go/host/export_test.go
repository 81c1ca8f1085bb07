package host

import "time"

// SetClock has a plugin take the time from a test.
func (c *Config) SetClock(now func() time.Time, after func(time.Duration) <-chan time.Time) {
	c.clock = clock{now: now, after: after}
}
