package main

import (
	"syscall"
	"time"
)

// cpu is processor time used so far: by this process, and by all it started that still run (0 where there is no /proc).
type cpu struct{ host, plugin time.Duration }

func cpuNow() cpu {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return cpu{}
	}
	now := cpu{host: time.Duration(usage.Utime.Nano() + usage.Stime.Nano())}
	for _, process := range descendants() {
		now.plugin += process.used
	}
	return now
}

// since returns the microseconds used per call since before.
func (before cpu) since(calls int) (host, plugin float64) {
	now := cpuNow()
	return microseconds(now.host-before.host) / float64(calls), microseconds(now.plugin-before.plugin) / float64(calls)
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
