package host

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// Config is what a host knows about a plugin it runs.
type Config struct {
	// Launch says which program to run and how; see FromManifest.
	Launch

	// Logger gets the log of the plugin and of this package. nil: hclog.Default().
	Logger hclog.Logger

	// API and Driver are what the plugin may call; they can also be set later, until OnActivate, by the SetAPI and
	// SetDriver of the hooks. nil: the plugin cannot call it.
	API    plugin.API
	Driver plugin.Driver

	// Remote says that API and Driver are Mattermost's net/rpc clients, as in a plugin of their server: whatever
	// they return when the server is gone or too old is then told to the plugin as an error.
	Remote bool

	// AutoMTLS has both sides encrypt what they say and prove with certificates, made for this one process, who they
	// are. A plugin that cannot do so does not start.
	AutoMTLS bool

	// Reattach is a plugin process that was started elsewhere, to be used instead of starting the program of Launch.
	// It is not restarted. nil: none.
	Reattach *goplugin.ReattachConfig

	// Restart says what happens when the process dies. The zero value means DefaultRestart.
	Restart Restart

	// netrpc is how to talk to a plugin over net/rpc, protocols what a plugin may answer with, and first the process
	// that Start takes instead of starting one. A Supervisor sets them.
	netrpc    goplugin.Plugin
	protocols []goplugin.Protocol
	first     *process

	clock clock // for tests
}

// Restart says how a process that died is started again.
type Restart struct {
	// First is the pause before the first restart; each further one takes twice as long, up to Longest.
	First, Longest time.Duration

	// Stable is how long a process must have lived so that its end counts as the first again, or as long as the pause
	// before it if that was longer.
	Stable time.Duration
}

// DefaultRestart begins at once and pauses for five minutes at most, for a plugin that keeps crashing. It never ends: the
// trouble may be over one day, and only the server knows whether it wants the plugin.
var DefaultRestart = Restart{First: 100 * time.Millisecond, Longest: 5 * time.Minute, Stable: time.Minute}

// pause is how long to wait after the given number of ends in a row.
func (r Restart) pause(crashes int) time.Duration {
	pause := r.First
	for i := 1; i < crashes && pause < r.Longest; i++ {
		pause *= 2
	}
	return min(pause, r.Longest)
}

// timeout is context.WithTimeout where 0 means none.
func timeout(limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), limit)
}
