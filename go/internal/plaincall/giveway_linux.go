package plaincall

import "syscall"

const canGiveWay = true

// giveWay lets another thread run that is waiting for this processor; without one it returns at once. Who looks for
// something again and again has to call it: Linux takes a thread that writes to a Unix socket for one that is about to
// wait, puts the reader that it wakes on the same processor, and where the others were busy of late does not ask whether
// they still are. Then the reader waits for the one who looks for its answer.
func giveWay() {
	// Raw, so that the runtime does not take this for a system call that takes long and start another thread.
	_, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
}
