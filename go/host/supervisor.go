package host

import (
	"context"
	"fmt"
	"sync"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpchooks"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/timed"
)

// Metrics takes how long calls took, in seconds; the metrics of a Mattermost server do.
type Metrics interface {
	// ObservePluginHookDuration and ObservePluginAPIDuration take a call of a hook, and one of the API.
	ObservePluginHookDuration(pluginID, hookName string, success bool, elapsed float64)
	ObservePluginAPIDuration(pluginID, apiName string, success bool, elapsed float64)
	// ObservePluginMultiHookIterationDuration takes what one plugin adds to a fan-out, ObservePluginMultiHookDuration all
	// of it.
	ObservePluginMultiHookIterationDuration(pluginID string, elapsed float64)
	ObservePluginMultiHookDuration(elapsed float64)
}

// Supervised is what a Supervisor needs to know of the server and the plugin.
type Supervised struct {
	// Bundle is the installed bundle.
	Bundle *model.BundleInfo
	// API is what the plugin may call.
	API plugin.API
	// Driver is the server's database. nil: the plugin cannot use it.
	Driver plugin.AppDriver
	// Log is the server's log.
	Log *mlog.Logger
	// Metrics may be nil.
	Metrics Metrics
	// Reattach is a process of the plugin that was started elsewhere. nil: the program of the bundle is started.
	Reattach *model.PluginReattachConfig
}

// Supervisor is the process of one plugin, whichever protocol it speaks: an executable over net/rpc or gRPC, or a
// script over gRPC.
type Supervisor struct {
	id          string
	options     options
	log         *mlog.Logger
	driver      plugin.AppDriver
	hooks       timed.Hooks
	implemented [plugin.TotalHooksID]bool

	managed *Plugin         // over gRPC
	direct  *process        // over net/rpc
	serving *sync.WaitGroup // over net/rpc: the servers of API and driver
	overdue *time.Timer     // over net/rpc: while the plugin starts

	shutdown sync.Once
}

// NewSupervisor starts the process of a plugin and waits until it said which hooks it implements. The next thing to
// call is OnActivate of its Hooks; Shutdown ends it in any case.
func NewSupervisor(supervised Supervised, list ...Option) (*Supervisor, error) {
	s := &Supervisor{
		id:      supervised.Bundle.Manifest.Id,
		options: newOptions(list),
		log:     supervised.Bundle.WrapLogger(supervised.Log),
	}
	var driver plugin.Driver
	if supervised.Driver != nil {
		s.driver = &pluginDriver{supervised.Driver, s.id}
		driver = s.driver
	}
	api := supervised.API
	if api != nil && supervised.Metrics != nil {
		api = timed.NewAPI(api, s.id, supervised.Metrics)
	}
	netrpc, err := netrpchooks.New(api, driver, s.log)
	if err != nil {
		return nil, err
	}
	cfg := Config{
		Logger:    newLog(s.log),
		API:       api,
		Driver:    driver,
		AutoMTLS:  s.options.autoMTLS,
		Restart:   s.options.restart,
		netrpc:    netrpc,
		protocols: s.options.protocols,
	}
	if supervised.Reattach != nil {
		cfg.Reattach = supervised.Reattach.ToHashicorpPluginReattachmentConfig()
		cfg.Launch = Launch{PluginID: s.id, PluginName: supervised.Bundle.Manifest.Name, Settings: DefaultSettings()}
	} else if cfg.Launch, err = FromBundle(supervised.Bundle); err != nil {
		return nil, err
	}

	started, err := startProcess(context.Background(), cfg, cfg.Logger.Named("host"))
	if err != nil {
		return nil, err
	}
	var hooks timed.Hooks
	if started.netrpc != nil {
		hooks, err = s.useNetRPC(started)
	} else {
		hooks, err = s.useGRPC(started, cfg)
	}
	if err == nil {
		s.hooks = hooks
		if supervised.Metrics != nil {
			s.hooks = timed.NewHooks(hooks, s.id, supervised.Metrics)
		}
		err = s.learn()
	}
	if err != nil {
		s.Shutdown()
		return nil, err
	}
	return s, nil
}

func (s *Supervisor) useNetRPC(started *process) (timed.Hooks, error) {
	s.direct = started
	// The calls of net/rpc have no deadline; a process that is killed ends them.
	s.overdue = time.AfterFunc(time.Until(started.started.Add(started.launch.Settings.StartTimeout)), started.killNow)
	var err error
	s.serving, err = netrpchooks.Serving(started.netrpc)
	return started.netrpc, err
}

func (s *Supervisor) useGRPC(started *process, cfg Config) (timed.Hooks, error) {
	cfg.first = started
	cfg.protocols = []goplugin.Protocol{goplugin.ProtocolGRPC} // also of the processes to come
	s.managed = New(cfg)
	return &managedHooks{s.managed.Hooks()}, s.managed.Start(context.Background())
}

// learn asks which hooks the plugin implements.
func (s *Supervisor) learn() error {
	names, err := s.hooks.Implemented()
	if s.overdue != nil && !s.overdue.Stop() {
		return s.direct.late()
	}
	if err != nil {
		return fmt.Errorf("ask for the hooks: %w", err)
	}
	for _, name := range names {
		if id, ok := service.HookID(name); ok {
			s.implemented[id] = true
		}
	}
	return nil
}

// Protocol is what the plugin speaks.
func (s *Supervisor) Protocol() goplugin.Protocol {
	if s.direct != nil {
		return goplugin.ProtocolNetRPC
	}
	return goplugin.ProtocolGRPC
}

// PID is the id of the plugin's process, 0 while there is none and for one that was started elsewhere.
func (s *Supervisor) PID() int {
	if s.direct != nil {
		return s.direct.pid()
	}
	return s.managed.PID()
}

// State returns how the plugin is. Over net/rpc nothing restarts a process but a health check, so it says no more than
// that it runs.
func (s *Supervisor) State() State {
	if s.direct != nil {
		return State{Phase: Running, Since: s.direct.started}
	}
	return s.managed.State()
}

// Hooks returns the hooks of the plugin.
func (s *Supervisor) Hooks() plugin.Hooks { return s.hooks }

// HooksWithRPCErr returns the hooks that tell whether a call failed.
func (s *Supervisor) HooksWithRPCErr() plugin.HooksWithRPCErr { return s.hooks }

// Implements says whether the plugin implements a hook, by Mattermost's number of it (plugin.OnActivateID, ...).
func (s *Supervisor) Implements(hookID int) bool {
	return hookID >= 0 && hookID < len(s.implemented) && s.implemented[hookID]
}

// Ping asks the plugin once whether it is there. A gRPC plugin whose process is being restarted counts as there.
func (s *Supervisor) Ping() error {
	if s.direct != nil {
		return s.direct.protocol.Ping()
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.options.health.PingTimeout)
	defer cancel()
	return s.managed.Check(ctx)
}

// PerformHealthCheck returns an error if the plugin leaves a few pings in a row unanswered.
func (s *Supervisor) PerformHealthCheck() error {
	var err error
	for range s.options.health.Pings {
		if err = s.Ping(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the plugin does not answer health checks: %w", err)
}

// Shutdown ends the process, without OnDeactivate. When it returns, nothing of the plugin is left.
func (s *Supervisor) Shutdown() {
	s.shutdown.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
		defer cancel()
		if s.managed != nil {
			s.managed.Stop(ctx)
		}
		if s.direct != nil {
			s.direct.stop(ctx)
		}
		if s.serving != nil {
			s.serving.Wait()
		}
		if s.driver != nil {
			s.driver.ShutdownConns(s.id)
		}
	})
}

// managedHooks are the hooks of a gRPC plugin for a supervisor, which ends the process itself.
type managedHooks struct{ *Hooks }

// OnDeactivate lets the plugin clean up.
func (h *managedHooks) OnDeactivate() error { return h.plugin.retire() }

// OnDeactivateWithRPCErr is OnDeactivate that tells an error of the hook from that of a call that failed.
func (h *managedHooks) OnDeactivateWithRPCErr() (hook, call error) {
	return splitFailure(h.plugin.retire())
}

// pluginDriver is the server's database driver, which is to know who opens a connection.
type pluginDriver struct {
	plugin.AppDriver
	id string
}

// Conn opens a connection.
func (d *pluginDriver) Conn(isMaster bool) (string, error) {
	return d.ConnWithPluginID(isMaster, d.id)
}
