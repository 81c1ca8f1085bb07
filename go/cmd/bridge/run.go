package main

import (
	"context"
	"errors"
	"fmt"
	"net/rpc"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketdir"
)

const (
	// socketDirs begins the name of that directory, goPluginDirs of those that go-plugin makes for child processes.
	socketDirs, goPluginDirs = "mattermost-bridge-", "plugin-dir"

	// quitGrace is how long the plugin process may take when the server tells the bridge to quit. A server kills
	// the bridge after 2 s, of which the last log records may need some.
	quitGrace = 1300 * time.Millisecond

	// replyGrace is how long the bridge goes on after the server told it to quit: go-plugin ends serving before it has
	// answered, and a server that gets no answer takes the bridge for one that does not quit.
	replyGrace = 100 * time.Millisecond

	// parentCheck is how often the bridge looks whether the server is still there.
	parentCheck = time.Second
)

// run serves the plugin until the server has enough of it and returns the exit status.
func run() int {
	log := newServerLog(os.Stderr) // now, because go-plugin redirects os.Stderr when it serves
	defer log.close()
	// When the server is gone, writing to stderr must fail and not kill the bridge before it has cleaned up. A signal
	// that is caught, other than one that is ignored, is the plugin process's own affair again.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	logger := log.logger.Named("bridge")

	remove, err := ownSocketDir()
	if err != nil {
		logger.Error("Cannot make a directory for sockets", "error", err)
		return 1
	}
	defer func() {
		if err := remove(); err != nil {
			logger.Warn("Cannot remove the directory for sockets", "error", err)
		}
	}()
	go func() {
		if err := socketdir.Sweep(socketDirs, goPluginDirs); err != nil {
			logger.Warn("Cannot remove sockets of bridges that were killed", "error", err)
		}
	}()

	connected := make(chan struct{})
	child, implemented := start(log, connected)
	served := make(chan error, 1)
	go func() {
		announce := sync.OnceFunc(func() { close(connected) })
		served <- serve(logger, func(link *service.ServerLink) *goplugin.ServeConfig {
			served := &hooks{Hooks: child.Hooks(), log: log, link: link}
			config := service.NetRPCConfig(served)
			config.Plugins[handshake.Hooks] = &reportingHooks{
				Plugin:      config.Plugins[handshake.Hooks],
				link:        link,
				hooks:       served,
				connected:   announce,
				implemented: implemented,
			}
			return config
		})
	}()

	status := wait(child, served, log)
	answered := time.After(replyGrace)
	ctx, cancel := context.WithTimeout(context.Background(), quitGrace)
	defer cancel()
	child.Stop(ctx)
	<-answered
	return status
}

// start launches the plugin of the bundle this program lies in, as soon as the server is connected. It does not wait
// for it: the server wants its handshake at once, and learns from implemented what became of the start.
//
// Not before: until it serves, go-plugin exchanges os.Stdout and os.Stderr, which its client reads. A server connects
// within moments of the handshake.
func start(log *serverLog, connected <-chan struct{}) (child *host.Plugin, implemented func() ([]string, error)) {
	launch, err := launchFromBundle()
	child = host.New(host.Config{Launch: launch, Logger: log.logger, Remote: true})
	if err != nil {
		log.logger.Named("bridge").Error(err.Error())
		return child, func() ([]string, error) { return nil, err }
	}
	go func() {
		<-connected
		if err := child.Start(context.Background()); err != nil && !errors.Is(err, host.ErrStopped) {
			log.logger.Named("bridge").Error(err.Error())
		}
	}()
	return child, child.Implemented
}

// launchFromBundle reads the manifest that lies in the nearest directory above this program.
func launchFromBundle() (host.Launch, error) {
	executable, err := os.Executable()
	if err != nil {
		return host.Launch{}, fmt.Errorf("find the bundle: %w", err)
	}
	for dir := filepath.Dir(executable); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "plugin.json")); err == nil {
			return host.FromManifest(dir)
		}
		if dir == filepath.Dir(dir) {
			return host.Launch{}, fmt.Errorf("there is no plugin.json above %s: install the whole bundle", executable)
		}
	}
}

// wait returns, with the exit status, when the bridge has nothing more to do.
func wait(child *host.Plugin, served <-chan error, log *serverLog) int {
	logger := log.logger.Named("bridge")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	parent := os.Getppid()
	ticker := time.NewTicker(parentCheck)
	defer ticker.Stop()
	for {
		select {
		case err := <-served:
			if err == nil {
				return 0
			}
			logger.Error("The bridge ends, so that the server starts the plugin anew", "error", err)
			if errors.Is(err, service.ErrDeaf) {
				deactivate(child, logger)
			}
			return 1
		case received := <-signals:
			logger.Info("Stopping the plugin", "signal", received.String())
			deactivate(child, logger)
			return 0
		case <-ticker.C:
			if os.Getppid() != parent {
				log.disconnect()
				return 1
			}
		}
	}
}

// deactivate lets the plugin clean up where no server asks for it.
func deactivate(child *host.Plugin, logger hclog.Logger) {
	if err := child.Deactivate(); err != nil {
		logger.Error("OnDeactivate failed", "error", err)
	}
}

// ownSocketDir makes the directory in which go-plugin listens for the server, so that nothing is left of it however
// the bridge ends.
func ownSocketDir() (remove func() error, err error) {
	if os.Getenv(handshake.SocketDirVariable) != "" {
		return func() error { return nil }, nil
	}
	dir, err := socketdir.Create(socketDirs)
	if err != nil {
		return nil, err
	}
	return dir.Remove, os.Setenv(handshake.SocketDirVariable, dir.Path)
}

// hooks are the plugin on a connection, for plugin.ClientMain.
type hooks struct {
	*host.Hooks
	log  *serverLog
	link *service.ServerLink // nil: go-plugin alone serves the connection
}

// SetAPI is called when the server activates the plugin, with the connection to the server's API.
func (h *hooks) SetAPI(api plugin.API) {
	if api == nil {
		return // plugin.ClientMain says so before there is one; another connection may have one
	}
	if h.link != nil {
		linked, err := h.link.UseForAPI(api)
		h.report(err)
		api = linked
	}
	h.log.setAPI(api)
	h.Hooks.SetAPI(api)
}

// SetDriver is called next, with the connection to the server's database.
func (h *hooks) SetDriver(driver plugin.Driver) {
	if driver == nil {
		return // likewise
	}
	if h.link != nil {
		h.report(h.link.UseForDriver(driver))
	}
	h.Hooks.SetDriver(driver)
}

// report says what keeps the plugin from calling the server.
func (h *hooks) report(err error) {
	if err != nil {
		h.log.logger.Named("bridge").Error("The plugin cannot call the server", "error", err)
	}
}

// reportingHooks is Mattermost's plugin for go-plugin, which serves the hooks over net/rpc; only which hooks are
// implemented is answered by the plugin process. To Mattermost's own code a Go value with every method implements
// every hook.
type reportingHooks struct {
	goplugin.Plugin
	link        *service.ServerLink
	hooks       *hooks
	connected   func()
	implemented func() ([]string, error)
}

// Server returns what net/rpc serves. It is called when a server has connected.
func (r *reportingHooks) Server(broker *goplugin.MuxBroker) (any, error) {
	r.connected()
	server, err := r.Plugin.Server(broker)
	if err != nil {
		return nil, err
	}
	return service.NewNetRPCHooks(server, broker, r.link, r.hooks.HooksClient, r.hooks, r.reported)
}

// reported returns the hooks that the plugin implements, and OnDeactivate: a server that does not call that closes the
// connection at once, and what the plugin has open in the server's database could not be given back any more.
func (r *reportingHooks) reported() ([]string, error) {
	names, err := r.implemented()
	if err == nil && !slices.Contains(names, "OnDeactivate") {
		names = append(names, "OnDeactivate")
	}
	return names, err
}

// Client is for the server's side, which is not here.
func (r *reportingHooks) Client(*goplugin.MuxBroker, *rpc.Client) (any, error) {
	return nil, errors.New("the bridge hosts no plugins over net/rpc")
}
