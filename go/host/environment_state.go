package host

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mattermost/mattermost/server/public/model"
)

// registered is a plugin that was activated, or should have been, since the server started.
type registered struct {
	info *model.BundleInfo

	// Guarded by the environment's lock:
	state      int // model.PluginState...
	failure    string
	starting   bool
	supervisor *Supervisor // nil: none, as for a plugin of the web app alone

	running  atomic.Bool // its hooks are called
	teardown sync.Once
}

func (r *registered) id() string { return r.info.Manifest.Id }

// change changes a plugin that is registered, and brings the list of those whose hooks are called up to date.
func (env *Environment) change(id string, change func(r *registered)) {
	env.lock.Lock()
	defer env.lock.Unlock()
	if r := env.plugins[id]; r != nil {
		change(r)
		env.publish()
	}
}

// publish brings the list of plugins whose hooks are called up to date. The caller holds the lock.
func (env *Environment) publish() {
	running := []*registered{}
	for _, r := range env.plugins {
		if r.supervisor != nil && r.state == model.PluginStateRunning {
			running = append(running, r)
		}
	}
	slices.SortFunc(running, func(a, b *registered) int { return cmp.Compare(a.id(), b.id()) })
	for _, r := range *env.running.Load() {
		r.running.Store(slices.Contains(running, r))
	}
	for _, r := range running {
		r.running.Store(true)
	}
	env.running.Store(&running)
}

func (env *Environment) setState(id string, state int) {
	env.change(id, func(r *registered) { r.state = state })
}

// lookup returns a registered plugin with its supervisor, nil if there is none.
func (env *Environment) lookup(id string) (*registered, *Supervisor) {
	env.lock.Lock()
	defer env.lock.Unlock()
	if r := env.plugins[id]; r != nil {
		return r, r.supervisor
	}
	return nil, nil
}

// Active returns the active plugins, in the order of their ids.
func (env *Environment) Active() []*model.BundleInfo {
	env.lock.Lock()
	defer env.lock.Unlock()
	active := []*model.BundleInfo{}
	for _, r := range env.plugins {
		if r.state == model.PluginStateRunning {
			active = append(active, r.info)
		}
	}
	slices.SortFunc(active, func(a, b *model.BundleInfo) int { return cmp.Compare(a.Manifest.Id, b.Manifest.Id) })
	return active
}

// IsActive says whether a plugin is active.
func (env *Environment) IsActive(id string) bool {
	return env.GetPluginState(id) == model.PluginStateRunning
}

// GetPluginState returns the state of a plugin (model.PluginStateRunning, ...).
func (env *Environment) GetPluginState(id string) int {
	env.lock.Lock()
	defer env.lock.Unlock()
	if r := env.plugins[id]; r != nil {
		return r.state
	}
	return model.PluginStateNotRunning
}

// SetPluginError sets what Statuses says went wrong with a plugin; "" is nothing.
func (env *Environment) SetPluginError(id string, failure string) {
	env.change(id, func(r *registered) { r.failure = failure })
}

// Statuses returns the state of every installed plugin. Of a running one whose process is being restarted, Error says
// why and since when.
func (env *Environment) Statuses() (model.PluginStatuses, error) {
	bundles, err := env.Available()
	if err != nil {
		return nil, fmt.Errorf("unable to get plugin statuses: %w", err)
	}
	env.lock.Lock()
	defer env.lock.Unlock()
	statuses := make(model.PluginStatuses, 0, len(bundles))
	for _, info := range bundles {
		status := &model.PluginStatus{
			PluginId:    info.Manifest.Id,
			PluginPath:  filepath.Dir(info.ManifestPath),
			State:       model.PluginStateNotRunning,
			Name:        info.Manifest.Name,
			Description: info.Manifest.Description,
			Version:     info.Manifest.Version,
		}
		if r := env.plugins[info.Manifest.Id]; r != nil {
			status.State, status.Error = r.state, r.failure
			if status.Error == "" && r.supervisor != nil {
				status.Error = r.supervisor.State().String()
			}
		}
		statuses = append(statuses, status)
	}
	return statuses, nil
}

// RemovePlugin forgets a plugin that was removed from the server.
func (env *Environment) RemovePlugin(id string) {
	env.lock.Lock()
	defer env.lock.Unlock()
	delete(env.plugins, id)
	env.publish()
}
