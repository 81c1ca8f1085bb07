package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest/serverdb"
)

// setup says how plugins are run.
type setup struct{ mode, bundles, database string }

// running are the plugins that run, in the order of their ids.
type running struct {
	hooks []plugin.Hooks
	took  []time.Duration // to start and to activate each
	stops []func()        // the last one first
}

func (r *running) stop() {
	for _, stop := range slices.Backward(r.stops) {
		stop()
	}
}

// start runs the first count plugins of the folder, one after the other. When it fails, nothing runs.
func (s setup) start(count int) (_ *running, err error) {
	entries, err := os.ReadDir(s.bundles)
	if err != nil {
		return nil, err
	}
	if len(entries) < count {
		return nil, fmt.Errorf("there are %d bundles, not %d", len(entries), count)
	}
	r := &running{}
	defer func() {
		if err != nil {
			r.stop()
		}
	}()
	database, err := s.open(r)
	if err != nil {
		return nil, err
	}
	env, err := s.environment(r, database)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries[:count] {
		begin := time.Now()
		if _, _, err := env.Activate(entry.Name()); err != nil {
			return nil, fmt.Errorf("activate %s: %w", entry.Name(), err)
		}
		r.took = append(r.took, time.Since(begin))
		hooks, err := env.HooksForPlugin(entry.Name())
		if err != nil {
			return nil, err
		}
		r.hooks = append(r.hooks, hooks)
	}
	return r, nil
}

// open connects to the database, if there is one.
func (s setup) open(r *running) (*serverdb.Database, error) {
	if s.database == "" {
		return nil, nil
	}
	database, err := serverdb.Open(s.database)
	if err != nil {
		return nil, err
	}
	r.stops = append(r.stops, func() { _ = database.Close() })
	return database, nil
}

// environment is what runs plugins: Mattermost's, or that of package host.
type environment interface {
	Activate(id string) (manifest *model.Manifest, activated bool, reterr error)
	HooksForPlugin(id string) (plugin.Hooks, error)
	Shutdown()
}

// environment returns what runs the plugins.
func (s setup) environment(r *running, database *serverdb.Database) (environment, error) {
	logger, err := mlog.NewLogger()
	if err != nil {
		return nil, err
	}
	var driver plugin.AppDriver = noDatabase{}
	if database != nil {
		driver = database
	}
	newAPI := func(*model.Manifest) plugin.API { return api{} }
	webapp := s.bundles // no plugin here has one
	var env environment
	switch s.mode {
	case "server":
		env, err = plugin.NewEnvironment(newAPI, driver, s.bundles, webapp, logger, nil)
	case "native":
		env, err = host.NewEnvironment(newAPI, driver, s.bundles, webapp, logger, nil)
	default:
		err = fmt.Errorf("there is no mode %q", s.mode)
	}
	if err != nil {
		return nil, err
	}
	r.stops = append(r.stops, env.Shutdown)
	return env, nil
}
