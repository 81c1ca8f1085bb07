//go:build unix

package child

import "syscall"

// killGroup kills a process group. A group that is gone is no error: that was the aim.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// terminateGroup asks a process group to end.
func terminateGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGTERM) }
