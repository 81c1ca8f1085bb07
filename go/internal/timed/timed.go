// Package timed measures how long the calls between a server and a plugin take.
//
// The methods are generated, one line each; a call succeeded if it returned no error.
package timed

import (
	"time"

	"github.com/mattermost/mattermost/server/public/plugin"
)

// Metrics takes what is measured, in seconds. The server's own metrics have these methods.
type Metrics interface {
	ObservePluginHookDuration(pluginID, hookName string, success bool, elapsed float64)
	ObservePluginMultiHookIterationDuration(pluginID string, elapsed float64)
	ObservePluginMultiHookDuration(elapsed float64)
	ObservePluginAPIDuration(pluginID, apiName string, success bool, elapsed float64)
}

// Hooks are hooks that can say whether a call failed.
type Hooks interface {
	plugin.Hooks
	plugin.HooksWithRPCErr
}

type hooks struct {
	inner    Hooks
	pluginID string
	metrics  Metrics
}

// NewHooks returns hooks that are measured. Without metrics they are the hooks themselves.
func NewHooks(inner Hooks, pluginID string, metrics Metrics) Hooks {
	if metrics == nil {
		return inner
	}
	return &hooks{inner, pluginID, metrics}
}

func (t *hooks) observe(name string, success bool, start time.Time) {
	t.metrics.ObservePluginHookDuration(t.pluginID, name, success, time.Since(start).Seconds())
}

type api struct {
	inner    plugin.API
	pluginID string
	metrics  Metrics
}

// NewAPI returns an API whose calls are measured. Without metrics it is the API itself.
func NewAPI(inner plugin.API, pluginID string, metrics Metrics) plugin.API {
	if metrics == nil {
		return inner
	}
	return &api{inner, pluginID, metrics}
}

func (t *api) observe(name string, success bool, start time.Time) {
	t.metrics.ObservePluginAPIDuration(t.pluginID, name, success, time.Since(start).Seconds())
}
