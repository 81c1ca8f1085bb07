package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// Defaults of [Settings].
const (
	DefaultStartTimeout = 30 * time.Second
	// ExecutableStartTimeout is the default for executables, as a Mattermost server has it.
	ExecutableStartTimeout = 3 * time.Second
	DefaultHookTimeout     = 30 * time.Second
	DefaultQueueSize       = 1000
)

// Settings are the wishes of a plugin about how its host treats it: props.mattermost_plugin of the manifest.
type Settings struct {
	// OnFailure is on_failure: "allow" (the default) or "reject".
	OnFailure FailurePolicy

	// StartTimeout is start_timeout, in seconds: how long the process may take until it is ready.
	StartTimeout time.Duration

	// HookTimeout is hook_timeout, in seconds: the deadline of the hooks that keep a person waiting, which are those
	// that may refuse something (...Will...) and ExecuteCommand. 0 means none, which all other hooks have.
	HookTimeout time.Duration

	// HookTimeouts is hook_timeouts, in seconds by hook: deadlines of single hooks, whatever their kind. Keys are
	// normalised by [HookKey].
	HookTimeouts map[string]time.Duration

	// QueueSize is queue_size: how many notifications wait while the process is being restarted.
	QueueSize int
}

// DefaultSettings are the settings of a plugin that asks for nothing.
func DefaultSettings() Settings {
	return Settings{
		OnFailure:    Allow,
		StartTimeout: DefaultStartTimeout,
		HookTimeout:  DefaultHookTimeout,
		QueueSize:    DefaultQueueSize,
	}
}

// HookKey folds the Go name and the Python name of a hook (MessageWillBePosted, message_will_be_posted) into one.
func HookKey(hook string) string {
	return strings.ToLower(strings.ReplaceAll(hook, "_", ""))
}

// settingsJSON is the form of Settings in a manifest; pointers tell what is absent from what is zero.
type settingsJSON struct {
	OnFailure    *FailurePolicy      `json:"on_failure"`
	StartTimeout *float64            `json:"start_timeout"`
	HookTimeout  *float64            `json:"hook_timeout"`
	HookTimeouts map[string]*float64 `json:"hook_timeouts"`
	QueueSize    *int                `json:"queue_size"`
}

// parseSettings reads props.mattermost_plugin over the given settings. hooks holds every hook's HookKey. Errors begin
// with the key.
func parseSettings(raw json.RawMessage, settings Settings, hooks map[string]bool) (Settings, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return settings, nil
	}

	var in settingsJSON
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return settings, describeJSONError(err, "props.mattermost_plugin")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return settings, errors.New("props.mattermost_plugin must be one object")
	}

	if in.OnFailure != nil {
		if *in.OnFailure != Allow && *in.OnFailure != Reject {
			return settings, fmt.Errorf("props.mattermost_plugin.on_failure must be %q or %q, not %q", Allow, Reject, *in.OnFailure)
		}
		settings.OnFailure = *in.OnFailure
	}
	if in.StartTimeout != nil {
		if *in.StartTimeout <= 0 {
			return settings, errors.New("props.mattermost_plugin.start_timeout must be a number of seconds above 0")
		}
		settings.StartTimeout = seconds(*in.StartTimeout)
	}
	if in.HookTimeout != nil {
		if *in.HookTimeout < 0 {
			return settings, errors.New("props.mattermost_plugin.hook_timeout must be a number of seconds, or 0 for none")
		}
		settings.HookTimeout = seconds(*in.HookTimeout)
	}
	for hook, timeout := range in.HookTimeouts {
		key := "props.mattermost_plugin.hook_timeouts." + hook
		if !hooks[HookKey(hook)] {
			return settings, fmt.Errorf("%s: there is no such hook", key)
		}
		if timeout == nil || *timeout < 0 {
			return settings, fmt.Errorf("%s must be a number of seconds, or 0 for none", key)
		}
		if settings.HookTimeouts == nil {
			settings.HookTimeouts = make(map[string]time.Duration, len(in.HookTimeouts))
		}
		settings.HookTimeouts[HookKey(hook)] = seconds(*timeout)
	}
	if in.QueueSize != nil {
		if *in.QueueSize < 0 {
			return settings, errors.New("props.mattermost_plugin.queue_size must be 0 or more")
		}
		settings.QueueSize = *in.QueueSize
	}
	return settings, nil
}

// seconds turns a number of seconds into a duration that never overflows.
func seconds(value float64) time.Duration {
	nanoseconds := value * float64(time.Second)
	if nanoseconds >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(nanoseconds)
}
