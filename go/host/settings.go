package host

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// FailurePolicy says what becomes of a hook that asks for permission while the plugin cannot answer.
type FailurePolicy string

const (
	// Allow lets happen what the hook was asked about, unchanged.
	Allow FailurePolicy = "allow"
	// Reject refuses it, with a reason the user sees.
	Reject FailurePolicy = "reject"
)

// HookKey folds the Go name and the Python name of a hook (MessageWillBePosted, message_will_be_posted) into one.
func HookKey(hook string) string {
	return strings.ToLower(strings.ReplaceAll(hook, "_", ""))
}

// settingsKey is where the manifest has the settings.
const settingsKey = "props.mattermost_plugin"

// parseSettings reads props.mattermost_plugin of a manifest over the given settings. Errors begin with the key.
func parseSettings(manifest map[string]any, settings Settings) (Settings, error) {
	values, ok := find(manifest, settingsKey).(map[string]any)
	if !ok {
		return settings, nil // absent; checkRules refused all else
	}
	if broken := checkRules(settingRules, values); broken != nil {
		broken.key = settingsKey + "." + broken.key
		return settings, broken
	}
	known := make(map[string]bool, len(settingRules))
	for _, r := range settingRules {
		known[r.key] = true
	}
	for _, key := range sortedKeys(values) {
		if !known[key] {
			return settings, &fault{settingsKey + "." + key, "is not a setting"}
		}
		if values[key] != nil {
			settings.set(key, values[key])
		}
	}
	return settings, nil
}

// number is a number of JSON that fitted its rule.
func number(value any) float64 {
	literal, _ := value.(json.Number)
	found, _ := literal.Float64()
	return found
}

// secondsByHook reads an object that fitted its rule.
func secondsByHook(value any) map[string]time.Duration {
	table, _ := value.(map[string]any)
	limits := make(map[string]time.Duration, len(table))
	for hook, limit := range table {
		limits[HookKey(hook)] = seconds(number(limit))
	}
	return limits
}

// seconds turns a number of seconds into a duration that never overflows.
func seconds(value float64) time.Duration {
	nanoseconds := value * float64(time.Second)
	if nanoseconds >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(nanoseconds)
}
