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
	file    int
	memory  []byte
	dropped runtime.Cleanup // what is done when nobody has them any more
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
	made.dropped = runtime.AddCleanup(made, func(file int) { free(memory, file) }, file)
	return made, nil
}

func free(memory []byte, file int) {
	_ = errors.Join(unix.Munmap(memory), unix.Close(file)) // there is nothing to be done about it
}

// keep lets others take the pages.
func (p *pages) keep() { kept.Put(p) }

// free gives them back to the system, which has those that a reader has not received until it has. The collector would do
// so at last; but it does not know how large they are, and is in no hurry.
func (p *pages) free() {
	p.dropped.Stop()
	free(p.memory, p.file)
}

func (p *pages) offset(slot int) int64 { return int64(slot * stride) }

func (p *pages) slot(slot int) []byte { return p.memory[slot*stride : (slot+1)*stride] }
