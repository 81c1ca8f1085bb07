package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	pluginrunner "github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/mattermost-plugin/mattermost-plugin/go/host/internal/child"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpchooks"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketdir"
)

const (
	// Static windows, because with its default grpc-go measures the connection with a ping after nearly every
	// message, and each ping wakes the plugin process once more.
	streamWindow, connWindow = 8 << 20, 16 << 20
	// A message of a stream is written at once, and wakes the plugin process once.
	writeBuffer, readBuffer = 512 << 10, 128 << 10
	// releaseGrace is how long releasing what a process held in the server may take. A server that ends kills the
	// bridge soon.
	releaseGrace = 500 * time.Millisecond
)

// process is one run of the plugin process, from its handshake on, or one that was started elsewhere.
type process struct {
	launch   Launch
	log      hclog.Logger
	config   *goplugin.ClientConfig
	client   *goplugin.Client
	protocol goplugin.ClientProtocol
	runner   *child.Runner // nil: started elsewhere
	output   *child.Output
	started  time.Time

	// Over gRPC:
	conn    *plaincall.Conn
	general *grpc.ClientConn
	broker  *goplugin.GRPCBroker
	calls   atomic.Int64 // calls of the API and the Driver under way
	// Over net/rpc:
	netrpc netrpchooks.Hooks

	lock      sync.Mutex
	sockets   *socketdir.Dir
	servers   []apiServer
	releases  []func(context.Context)
	serving   sync.WaitGroup
	cleanOnce sync.Once
	cleaned   chan struct{} // closed when clean is called
	stuck     atomic.Bool   // killed because it answered nothing
}

// startProcess runs the program and waits for its handshake, or attaches to the plugin that Config.Reattach names. The
// error is one line that says what went wrong.
func startProcess(ctx context.Context, cfg Config, log hclog.Logger) (*process, error) {
	launch := cfg.Launch
	p := &process{launch: launch, log: log, output: child.NewOutput(cfg.Logger), started: time.Now(), cleaned: make(chan struct{})}
	p.config = &goplugin.ClientConfig{
		HandshakeConfig:  handshake.Config,
		Plugins:          goplugin.PluginSet{handshake.Hooks: &hooksPlugin{netrpc: cfg.netrpc}},
		AllowedProtocols: cfg.protocols,
		SkipHostEnv:      true, // launch.environment has what the plugin may see of it
		StartTimeout:     launch.Settings.StartTimeout,
		SyncStdout:       child.NewLineWriter(cfg.Logger.With("source", "stdout"), hclog.Info),
		SyncStderr:       child.NewLineWriter(cfg.Logger.With("source", "stderr"), hclog.Info),
		Logger:           &demoted{log.Named("go-plugin")},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithStaticStreamWindowSize(streamWindow),
			grpc.WithStaticConnWindowSize(connWindow),
			grpc.WithWriteBufferSize(writeBuffer),
			grpc.WithReadBufferSize(readBuffer),
		},
	}
	if cfg.Reattach != nil {
		p.config.Reattach = cfg.Reattach
		p.client = goplugin.NewClient(p.config)
		if err := p.connect(); err != nil {
			p.clean()
			return nil, &lineError{fmt.Sprintf("cannot attach to the plugin process: %s", firstLine(err.Error())), ErrHandshake}
		}
		return p, nil
	}

	if err := launch.verify(); err != nil {
		return nil, err
	}
	cmd := exec.Command(launch.Program, launch.Args...)
	cmd.Dir = launch.Dir
	p.runner = child.NewRunner(cmd, p.output)
	p.config.AutoMTLS = cfg.AutoMTLS
	p.config.RunnerFunc = func(_ hclog.Logger, prepared *exec.Cmd, socketDir string) (pluginrunner.Runner, error) {
		// An error here would make go-plugin forget the directory, so it is remembered first.
		return p.runner, p.prepare(prepared, socketDir)
	}
	p.client = goplugin.NewClient(p.config)

	// go-plugin cannot be interrupted while it waits for the handshake or connects, but the process can.
	interrupted := context.AfterFunc(ctx, p.runner.KillNow)
	defer interrupted()
	overdue := time.AfterFunc(launch.Settings.StartTimeout, p.runner.KillNow)
	defer overdue.Stop()
	if err := p.connect(); err != nil {
		explained := p.explain(ctx, err)
		p.clean()
		return nil, explained
	}
	return p, nil
}

// prepare completes the command with what go-plugin added to it.
func (p *process) prepare(prepared *exec.Cmd, socketDir string) error {
	sockets, err := socketdir.Claim(socketDir)
	if err != nil {
		return errors.Join(err, os.RemoveAll(socketDir))
	}
	p.sockets = sockets
	p.runner.SetEnv(append(p.launch.environment(), prepared.Env...))
	return nil
}

// connect waits for the handshake and connects to the process.
func (p *process) connect() error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	p.protocol = protocol
	dispensed, err := protocol.Dispense(handshake.Hooks)
	if err != nil {
		return err
	}
	switch connected := dispensed.(type) {
	case *connection:
		p.conn, p.general, p.broker = plaincall.New(connected.conn, p.dialer()), connected.conn, connected.broker
		return nil
	case netrpchooks.Hooks:
		p.netrpc = connected
		return nil
	}
	return fmt.Errorf("go-plugin dispensed a %T", dispensed)
}

// dialer makes further connections to the process; nil if that takes more than to connect.
func (p *process) dialer() func() (net.Conn, error) {
	reattach := p.client.ReattachConfig()
	if p.config.TLSConfig != nil || reattach == nil || reattach.Addr == nil || reattach.Addr.Network() != "unix" {
		return nil
	}
	address := reattach.Addr.String()
	return func() (net.Conn, error) { return net.Dial("unix", address) }
}

// killNow ends the process at once. One that was started elsewhere is not this host's to kill.
func (p *process) killNow() {
	if p.runner != nil {
		p.runner.KillNow()
	}
}

// ended is closed as soon as the process has ended; for one that was started elsewhere it never is.
func (p *process) ended() <-chan struct{} {
	if p.runner == nil {
		return nil
	}
	return p.runner.Ended()
}

// exited is closed when the process has ended and its output was read; for one that was started elsewhere it never is.
func (p *process) exited() <-chan struct{} {
	if p.runner == nil {
		return nil
	}
	return p.runner.Exited()
}

// pid is the process id, 0 if the process has ended or was started elsewhere.
func (p *process) pid() int {
	if p.runner == nil || p.runner.HasExited() {
		return 0
	}
	return p.runner.PID()
}

// explain turns the error of a start into one line that says what to do.
func (p *process) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &lineError{"the plugin was stopped while it started", ErrStopped}
	}
	if p.runner.ID() == "" {
		return &lineError{fmt.Sprintf("cannot start the plugin process: %v", err), ErrExited}
	}
	tooLate := time.Since(p.started) >= p.launch.Settings.StartTimeout
	select {
	case <-p.runner.Exited():
	case <-time.After(2 * child.OutputGrace):
		p.runner.KillNow()
		<-p.runner.Exited()
	}
	switch {
	case tooLate && !p.runner.EndedByItself():
		return p.late()
	case p.output.Handshaken() && !p.runner.EndedByItself():
		return &lineError{fmt.Sprintf("the plugin process answered, but not as a plugin for this host: %s", firstLine(err.Error())), ErrHandshake}
	case p.launch.python && !p.output.Handshaken():
		if misfit := pythonMisfit(ctx, p.launch.Program, p.launch.requires); misfit != nil {
			return misfit
		}
	}
	return p.whyEnded("before it was ready")
}

// late says that the process took too long to start.
func (p *process) late() error {
	line := fmt.Sprintf("the plugin process did not become ready within %v; if it needs longer, raise props.mattermost_plugin.start_timeout in plugin.json",
		p.launch.Settings.StartTimeout)
	if last := p.output.Last(); last != "" {
		line += fmt.Sprintf(" (it last wrote: %s)", last)
	}
	return &lineError{line, ErrStartTimeout}
}

// whyEnded says that the process has ended, and why as far as its output tells.
func (p *process) whyEnded(when string) error {
	if p.stuck.Load() {
		return &lineError{fmt.Sprintf("the plugin process answered nothing for %v and was killed; if it may be busy for so long, raise props.mattermost_plugin.stuck_timeout in plugin.json",
			p.launch.Settings.StuckTimeout), ErrExited}
	}
	line := fmt.Sprintf("the plugin process ended %s (%s)", when, p.runner.ExitText())
	if reason := p.runner.Reason(); reason != "" {
		line += ": " + reason
	}
	return &lineError{line, ErrExited}
}

// endedInstead says that the process has ended if that is why a call of a lifecycle hook failed, else nil.
func (p *process) endedInstead(err error, when string) error {
	var call *service.HookError
	if !errors.As(err, &call) {
		return nil
	}
	select {
	case <-p.ended():
	default:
		if call.Code != codes.Unavailable && call.Code != codes.Canceled {
			return nil
		}
	}
	return p.endedSoon(when)
}

// endedSoon is whyEnded if the process has ended or does so within moments, as when it took a call with it; else nil.
func (p *process) endedSoon(when string) error {
	select {
	case <-p.exited():
		return p.whyEnded(when)
	case <-time.After(2 * child.OutputGrace):
		return nil
	}
}

// release has something called when the process has ended, or cannot be activated.
func (p *process) release(release func(context.Context)) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.releases = append(p.releases, release)
}

// giveBack calls what was given to release.
func (p *process) giveBack() {
	p.lock.Lock()
	releases := p.releases
	p.releases = nil
	p.lock.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), releaseGrace)
	defer cancel()
	for _, release := range releases {
		release(ctx)
	}
}

// hangUp ends all calls of a process that has ended. What it left behind may hold its sockets open.
func (p *process) hangUp() {
	if p.conn == nil {
		return
	}
	p.conn.Close()
	// It may have been closed already.
	_ = p.general.Close()
}

// stop ends the process: it is asked to shut down, and killed when ctx ends.
func (p *process) stop(ctx context.Context) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(time.Minute)
	}
	if p.runner != nil {
		p.runner.AllowUntil(deadline)
		defer context.AfterFunc(ctx, func() {
			if !p.runner.HasExited() {
				p.log.Warn("The plugin process did not shut down in time and is killed", "pid", p.runner.ID())
			}
			p.runner.KillNow()
		})()
	}
	p.clean()
}

// clean ends what is left of the process and gives back all it held. It returns when everything is gone.
func (p *process) clean() {
	p.cleanOnce.Do(func() {
		close(p.cleaned)
		if p.conn != nil {
			p.conn.Close()
		}
		if p.runner == nil && p.protocol != nil {
			// For go-plugin such a process is its starter's to end; that nobody wants it any more it has to hear from here.
			if err := p.protocol.Close(); err != nil {
				p.log.Debug("Cannot say goodbye to the plugin process", "error", err)
			}
		}
		p.client.Kill()
		p.lock.Lock()
		servers := p.servers
		p.lock.Unlock()
		for _, server := range servers {
			server.Stop()
		}
		p.serving.Wait()
		p.giveBack()
		if p.sockets != nil {
			if err := p.sockets.Remove(); err != nil {
				p.log.Warn("Cannot remove the directory of the plugin's sockets", "path", filepath.Base(p.sockets.Path), "error", err)
			}
		}
	})
}

// firstLine is the first line of a text.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}
