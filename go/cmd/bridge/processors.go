package main

import (
	"os"
	"runtime"
)

// shareProcessors leaves half of the processors to the server and to Python, between which the bridge carries. With more
// of its own the runtime wakes a thread at every step of a call to look whether it finds something to do, which takes a
// processor from those two and gains nothing: one caller waits for one of the three at a time.
func shareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
	}
}
