// Package timed measures how long the calls between a server and a plugin take.
//
// The methods are generated, one line each; a call succeeded if it returned no error.
package timed

import (
	"time"

	"github.com/mattermost/mattermost/server/public/plugin"
)

// HookMetrics takes how long calls of hooks took, in seconds.
type HookMetrics interface {
	ObservePluginHookDuration(pluginID, hookName string, success bool, elapsed float64)
}

// APIMetrics takes how long calls of the API took, in seconds.
type APIMetrics interface {
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
	metrics  HookMetrics
}

// NewHooks returns hooks that are measured.
func NewHooks(inner Hooks, pluginID string, metrics HookMetrics) Hooks {
	return &hooks{inner, pluginID, metrics}
}

func (t *hooks) observe(name string, success bool, start time.Time) {
	t.metrics.ObservePluginHookDuration(t.pluginID, name, success, time.Since(start).Seconds())
}

type api struct {
	inner    plugin.API
	pluginID string
	metrics  APIMetrics
}

// NewAPI returns an API whose calls are measured.
func NewAPI(inner plugin.API, pluginID string, metrics APIMetrics) plugin.API {
	return &api{inner, pluginID, metrics}
}

func (t *api) observe(name string, success bool, start time.Time) {
	t.metrics.ObservePluginAPIDuration(t.pluginID, name, success, time.Since(start).Seconds())
}
