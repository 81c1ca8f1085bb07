package peers

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// read returns the credentials of the process at the other end, as they were when it connected.
func read(fd int) (credentials, error) {
	found, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return credentials{}, err
	}
	c := credentials{user: int(found.Uid), groups: []int{int(found.Gid)}}
	// NGROUPS_MAX of them at most. A kernel that is too old to tell knows no further groups.
	further := make([]uint32, 1024)
	for {
		size := uint32(len(further) * 4)
		_, _, number := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&further[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case number == 0:
			for _, group := range further[:size/4] {
				c.groups = append(c.groups, int(group))
			}
			return c, nil
		case errors.Is(number, unix.ERANGE) && int(size) > len(further)*4:
			further = make([]uint32, size/4)
		case errors.Is(number, unix.ENOPROTOOPT):
			return c, nil
		default:
			return c, number
		}
	}
}
