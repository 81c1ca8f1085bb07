package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// OutputGrace is how long output may still arrive after the process ended. Without a limit a grandchild that left
// the process group and kept stderr would hold up everything that waits for the end of the output.
const OutputGrace = 500 * time.Millisecond

// Runner is one run of the plugin process: go-plugin's runner.Runner over a process in a group of its own, whose
// output this package reads itself.
type Runner struct {
	cmd    *exec.Cmd
	output *Output

	// handshake is what go-plugin reads as stdout: the handshake line and nothing else.
	handshake *io.PipeReader

	ended    chan struct{} // closed when the process was waited for
	endedAt  time.Time     // set before ended is closed
	byItself bool          // set before ended is closed: nobody here killed it
	exited   chan struct{} // closed when its output was read, too
	exitErr  error         // set before exited is closed

	killOnce sync.Once
	lock     sync.Mutex
	pid      int       // 0 until the process was started
	killed   bool      // KillNow was called
	killAt   time.Time // until then Kill lets the process end by itself
}

// NewRunner prepares a run of cmd. It takes ownership of the command's standard streams.
func NewRunner(cmd *exec.Cmd, output *Output) *Runner {
	return &Runner{cmd: cmd, output: output, ended: make(chan struct{}), exited: make(chan struct{})}
}

// Start starts the process.
func (r *Runner) Start(context.Context) error {
	stdoutReader, stdoutWriter, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe from the plugin's stdout: %w", err)
	}
	stderrReader, stderrWriter, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("pipe from the plugin's stderr: %w", err),
			closeAll(stdoutReader, stdoutWriter))
	}
	// Without a Stdin it is /dev/null: the plugin never gets input, and what reads it meets its end at once.
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = nil, stdoutWriter, stderrWriter
	setProcessAttributes(r.cmd)

	started := make(chan error, 1)
	waited := make(chan error, 1)
	go func() {
		// Linux kills the child when the thread that started it ends, so that thread lives as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := r.cmd.Start()
		started <- err
		if err == nil {
			waited <- r.cmd.Wait()
		}
	}()
	err = <-started
	// Only the child writes to these; its end is their end.
	closeErr := closeAll(stdoutWriter, stderrWriter)
	if err != nil {
		return errors.Join(fmt.Errorf("cannot run %s: %w", r.cmd.Path, err), closeErr, closeAll(stdoutReader, stderrReader))
	}

	r.lock.Lock()
	r.pid = r.cmd.Process.Pid
	if r.killed {
		killGroup(r.pid)
	}
	r.lock.Unlock()

	handshakeReader, handshakeWriter := io.Pipe()
	r.handshake = handshakeReader
	var reading sync.WaitGroup
	reading.Go(func() {
		r.output.readStdout(stdoutReader, handshakeWriter)
		// The error is always nil. go-plugin waits for the end of the output before it waits for the process.
		_ = handshakeWriter.Close()
	})
	reading.Go(func() { r.output.readStderr(stderrReader) })
	go func() {
		err := <-waited
		r.lock.Lock()
		r.endedAt, r.byItself = time.Now(), !r.killed
		r.lock.Unlock()
		close(r.ended)
		killGroup(r.pid)
		deadline := time.Now().Add(OutputGrace)
		deadlineErr := errors.Join(stdoutReader.SetReadDeadline(deadline), stderrReader.SetReadDeadline(deadline))
		reading.Wait()
		r.exitErr = errors.Join(err, deadlineErr, closeAll(stdoutReader, stderrReader))
		close(r.exited)
	}()
	return nil
}

// Ended is closed as soon as the process has ended.
func (r *Runner) Ended() <-chan struct{} { return r.ended }

// EndedByItself says whether a process that has ended did so before anybody here killed it.
func (r *Runner) EndedByItself() bool {
	return r.hasEnded() && r.byItself
}

// Reason is the most telling line of the output that came with the end of a process that has exited, "" if there was
// none. Who is killed from outside has not written why.
func (r *Runner) Reason() string {
	if status, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return ""
	}
	return r.output.Reason(r.endedAt)
}

// Exited is closed when the process was waited for and its output was read.
func (r *Runner) Exited() <-chan struct{} { return r.exited }

// ExitText says how the process ended.
func (r *Runner) ExitText() string {
	if r.cmd.ProcessState == nil {
		return "still running"
	}
	return r.cmd.ProcessState.String()
}

// Succeeded says whether a process that has ended did so with status 0.
func (r *Runner) Succeeded() bool { return r.cmd.ProcessState.Success() }

// SetEnv sets the environment of the process, before it starts.
func (r *Runner) SetEnv(env []string) { r.cmd.Env = env }

// Wait waits until the process has ended.
func (r *Runner) Wait(context.Context) error {
	<-r.exited
	return r.exitErr
}

// AllowUntil lets Kill wait for the process to end by itself until the given time.
func (r *Runner) AllowUntil(t time.Time) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.killAt = t
}

// Kill ends the process and all processes of its group. A process that was given time (AllowUntil) is asked first.
func (r *Runner) Kill(context.Context) error {
	r.killOnce.Do(func() {
		r.lock.Lock()
		pid, patience := r.pid, time.Until(r.killAt)
		r.lock.Unlock()
		if pid != 0 && patience > 0 && !r.hasEnded() {
			terminateGroup(pid)
			select {
			case <-r.exited:
				return
			case <-time.After(patience):
			}
		}
		r.KillNow()
	})
	return nil
}

// KillNow ends the process and its group at once, also while Kill is being patient or the process is being started.
func (r *Runner) KillNow() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.killed = true
	if r.pid != 0 && !r.hasEnded() {
		killGroup(r.pid)
	}
}

// hasEnded says whether the process was waited for. Its id may then be another process's.
func (r *Runner) hasEnded() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// HasExited says whether the process ended and its output was read.
func (r *Runner) HasExited() bool {
	select {
	case <-r.exited:
		return true
	default:
		return false
	}
}

// Stdout gives go-plugin the handshake.
func (r *Runner) Stdout() io.ReadCloser { return r.handshake }

// Stderr gives go-plugin nothing: this package reads the log itself.
func (r *Runner) Stderr() io.ReadCloser { return io.NopCloser(eof{}) }

// Name is the program.
func (r *Runner) Name() string { return r.cmd.Path }

// PID is the process id, 0 until the process was started.
func (r *Runner) PID() int {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.pid
}

// ID is the process id as text.
func (r *Runner) ID() string {
	pid := r.PID()
	if pid == 0 {
		return ""
	}
	return strconv.Itoa(pid)
}

// Diagnose adds nothing: what went wrong is told by the caller, who also has the log.
func (r *Runner) Diagnose(context.Context) string { return "" }

// PluginToHost and HostToPlugin leave addresses as they are; both sides run on one machine.
func (r *Runner) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

func (r *Runner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// eof is a reader at its end.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

func closeAll(files ...*os.File) error {
	errs := make([]error, 0, len(files))
	for _, file := range files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}
