package host

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
)

// Activate activates an installed plugin: its part for the web app is laid out to be served, its process is started and
// OnActivate called. For a plugin that is active already, or just being activated, it does nothing and returns nil and
// false. An error is also what Statuses says about the plugin.
func (env *Environment) Activate(id string) (*model.Manifest, bool, error) {
	r, err := env.register(id, func() (*model.BundleInfo, error) { return env.find(id) })
	if r == nil {
		env.SetPluginError(id, text(err))
		return nil, false, err
	}
	err = env.activate(r)
	env.settle(r, err)
	if err != nil {
		return nil, false, err
	}
	env.log.Debug("Plugin activated", mlog.String("plugin_id", id), mlog.String("version", r.info.Manifest.Version))
	return r.info.Manifest, true, nil
}

// Reattach activates a plugin whose process was started elsewhere, as while it is being developed.
func (env *Environment) Reattach(manifest *model.Manifest, process *model.PluginReattachConfig) error {
	id := manifest.Id
	r, err := env.register(id, func() (*model.BundleInfo, error) { return &model.BundleInfo{Manifest: manifest}, nil })
	if r == nil {
		env.SetPluginError(id, text(err))
		return err
	}
	err = env.reattach(r, process)
	env.settle(r, err)
	if err == nil {
		env.log.Debug("Plugin reattached", mlog.String("plugin_id", id), mlog.String("version", manifest.Version))
	}
	return err
}

// register makes a plugin one that is being activated. It returns nil for one that is so already, or is active.
func (env *Environment) register(id string, find func() (*model.BundleInfo, error)) (*registered, error) {
	if env.busy(id) {
		return nil, nil
	}
	info, err := find()
	if err != nil {
		return nil, err
	}
	env.lock.Lock()
	defer env.lock.Unlock()
	if env.busyLocked(id) {
		return nil, nil
	}
	r := &registered{info: info, state: model.PluginStateNotRunning, starting: true}
	env.plugins[id] = r
	env.publish()
	return r, nil
}

func (env *Environment) busy(id string) bool {
	env.lock.Lock()
	defer env.lock.Unlock()
	return env.busyLocked(id)
}

func (env *Environment) busyLocked(id string) bool {
	r := env.plugins[id]
	return r != nil && (r.starting || r.state == model.PluginStateRunning)
}

// settle says how an activation ended.
func (env *Environment) settle(r *registered, err error) {
	env.lock.Lock()
	defer env.lock.Unlock()
	r.starting, r.failure = false, text(err)
	r.state = model.PluginStateRunning
	if err != nil {
		r.state = model.PluginStateFailedToStart
	}
	env.publish()
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (env *Environment) activate(r *registered) error {
	manifest := r.info.Manifest
	if err := checkServerVersion(manifest); err != nil {
		return err
	}
	if !manifest.HasWebapp() && !manifest.HasServer() {
		return errors.New("unable to start plugin: must at least have a web app or server component")
	}
	if manifest.HasWebapp() {
		unpacked, err := env.UnpackWebappBundle(manifest.Id)
		if err != nil {
			return fmt.Errorf("unable to generate webapp bundle: %s: %w", manifest.Id, err)
		}
		manifest.Webapp.BundleHash = unpacked.Webapp.BundleHash
	}
	if manifest.HasServer() {
		return env.start(r, nil)
	}
	return nil
}

func (env *Environment) reattach(r *registered, process *model.PluginReattachConfig) error {
	manifest := r.info.Manifest
	if err := checkServerVersion(manifest); err != nil {
		return err
	}
	if !manifest.HasServer() {
		return errors.New("cannot reattach plugin without server component")
	}
	if manifest.HasWebapp() {
		env.log.Warn("Ignoring webapp for reattached plugin", mlog.String("plugin_id", manifest.Id))
	}
	return env.start(r, process)
}

// start starts the process of a plugin, or connects to one, and activates it.
func (env *Environment) start(r *registered, reattach *model.PluginReattachConfig) error {
	supervisor, err := NewSupervisor(Supervised{
		Bundle: r.info, API: env.newAPI(r.info.Manifest), Driver: env.driver, Log: env.log, Metrics: env.metrics,
		Reattach: reattach,
	}, env.list...)
	if err != nil {
		return fmt.Errorf("unable to start plugin: %s: %w", r.id(), err)
	}
	// In its OnActivate the plugin may change the configuration, upon which the server activates what is enabled: to be
	// left alone it has to count as running. Its hooks are called when it is done.
	env.lock.Lock()
	r.state = model.PluginStateRunning
	env.lock.Unlock()
	if err := supervisor.Hooks().OnActivate(); err != nil {
		supervisor.Shutdown()
		return err
	}
	env.lock.Lock()
	forgotten := env.plugins[r.id()] != r
	if !forgotten {
		r.supervisor = supervisor
	}
	env.lock.Unlock()
	if forgotten {
		supervisor.Shutdown()
		return fmt.Errorf("plugin was removed while it was being activated: %s", r.id())
	}
	return nil
}

func checkServerVersion(manifest *model.Manifest) error {
	if manifest.MinServerVersion == "" {
		return nil
	}
	fulfilled, err := manifest.MeetMinServerVersion(model.CurrentVersion)
	if err != nil {
		return fmt.Errorf("%w: %s", err, manifest.Id)
	}
	if !fulfilled {
		return fmt.Errorf("plugin requires Mattermost %s: %s", manifest.MinServerVersion, manifest.Id)
	}
	return nil
}

// Deactivate deactivates a plugin: OnDeactivate is called, with a limit to how long it may take, and the process ended.
// Until then its hooks are called, as it may itself do what they are called for. It returns false if the plugin was not
// active. What went wrong with the plugin before does not count any more.
func (env *Environment) Deactivate(id string) bool {
	r, _ := env.lookup(id)
	return r != nil && env.deactivate(r)
}

func (env *Environment) deactivate(r *registered) bool {
	env.lock.Lock()
	supervisor := r.supervisor
	active := supervisor != nil && r.state == model.PluginStateRunning
	if !active {
		r.state = model.PluginStateNotRunning
		env.publish()
	}
	env.lock.Unlock()
	if !active {
		return false
	}
	first := false
	r.teardown.Do(func() {
		first = true
		env.sayGoodbye(r, supervisor)
		env.lock.Lock()
		r.state = model.PluginStateNotRunning
		env.publish()
		env.lock.Unlock()
		supervisor.Shutdown()
	})
	return first
}

// sayGoodbye calls OnDeactivate.
func (env *Environment) sayGoodbye(r *registered, supervisor *Supervisor) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := supervisor.Hooks().OnDeactivate(); err != nil {
			env.log.Error("Plugin OnDeactivate() error", mlog.String("plugin_id", r.id()), mlog.Err(err))
		}
	}()
	limit := time.NewTimer(env.options.deactivateTimeout)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		env.log.Warn("Plugin OnDeactivate() failed to complete in time", mlog.String("plugin_id", r.id()),
			mlog.Duration("limit", env.options.deactivateTimeout))
	}
}

// RestartPlugin deactivates a plugin and activates it.
func (env *Environment) RestartPlugin(id string) error {
	env.Deactivate(id)
	_, _, err := env.Activate(id)
	return err
}

// Shutdown deactivates all plugins and forgets them.
func (env *Environment) Shutdown() {
	env.TogglePluginHealthCheckJob(false)
	env.lock.Lock()
	plugins := make([]*registered, 0, len(env.plugins))
	for _, r := range env.plugins {
		plugins = append(plugins, r)
	}
	env.lock.Unlock()
	var ending sync.WaitGroup
	for _, r := range plugins {
		ending.Go(func() { env.deactivate(r) })
	}
	ending.Wait()
	env.lock.Lock()
	defer env.lock.Unlock()
	clear(env.plugins)
	env.publish()
}
