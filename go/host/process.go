package host

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	pluginrunner "github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketdir"
)

// handshake is how Mattermost and its plugins recognise each other. It must never change.
var handshake = goplugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "MATTERMOST_PLUGIN",
	MagicCookieValue: "Securely message teams, anywhere.",
}

const (
	// dispenseName is the name of the one thing a Mattermost plugin provides.
	dispenseName = "hooks"
	// Static windows, because with its default grpc-go measures the connection with a ping after nearly every
	// message, and each ping wakes the plugin process once more.
	streamWindow, connWindow = 8 << 20, 16 << 20
	// releaseGrace is how long releasing what a process held in the server may take. A server that ends kills the
	// bridge soon.
	releaseGrace = 500 * time.Millisecond
)

// process is one run of the plugin process, from its handshake on.
type process struct {
	launch  Launch
	log     hclog.Logger
	client  *goplugin.Client
	runner  *runner
	output  *output
	conn    *plaincall.Conn
	broker  *goplugin.GRPCBroker
	started time.Time
	calls   atomic.Int64 // calls of the API and the Driver under way

	lock      sync.Mutex
	sockets   *socketdir.Dir
	servers   []*plaincall.Server
	releases  []func(context.Context)
	serving   sync.WaitGroup
	cleanOnce sync.Once
}

// startProcess runs the program and waits for its handshake. The error is one line that says what went wrong.
func startProcess(ctx context.Context, cfg Config, log hclog.Logger) (*process, error) {
	launch := cfg.Launch
	if err := launch.verify(); err != nil {
		return nil, err
	}
	cmd := exec.Command(launch.Program, launch.Args...)
	cmd.Dir = launch.Bundle

	p := &process{launch: launch, log: log, output: newOutput(cfg.Logger), started: time.Now()}
	p.runner = newRunner(cmd, p.output)
	stdout := &lineWriter{log: cfg.Logger.With("source", "stdout"), level: hclog.Info}
	stderr := &lineWriter{log: cfg.Logger.With("source", "stderr"), level: hclog.Info}
	p.client = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          goplugin.PluginSet{dispenseName: connector{}},
		AllowedProtocols: cfg.Protocols,
		SkipHostEnv:      true, // launch.environment has what the plugin may see of it
		StartTimeout:     launch.Settings.StartTimeout,
		SyncStdout:       stdout,
		SyncStderr:       stderr,
		Logger:           &demoted{log.Named("go-plugin")},
		RunnerFunc: func(_ hclog.Logger, prepared *exec.Cmd, socketDir string) (pluginrunner.Runner, error) {
			// An error here would make go-plugin forget the directory, so it is remembered first.
			return p.runner, p.prepare(prepared, socketDir)
		},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithStaticStreamWindowSize(streamWindow),
			grpc.WithStaticConnWindowSize(connWindow),
		},
	})

	// go-plugin cannot be interrupted while it waits for the handshake, but the process can.
	interrupted := context.AfterFunc(ctx, p.runner.killNow)
	defer interrupted()
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
	p.runner.cmd.Env = append(p.launch.environment(), prepared.Env...)
	return nil
}

// connect waits for the handshake and connects to the process.
func (p *process) connect() error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	dispensed, err := protocol.Dispense(dispenseName)
	if err != nil {
		return err
	}
	connected, ok := dispensed.(*connection)
	if !ok {
		return fmt.Errorf("go-plugin dispensed a %T", dispensed)
	}
	p.conn, p.broker = plaincall.New(connected.conn, p.dialer()), connected.broker
	return nil
}

// dialer makes further connections to the process; nil if that takes more than to connect.
func (p *process) dialer() func() (net.Conn, error) {
	reattach := p.client.ReattachConfig()
	if reattach == nil || reattach.Addr == nil || reattach.Addr.Network() != "unix" {
		return nil
	}
	address := reattach.Addr.String()
	return func() (net.Conn, error) { return net.Dial("unix", address) }
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
	case <-p.runner.exited:
	case <-time.After(2 * outputGrace):
		p.runner.killNow()
		<-p.runner.exited
	}
	if tooLate {
		return p.late()
	}
	if p.output.handshaken() {
		return &lineError{fmt.Sprintf("the plugin process answered, but not as a plugin for this host: %s", firstLine(err.Error())), ErrHandshake}
	}
	if p.launch.python {
		if tooOld := pythonTooOld(ctx, p.launch.Program); tooOld != nil {
			return tooOld
		}
	}
	return p.ended("before it was ready")
}

// late says that the process took too long to start.
func (p *process) late() error {
	line := fmt.Sprintf("the plugin process did not become ready within %v; if it needs longer, raise props.mattermost_plugin.start_timeout in plugin.json",
		p.launch.Settings.StartTimeout)
	if reason := p.output.reason(); reason != "" {
		line += fmt.Sprintf(" (it last wrote: %s)", reason)
	}
	return &lineError{line, ErrStartTimeout}
}

// ended says that the process has ended, and why as far as its output tells.
func (p *process) ended(when string) error {
	line := fmt.Sprintf("the plugin process ended %s (%s)", when, exitText(p.runner.cmd))
	if reason := p.output.reason(); reason != "" {
		line += ": " + reason
	}
	return &lineError{line, ErrExited}
}

// endedSoon is ended if the process has ended or does so within moments, as when it took a call with it; else nil.
func (p *process) endedSoon(when string) error {
	select {
	case <-p.runner.exited:
		return p.ended(when)
	case <-time.After(2 * outputGrace):
		return nil
	}
}

// serve offers a service to the process and returns the broker's id of it.
func (p *process) serve(register func(grpc.ServiceRegistrar)) (uint32, error) {
	id := p.broker.NextId()
	listener, err := p.broker.Accept(id)
	if err != nil {
		return 0, fmt.Errorf("listen for the plugin: %w", err)
	}
	plain := func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		p.calls.Add(1)
		defer p.calls.Add(-1)
		return handle(ctx, in)
	}
	general := grpc.NewServer(append(service.ServerOptions(),
		grpc.MaxRecvMsgSize(math.MaxInt32),
		grpc.MaxSendMsgSize(math.MaxInt32),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
		grpc.UnaryInterceptor(plain),
		grpc.StreamInterceptor(func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			p.calls.Add(1)
			defer p.calls.Add(-1)
			return handle(service, stream)
		}),
	)...)
	server, err := plaincall.NewServer(general, service.Codec(), plain)
	if err != nil {
		return 0, errors.Join(err, listener.Close())
	}
	register(server)
	p.lock.Lock()
	p.servers = append(p.servers, server)
	p.lock.Unlock()
	p.serving.Go(func() {
		if err := server.Serve(ownPeers(listener, p.log)); err != nil {
			p.log.Error("Serving the plugin failed", "error", err)
		}
	})
	return id, nil
}

// release has something called when the process has ended.
func (p *process) release(release func(context.Context)) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.releases = append(p.releases, release)
}

// stop ends the process: it is asked to shut down, and killed when ctx ends.
func (p *process) stop(ctx context.Context) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(time.Minute)
	}
	p.runner.allowUntil(deadline)
	killing := context.AfterFunc(ctx, func() {
		if !p.runner.hasExited() {
			p.log.Warn("The plugin process did not shut down in time and is killed", "pid", p.runner.ID())
		}
		p.runner.killNow()
	})
	defer killing()
	p.clean()
}

// clean ends what is left of the process and gives back all it held. It returns when everything is gone.
func (p *process) clean() {
	p.cleanOnce.Do(func() {
		if p.conn != nil {
			p.conn.Close()
		}
		p.client.Kill()
		p.lock.Lock()
		servers, releases := p.servers, p.releases
		p.lock.Unlock()
		for _, server := range servers {
			server.Stop()
		}
		p.serving.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), releaseGrace)
		defer cancel()
		for _, release := range releases {
			release(ctx)
		}
		if p.sockets != nil {
			if err := p.sockets.Remove(); err != nil {
				p.log.Warn("Cannot remove the directory of the plugin's sockets", "path", filepath.Base(p.sockets.Path), "error", err)
			}
		}
	})
}

// exitText says how a process ended.
func exitText(cmd *exec.Cmd) string {
	if cmd.ProcessState == nil {
		return "still running"
	}
	return cmd.ProcessState.String()
}

// connector is the plugin go-plugin knows: it hands out the connection.
type connector struct {
	goplugin.NetRPCUnsupportedPlugin
}

type connection struct {
	conn   *grpc.ClientConn
	broker *goplugin.GRPCBroker
}

// GRPCServer is for the plugin's side, which is not written with this package.
func (connector) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("package host serves no plugins")
}

// GRPCClient returns the connection as it is.
func (connector) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &connection{conn: conn, broker: broker}, nil
}
