package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// collections counts how often the collector runs while so much garbage is made.
func collections(garbage int) uint32 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range garbage >> 16 {
		sink = make([]byte, 1<<16)
	}
	runtime.ReadMemStats(&after)
	return after.NumGC - before.NumGC
}

var sink []byte

func TestTheCollectorRunsSeldomBesideMuchThatLives(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}()
	limitGarbage()

	file := make([]byte, 3*collectAbove)
	runtime.GC()
	settle(t, func(limit int64) bool { return limit > int64(len(file)) })
	// Each time there is room for at least as much.
	if times := collections(1 << 30); times > 1<<30/garbageRoom+2 {
		t.Errorf("collected %d times", times)
	}
	runtime.KeepAlive(file)

	file = nil
	settle(t, func(limit int64) bool { return limit == collectAbove })
}

// settle collects until the limit is as it should be.
func settle(t *testing.T, right func(limit int64) bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !right(debug.SetMemoryLimit(-1)); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the limit is %d", debug.SetMemoryLimit(-1))
		}
		runtime.GC()
	}
}
