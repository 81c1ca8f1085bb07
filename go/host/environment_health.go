package host

import (
	"slices"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
)

// PerformHealthCheck returns an error if a plugin has crashed. A plugin that has no process, or is not known, is well.
func (env *Environment) PerformHealthCheck(id string) error {
	if _, supervisor := env.lookup(id); supervisor != nil {
		return supervisor.PerformHealthCheck()
	}
	return nil
}

// TogglePluginHealthCheckJob begins or ends checking the health of all active plugins now and then.
func (env *Environment) TogglePluginHealthCheckJob(enable bool) {
	env.lock.Lock()
	job := env.job
	switch {
	case enable && job == nil:
		env.log.Debug("Enabling plugin health check job", mlog.Duration("interval_s", env.options.health.Interval))
		env.job = newHealthCheckJob(env)
		go env.job.run()
	case !enable && job != nil:
		env.log.Debug("Disabling plugin health check job")
		env.job = nil
	}
	env.lock.Unlock()
	if !enable && job != nil {
		job.Cancel()
	}
}

// GetPluginHealthCheckJob returns the job that checks the health of plugins, nil if it is off.
func (env *Environment) GetPluginHealthCheckJob() *HealthCheckJob {
	env.lock.Lock()
	defer env.lock.Unlock()
	return env.job
}

// HealthCheckJob checks the health of all active plugins now and then. One that has crashed is restarted, and
// deactivated when that was too often.
type HealthCheckJob struct {
	env       *Environment
	cancel    chan struct{}
	cancelled chan struct{}
	once      sync.Once

	lock    sync.Mutex
	crashes map[string][]time.Time // by plugin
}

func newHealthCheckJob(env *Environment) *HealthCheckJob {
	return &HealthCheckJob{
		env: env, cancel: make(chan struct{}), cancelled: make(chan struct{}), crashes: map[string][]time.Time{},
	}
}

func (job *HealthCheckJob) run() {
	defer close(job.cancelled)
	ticker := time.NewTicker(job.env.options.health.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for _, info := range job.env.Active() {
				job.CheckPlugin(info.Manifest.Id)
			}
		case <-job.cancel:
			return
		}
	}
}

// Cancel ends the job and waits for a check under way. It is not to be called from within one.
func (job *HealthCheckJob) Cancel() {
	job.once.Do(func() { close(job.cancel) })
	<-job.cancelled
}

// CheckPlugin checks one plugin now. If it has crashed it is restarted; if that is one crash too many within the window,
// it is deactivated instead, with the state PluginStateFailedToStayRunning.
func (job *HealthCheckJob) CheckPlugin(id string) {
	err := job.env.PerformHealthCheck(id)
	if err == nil {
		return
	}
	log := job.env.log.With(mlog.String("plugin_id", id))
	log.Warn("Health check failed for plugin", mlog.Err(err))
	if job.tooMany(id, time.Now()) {
		log.Error("Deactivating plugin due to multiple crashes")
		// Deactivating makes the state that of a plugin which nobody wants to run.
		job.env.Deactivate(id)
		job.env.setState(id, model.PluginStateFailedToStayRunning)
		return
	}
	log.Debug("Restarting plugin due to failed health check")
	if err := job.env.RestartPlugin(id); err != nil {
		log.Error("Failed to restart plugin", mlog.Err(err))
	}
}

// tooMany counts a crash, and says whether it is the last that is borne. Then the count begins anew.
func (job *HealthCheckJob) tooMany(id string, at time.Time) bool {
	limits := job.env.options.health
	job.lock.Lock()
	defer job.lock.Unlock()
	crashes := append(job.crashes[id], at)
	crashes = slices.Clone(crashes[max(0, len(crashes)-limits.Crashes):])
	if len(crashes) >= limits.Crashes && at.Sub(crashes[0]) <= limits.Window {
		delete(job.crashes, id)
		return true
	}
	job.crashes[id] = crashes
	return false
}
