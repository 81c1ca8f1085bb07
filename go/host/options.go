package host

import (
	"cmp"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// Option changes how an Environment or a Supervisor treats its plugins.
type Option func(*options)

type options struct {
	protocols         []goplugin.Protocol
	autoMTLS          bool
	restart           Restart
	health            HealthCheck
	deactivateTimeout time.Duration
}

func newOptions(list []Option) options {
	o := options{
		protocols:         []goplugin.Protocol{goplugin.ProtocolNetRPC, goplugin.ProtocolGRPC},
		restart:           DefaultRestart,
		health:            DefaultHealthCheck,
		deactivateTimeout: DeactivateTimeout,
	}
	for _, option := range list {
		option(&o)
	}
	o.health = o.health.completed()
	return o
}

// WithProtocols says which protocols plugins may speak. By default these are net/rpc and gRPC.
func WithProtocols(protocols ...goplugin.Protocol) Option {
	return func(o *options) { o.protocols = protocols }
}

// WithAutoMTLS has server and plugins encrypt what they say, and prove to each other who they are. By default they rely
// on the operating system, as a Mattermost server does. Plugins in Go can do it since they are built with go-plugin
// 1.0, Python plugins with mattermost-plugin[tls]; others do not start.
func WithAutoMTLS() Option {
	return func(o *options) { o.autoMTLS = true }
}

// WithRestart says how the process of a gRPC plugin that died is started again. Over net/rpc it is not, until a health
// check finds it missing.
func WithRestart(restart Restart) Option {
	return func(o *options) { o.restart = restart }
}

// WithHealthCheck sets the limits of health checks.
func WithHealthCheck(limits HealthCheck) Option {
	return func(o *options) { o.health = limits }
}

// WithDeactivateTimeout says how long OnDeactivate may take until the process is stopped all the same.
func WithDeactivateTimeout(limit time.Duration) Option {
	return func(o *options) { o.deactivateTimeout = limit }
}

// DeactivateTimeout is how long a Mattermost server waits for OnDeactivate.
const DeactivateTimeout = 10 * time.Second

// HealthCheck are the limits of health checks. A zero field stands for what DefaultHealthCheck has there.
type HealthCheck struct {
	// Interval is the time between two checks of a plugin.
	Interval time.Duration
	// Pings is how many pings in a row a plugin has to leave unanswered to be taken for crashed.
	Pings int
	// PingTimeout is how long it may take for an answer. It is for plugins over gRPC; net/rpc has a limit of its own.
	PingTimeout time.Duration
	// Crashes within Window are what a plugin is deactivated after. Before, it is restarted.
	Crashes int
	Window  time.Duration
}

// DefaultHealthCheck are the limits of a Mattermost server.
var DefaultHealthCheck = HealthCheck{
	Interval:    plugin.HealthCheckInterval,
	Pings:       plugin.HealthCheckPingFailLimit,
	PingTimeout: 10 * time.Second,
	Crashes:     plugin.HealthCheckNumRestartsLimit,
	Window:      plugin.HealthCheckDeactivationWindow,
}

// completed returns the limits with the defaults in the place of zeros.
func (h HealthCheck) completed() HealthCheck {
	return HealthCheck{
		Interval:    cmp.Or(h.Interval, DefaultHealthCheck.Interval),
		Pings:       cmp.Or(h.Pings, DefaultHealthCheck.Pings),
		PingTimeout: cmp.Or(h.PingTimeout, DefaultHealthCheck.PingTimeout),
		Crashes:     cmp.Or(h.Crashes, DefaultHealthCheck.Crashes),
		Window:      cmp.Or(h.Window, DefaultHealthCheck.Window),
	}
}
