package peers

import "golang.org/x/sys/unix"

// read returns the credentials of the process at the other end, as they were when it connected.
func read(fd int) (credentials, error) {
	found, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return credentials{}, err
	}
	c := credentials{user: int(found.Uid)}
	for _, group := range found.Groups[:max(0, min(int(found.Ngroups), len(found.Groups)))] {
		c.groups = append(c.groups, int(group))
	}
	return c, nil
}
