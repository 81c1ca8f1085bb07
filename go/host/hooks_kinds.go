package host

import (
	"reflect"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// hookKind says what a hook does for its caller, and so what becomes of it while the plugin cannot answer.
type hookKind int

const (
	// answered hooks have a result that only the plugin can give: they wait for the plugin to come back.
	answered hookKind = iota
	// notification hooks have none: they are kept and delivered later.
	notification
	// permission hooks may refuse what they are asked about: the plugin's policy answers for it.
	permission
	// lifecycle hooks belong to one process; the supervisor alone calls them.
	lifecycle
)

// hookKinds holds the kind of every hook by its Go name.
var hookKinds = func() map[string]hookKind {
	kinds := make(map[string]hookKind)
	for method := range reflect.TypeFor[plugin.Hooks]().Methods() {
		switch name := method.Name; {
		case name == "Implemented" || name == "OnActivate" || name == "OnDeactivate":
			kinds[name] = lifecycle
		// Its error is only logged, so it can be told later.
		case name == "OnConfigurationChange" || service.IsNotification(name):
			kinds[name] = notification
		case strings.Contains(name, "Will") || name == "OnSAMLLogin":
			kinds[name] = permission
		default:
			kinds[name] = answered
		}
	}
	return kinds
}()

// hookKeys returns the HookKey of every hook.
func hookKeys() map[string]bool {
	keys := make(map[string]bool, len(hookKinds))
	for name := range hookKinds {
		keys[HookKey(name)] = true
	}
	return keys
}

// onDeactivateTimeout is less than the 10 s for which a Mattermost server waits.
const onDeactivateTimeout = 9 * time.Second

// answerTimeout is how long a plugin may take to begin its response to an HTTP request. Whoever waits on purpose
// (long polling) either sets another one or begins to respond.
const answerTimeout = 60 * time.Second

// fileTimeout is how long FileWillBeUploaded may go without reading or writing. It is long because scanners read all
// of a file before they begin with it.
const fileTimeout = 5 * time.Minute

// deadlines returns deadline for hooks by their Go names, worked out once: it is asked for at every call.
func (s Settings) deadlines() func(hook string) time.Duration {
	known := make(map[string]time.Duration, len(hookKinds))
	for hook := range hookKinds {
		known[hook] = s.deadline(hook)
	}
	return func(hook string) time.Duration { return known[hook] }
}

// deadline returns how long a call of the hook may take; 0 means as long as it likes. hook_timeout is for hooks that
// keep a person waiting.
func (s Settings) deadline(hook string) time.Duration {
	if timeout, ok := s.HookTimeouts[HookKey(hook)]; ok {
		return timeout
	}
	switch {
	case hook == "Implemented":
		return s.StartTimeout
	case hook == "OnDeactivate":
		return onDeactivateTimeout
	case hook == "FileWillBeUploaded":
		return fileTimeout
	case hook == "ServeHTTP" || hook == "ServeMetrics":
		return answerTimeout
	case hook == "ExecuteCommand" || hookKinds[hook] == permission:
		return s.HookTimeout
	}
	return 0
}
