package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/host/internal/child"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpproxy"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// Plugin is a plugin that is run and kept alive.
//
// It goes through its states once: New, Start, OnActivate (of Hooks), OnDeactivate or Stop. From OnActivate on the
// process is started and activated again whenever it dies, after pauses that grow.
type Plugin struct {
	cfg    Config
	log    hclog.Logger
	router *router
	client *service.HooksClient
	http   *httpproxy.Proxy

	ctx    context.Context // ends when the plugin is to stop
	cancel context.CancelFunc

	startOnce   sync.Once
	started     chan struct{} // closed when the first start ended, well or badly
	startErr    error         // set before started is closed
	implemented []string      // set before started is closed
	stopOnce    sync.Once
	done        chan struct{} // closed when no process runs and none will
	supervising sync.WaitGroup

	deactivateOnce sync.Once
	deactivateErr  error

	activating atomic.Pointer[process] // the process that replaces another and is not active yet

	lock      sync.Mutex
	api       plugin.API
	driver    plugin.Driver
	process   *process
	activated bool
	state     State
	failure   error // why the plugin did not start
}

// New prepares a plugin; nothing runs before Start.
func New(cfg Config) *Plugin {
	if cfg.Logger == nil {
		cfg.Logger = hclog.Default()
	}
	if cfg.Restart == (Restart{}) {
		cfg.Restart = DefaultRestart
	}
	cfg.clock = cfg.clock.completed()
	if cfg.protocols == nil {
		cfg.protocols = []goplugin.Protocol{goplugin.ProtocolGRPC}
	}
	p := &Plugin{cfg: cfg, log: cfg.Logger.Named("host"), api: cfg.API, driver: cfg.Driver, started: make(chan struct{}), done: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.enter(Starting)
	deadlines := cfg.Settings.deadlines()
	p.router = &router{
		log:   p.log,
		queue: queue{limit: cfg.Settings.QueueSize},
		deadline: func(hook string) (context.Context, context.CancelFunc) {
			return timeout(deadlines(hook))
		},
		replacing: func() bool { return p.activating.Load() != nil },
		pausing:   p.pausing,
		ownDoing: func() bool {
			activating := p.activating.Load()
			return activating != nil && activating.calls.Load() > 0
		},
		changed: make(chan struct{}),
	}
	endpoints := &httpEndpoints{router: p.router}
	p.http = httpproxy.New(httpproxy.Options{
		Locate:        endpoints.locate,
		Dial:          dialEndpoint,
		AnswerTimeout: deadlines,
		PluginID:      cfg.PluginID,
		Ending:        func() bool { return p.ctx.Err() != nil },
		Logger:        p.log,
	})
	p.client = service.NewHooksClient(p.router, service.HooksOptions{
		Deadline:   deadlines,
		OnFailure:  p.onFailure,
		Activation: p.activation,
		HTTP:       p.http,
		Logger:     p.log,
	})
	return p
}

// Start runs the plugin of cfg and waits until it is ready to be activated.
func Start(ctx context.Context, cfg Config) (*Plugin, error) {
	p := New(cfg)
	if err := p.Start(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// Start runs the process and waits until it said which hooks it implements. It works once; a plugin that failed to
// start is stopped. The error is one line that says what to do.
func (p *Plugin) Start(ctx context.Context) error {
	p.startOnce.Do(func() {
		p.startErr = p.start(ctx)
		if p.startErr != nil {
			p.finish(p.startErr)
		}
		close(p.started)
	})
	<-p.started
	return p.startErr
}

func (p *Plugin) start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()

	started, err := p.cfg.first, error(nil)
	if started == nil {
		if started, err = startProcess(ctx, p.cfg, p.log); err != nil {
			return err
		}
	}
	if !p.adopt(started) {
		return &lineError{"the plugin was stopped while it started", ErrStopped}
	}
	// As long as the plugin is not active there is nothing it would have to clean up.
	defer context.AfterFunc(ctx, started.killNow)()
	p.implemented, err = p.client.Implemented()
	if err != nil {
		err = p.explainImplemented(ctx, started, err)
		started.clean()
		return err
	}
	p.log.Debug("The plugin process is ready", "pid", started.pid(), "took", time.Since(started.started).Round(time.Millisecond).String())
	return nil
}

// explainImplemented says in one line why a process that shook hands did not say which hooks it implements.
func (p *Plugin) explainImplemented(ctx context.Context, started *process, err error) error {
	if ctx.Err() != nil {
		return &lineError{"the plugin was stopped while it started", ErrStopped}
	}
	if ended := started.endedInstead(err, "before it was ready"); ended != nil {
		return ended
	}
	var call *service.HookError
	if errors.As(err, &call) && call.Code == codes.DeadlineExceeded {
		return started.late()
	}
	return &lineError{fmt.Sprintf("the plugin process answered, but not as a plugin for this host: %v", err), ErrHandshake}
}

// adopt makes a process the one that is talked to and that Stop stops. If the plugin is stopped already, the process
// ends instead.
func (p *Plugin) adopt(started *process) bool {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.ctx.Err() != nil {
		started.killNow()
		started.clean()
		return false
	}
	p.process = started
	p.router.setProcess(started.conn)
	go p.watch(started)
	return true
}

// current returns the newest process.
func (p *Plugin) current() *process {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.process
}

// Implemented returns the Go names of the hooks the plugin implements. It waits for Start to end, and returns its
// error.
func (p *Plugin) Implemented() ([]string, error) {
	<-p.started
	if p.startErr != nil {
		return nil, p.startErr
	}
	return slices.Clone(p.implemented), nil
}

// Hooks returns the hooks of the plugin.
func (p *Plugin) Hooks() *Hooks { return &Hooks{HooksClient: p.client, plugin: p} }

var _ plugin.Hooks = (*Hooks)(nil)

// Ping returns nil unless the plugin is stopped. While the process is being restarted the plugin
// counts as healthy.
func (p *Plugin) Ping() error {
	select {
	case <-p.done:
		return p.Err()
	default:
		return nil
	}
}

// Check asks the process whether it is well. While the process is being restarted the plugin counts as healthy.
func (p *Plugin) Check(ctx context.Context) error {
	if err := p.Ping(); err != nil {
		return err
	}
	current := p.current()
	if current == nil || p.router.live.Load() != current.conn {
		return nil
	}
	_, err := grpc_health_v1.NewHealthClient(current.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	if !isDisconnect(err) {
		return err
	}
	// Its connection is gone; if so is the process, that is about to be noticed.
	select {
	case <-current.ended():
		return p.Ping()
	case <-time.After(2 * child.OutputGrace):
		return err
	}
}

// Done is closed when no process of the plugin runs and none will be started.
func (p *Plugin) Done() <-chan struct{} { return p.done }

// Err says why the plugin is done: nil while it is not, ErrStopped when it was stopped, else why it did not start.
func (p *Plugin) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.failure != nil {
		return p.failure
	}
	return ErrStopped
}

// PID returns the process id of the plugin's process, 0 while there is none.
func (p *Plugin) PID() int {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.process == nil {
		return 0
	}
	return p.process.pid()
}

// Stop stops the plugin: its process is asked to shut down, and killed when ctx ends. It returns when nothing of the
// process is left. It does not call OnDeactivate; see Deactivate.
func (p *Plugin) Stop(ctx context.Context) {
	p.stopOnce.Do(func() {
		p.lock.Lock()
		p.cancel()
		p.lock.Unlock()
		// A start under way sees the end of p.ctx; one that never began must not begin.
		p.startOnce.Do(func() {
			p.startErr = &lineError{"the plugin was stopped before it was started", ErrStopped}
			close(p.started)
		})
		<-p.started
		p.supervising.Wait()
		if p.startErr == nil {
			p.router.end()
			p.current().stop(ctx)
		}
		p.finish(nil)
	})
	<-p.done
}

// finish closes done.
func (p *Plugin) finish(failure error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	select {
	case <-p.done:
		return
	default:
	}
	p.failure = failure
	p.state = State{Phase: Stopped, Since: p.cfg.clock.now(), Reason: failure, Restarts: p.state.Restarts}
	p.router.end()
	p.http.Close()
	close(p.done)
}

// activation offers the API to the newest process, for the OnActivate that is about to be sent.
func (p *Plugin) activation() (service.Activation, error) {
	p.lock.Lock()
	current, api, driver := p.process, p.api, p.driver
	p.lock.Unlock()

	var activation service.Activation
	if api != nil {
		register := func(server grpc.ServiceRegistrar) { service.RegisterAPI(server, service.DirectAPI(api), p.log) }
		if p.cfg.Remote {
			remote, err := service.NewNetRPCAPI(api)
			if err != nil {
				return activation, err
			}
			register = func(server grpc.ServiceRegistrar) { remote.Register(server, p.log) }
		}
		id, err := current.serve(register)
		if err != nil {
			return activation, err
		}
		activation.APIBrokerID = id
		activation.ServerVersion = api.GetServerVersion()
	}
	if driver != nil {
		begin := service.DirectDriver(driver)
		if p.cfg.Remote {
			var err error
			if begin, err = service.NewNetRPCDriver(driver); err != nil {
				return activation, err
			}
		}
		session := service.NewDriverSession(begin, p.log)
		id, err := current.serve(func(server grpc.ServiceRegistrar) {
			service.RegisterDriver(server, session.Begin, p.log)
		})
		current.release(session.Close)
		if err != nil {
			return activation, err
		}
		activation.DriverBrokerID = id
	}
	return activation, nil
}

// onFailure answers for a hook that asks for permission and got no answer.
func (p *Plugin) onFailure(_ string, err error) service.Decision {
	var call *service.HookError
	if errors.As(err, &call) && call.Code == status.Code(errOwnDoing) {
		return service.Allow
	}
	if p.cfg.Settings.OnFailure == Reject {
		name := cmp.Or(p.cfg.PluginName, p.cfg.PluginID)
		return service.Reject(fmt.Sprintf("The plugin %s, which has to agree to this, is not answering. Please try again.", name))
	}
	return service.Allow
}

// activate activates the newest process and says, if that fails because it died, so.
func (p *Plugin) activate() error {
	current := p.current()
	err := p.client.OnActivate()
	if err == nil {
		return nil
	}
	if ended := current.endedInstead(err, "during OnActivate"); ended != nil {
		return ended
	}
	return err
}
