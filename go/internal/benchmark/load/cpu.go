package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of the times in /proc, which is the same on every Linux.
const clockTick = 10 * time.Millisecond

// cpu is processor time used so far: by this process, and by all it started that still run (0 where there is no /proc).
type cpu struct{ host, plugin time.Duration }

func cpuNow() cpu {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return cpu{}
	}
	return cpu{
		host:   time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		plugin: descendants(),
	}
}

// perCall returns the microseconds used per call since before.
func (before cpu) perCall(calls int) (host, plugin float64) {
	now := cpuNow()
	return microseconds(now.host-before.host) / float64(calls), microseconds(now.plugin-before.plugin) / float64(calls)
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// descendants adds up the processor time of all processes that descend from this one.
func descendants() time.Duration {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	parents, ticks := map[int]int{}, map[int]int64{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		// The program's name, in parentheses, may contain anything.
		text := string(data)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parents[pid], _ = strconv.Atoi(fields[1])
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		ticks[pid] = user + system
	}
	var total time.Duration
	for pid := range parents {
		for up := parents[pid]; up != 0; up = parents[up] {
			if up == os.Getpid() {
				total += time.Duration(ticks[pid]) * clockTick
				break
			}
		}
	}
	return total
}
