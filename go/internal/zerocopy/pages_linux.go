package zerocopy

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// slots is how many pieces there is room for: those that wait in the socket, and the one that comes next.
	slots = 3
	// lent is how much is lent at once.
	lent   = 1 << 20
	stride = Margin + lent + Margin
)

// pages is a file in memory, mapped.
type pages struct {
	file   int
	memory []byte
}

// kept are those that are free.
var kept sync.Pool

// takePages returns pages that nobody uses.
func takePages() (*pages, error) {
	if free, ok := kept.Get().(*pages); ok {
		return free, nil
	}
	file, err := unix.MemfdCreate("body", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // Linux before 6.3
		file, err = unix.MemfdCreate("body", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, fmt.Errorf("create a file in memory: %w", err)
	}
	if err := unix.Ftruncate(file, slots*stride); err != nil {
		return nil, errors.Join(fmt.Errorf("size a file in memory: %w", err), unix.Close(file))
	}
	memory, err := unix.Mmap(file, 0, slots*stride, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("map a file in memory: %w", err), unix.Close(file))
	}
	made := &pages{file: file, memory: memory}
	runtime.AddCleanup(made, func(file int) {
		_ = errors.Join(unix.Munmap(memory), unix.Close(file)) // nobody is left who could do anything about it
	}, file)
	return made, nil
}

// keep lets others take the pages.
func (p *pages) keep() { kept.Put(p) }

func (p *pages) offset(slot int) int64 { return int64(slot * stride) }

func (p *pages) slot(slot int) []byte { return p.memory[slot*stride : (slot+1)*stride] }
