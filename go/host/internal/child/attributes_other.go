//go:build unix && !linux

package child

import (
	"os/exec"
	"syscall"
)

// setProcessAttributes puts the process into a group of its own, out of reach of a terminal's Ctrl-C. That the host
// died it learns from the end of its connections.
func setProcessAttributes(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
