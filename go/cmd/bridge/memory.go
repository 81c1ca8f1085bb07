package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// collectAt is how much the heap may grow, in percent of what lives, before it is collected: from 4 MiB to 20.
	collectAt = 400

	// collectAbove is the memory from which the collector runs as often as it has to, to stay there if it can.
	collectAbove = 64 << 20

	// garbageRoom is how much garbage there may be beside much that lives.
	garbageRoom = 32 << 20
)

// limitGarbage makes the collector run seldom, but not so seldom that garbage fills the memory.
func limitGarbage() {
	if os.Getenv("GOGC") == "" {
		// What lives here is small, so that by default the collector would run hundreds of times a second under load.
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		// A GiB that streams through leaves garbage of a GiB: seldom must not mean never.
		debug.SetMemoryLimit(collectAbove)
		followLimit(new(sentinel))
	}
}

// sentinel is an object for itself: smaller ones share one with others.
type sentinel [16]byte

// followLimit keeps the limit above what lives, after each collection anew. Files that Mattermost's RPC moves in one
// piece live here, and the buffer they were encoded in for as long as the connection does: below that the collector
// would run all the time and free nothing.
func followLimit(sign *sentinel) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	lives := int64(live[0].Value.Uint64())
	debug.SetMemoryLimit(max(collectAbove, lives+lives/4+garbageRoom))
	// The sign is garbage at once, so this runs after the next collection.
	runtime.SetFinalizer(sign, func(*sentinel) { followLimit(new(sentinel)) })
}
