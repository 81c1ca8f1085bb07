package host

import (
	"slices"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// HooksForPlugin returns the hooks of an active plugin. RunMultiPluginHook is for calling those of all of them.
func (env *Environment) HooksForPlugin(id string) (plugin.Hooks, error) {
	if r := env.runningPlugin(id); r != nil {
		return r.supervisor.Hooks(), nil
	}
	return nil, notFound(id)
}

// HooksForPluginWithRPCErr returns the hooks of an active plugin that tell whether a call failed.
func (env *Environment) HooksForPluginWithRPCErr(id string) (plugin.HooksWithRPCErr, error) {
	if r := env.runningPlugin(id); r != nil {
		return r.supervisor.HooksWithRPCErr(), nil
	}
	return nil, notFound(id)
}

func (env *Environment) runningPlugin(id string) *registered {
	for _, r := range *env.running.Load() {
		if r.id() == id {
			return r
		}
	}
	return nil
}

// HasPluginImplementing says whether any active plugin implements a hook (plugin.OnActivateID, ...).
func (env *Environment) HasPluginImplementing(hookID int) bool {
	return slices.ContainsFunc(*env.running.Load(), func(r *registered) bool { return r.supervisor.Implements(hookID) })
}

// RunMultiPluginHook calls run with each active plugin that implements a hook, until it returns false. The order is that
// of the plugins' ids, so it is the same each time and on each server of a cluster.
func (env *Environment) RunMultiPluginHook(run func(hooks plugin.Hooks, manifest *model.Manifest) bool, hookID int) {
	env.RunMultiPluginHookExcluding(nil, run, hookID)
}

// RunMultiPluginHookExcluding is RunMultiPluginHook without some plugins.
func (env *Environment) RunMultiPluginHookExcluding(excluded []string, run func(hooks plugin.Hooks, manifest *model.Manifest) bool, hookID int) {
	// The function of run returns no error.
	_ = env.fanOut(excluded, hookID, func(s *Supervisor, manifest *model.Manifest) (bool, error) {
		return run(s.Hooks(), manifest), nil
	})
}

// RunMultiPluginHookWithRPCErr is RunMultiPluginHook with hooks that tell whether a call failed. It ends with the first
// error that run returns, and returns it.
func (env *Environment) RunMultiPluginHookWithRPCErr(run func(hooks plugin.HooksWithRPCErr, manifest *model.Manifest) (bool, error), hookID int) error {
	return env.fanOut(nil, hookID, func(s *Supervisor, manifest *model.Manifest) (bool, error) {
		return run(s.HooksWithRPCErr(), manifest)
	})
}

func (env *Environment) fanOut(excluded []string, hookID int, run func(s *Supervisor, manifest *model.Manifest) (bool, error)) error {
	if env.metrics != nil {
		start := time.Now()
		defer func() { env.metrics.ObservePluginMultiHookDuration(time.Since(start).Seconds()) }()
	}
	for _, r := range *env.running.Load() {
		// One that was deactivated meanwhile, perhaps by a hook before, is not called any more.
		if !r.supervisor.Implements(hookID) || !r.running.Load() || slices.Contains(excluded, r.id()) {
			continue
		}
		start := time.Now()
		goOn, err := run(r.supervisor, r.info.Manifest)
		if env.metrics != nil {
			env.metrics.ObservePluginMultiHookIterationDuration(r.id(), time.Since(start).Seconds())
		}
		if err != nil || !goOn {
			return err
		}
	}
	return nil
}
