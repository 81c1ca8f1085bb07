package child

import (
	"os/exec"
	"syscall"
)

// setProcessAttributes puts the process into a group of its own, out of reach of a terminal's Ctrl-C, and lets the
// kernel kill it when the host dies without a chance to do so.
func setProcessAttributes(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
