package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of the times in /proc, which is the same on every Linux.
const clockTick = 10 * time.Millisecond

// process is one that this process started, or one of those did.
type process struct {
	pid, parent int
	name        string
	used        time.Duration // processor time
}

// descendants returns all processes that descend from this one.
func descendants() []process {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	all := map[int]process{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		// The program's name, in parentheses, may contain anything.
		text := string(data)
		begin, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
		fields := strings.Fields(text[end+1:])
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, _ := strconv.Atoi(fields[1])
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		all[pid] = process{pid: pid, parent: parent, name: text[begin+1 : end], used: time.Duration(user+system) * clockTick}
	}
	var found []process
	for _, each := range all {
		for up := each.parent; up != 0; up = all[up].parent {
			if up == os.Getpid() {
				found = append(found, each)
				break
			}
		}
	}
	return found
}

const mebibyte = 1 << 20

// memory returns what the plugin's processes have in memory: resident, and their share of it (what several processes
// use together counts in parts).
func (b *bench) memory(int) (map[string]float64, error) { return memoryNow() }

func memoryNow() (map[string]float64, error) {
	values := map[string]float64{}
	for _, each := range descendants() {
		used, err := usedMemory(each.pid)
		if err != nil {
			return nil, err
		}
		values["MiB"] += used.resident
		values["MiB, shared in parts"] += used.share
		part := "Python"
		if each.name == "executable" {
			part = "Go"
		}
		values["MiB of "+part] += used.resident
	}
	return values, nil
}

type usage struct{ resident, share float64 }

func usedMemory(pid int) (usage, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return usage{}, err
	}
	var used usage
	for line := range strings.Lines(string(data)) {
		name, value, found := strings.Cut(line, ":")
		if !found || name != "Rss" && name != "Pss" {
			continue
		}
		size, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
		if err != nil {
			return usage{}, err
		}
		if size *= 1024.0 / mebibyte; name == "Rss" {
			used.resident = size
		} else {
			used.share = size
		}
	}
	return used, nil
}
