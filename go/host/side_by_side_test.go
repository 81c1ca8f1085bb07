package host_test

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
)

func TestNoMethodOfMattermostsEnvironmentIsMissing(t *testing.T) {
	theirs, ours := reflect.TypeFor[*plugin.Environment](), reflect.TypeFor[*host.Environment]()
	for method := range theirs.Methods() {
		own, ok := ours.MethodByName(method.Name)
		if !ok {
			t.Errorf("%s is missing", method.Name)
			continue
		}
		if got, want := withoutReceiver(own.Type), withoutReceiver(method.Type); got != want && method.Name != "GetPluginHealthCheckJob" {
			t.Errorf("%s is %s instead of %s", method.Name, got, want)
		}
	}
	job, ourJob := reflect.TypeFor[*plugin.PluginHealthCheckJob](), reflect.TypeFor[*host.HealthCheckJob]()
	for method := range job.Methods() {
		own, ok := ourJob.MethodByName(method.Name)
		if !ok || withoutReceiver(own.Type) != withoutReceiver(method.Type) {
			t.Errorf("HealthCheckJob has no such %s", method.Name)
		}
	}
	// A server's call of the constructor compiles as it is: options come after what it passes.
	theirNew, ourNew := reflect.TypeOf(plugin.NewEnvironment), reflect.TypeOf(host.NewEnvironment)
	require.True(t, ourNew.IsVariadic())
	require.Equal(t, theirNew.NumIn()+1, ourNew.NumIn())
	for i := range theirNew.NumIn() {
		require.True(t, theirNew.In(i).ConvertibleTo(ourNew.In(i)), theirNew.In(i))
	}
}

// withoutReceiver is the type of a method as text.
func withoutReceiver(method reflect.Type) string {
	var in, out []string
	for i := 1; i < method.NumIn(); i++ {
		in = append(in, method.In(i).String())
	}
	for i := range method.NumOut() {
		out = append(out, method.Out(i).String())
	}
	return fmt.Sprintf("func(%s) (%s)", strings.Join(in, ", "), strings.Join(out, ", "))
}

// step is a call of a hook as a server makes it; say tells what came back.
type step struct {
	hookID int
	call   func(hooks plugin.Hooks, say func(format string, args ...any))
}

// steps is what happens on a server in these tests.
var steps = []step{
	posted("hello"), posted("keep this"), posted("refuse that"), posted("user u1"), posted("user nobody"), posted("store key"),
	{plugin.MessageHasBeenPostedID, func(hooks plugin.Hooks, say func(string, ...any)) {
		hooks.MessageHasBeenPosted(&plugin.Context{}, &model.Post{Message: "hello"})
	}},
	command("/witness me"), command("/fail"),
	{plugin.ChannelWillBeArchivedID, func(hooks plugin.Hooks, say func(string, ...any)) {
		for _, name := range []string{"town-square", "other"} {
			say("%q", hooks.ChannelWillBeArchived(&plugin.Context{}, &model.Channel{Name: name}))
		}
	}},
	{plugin.ConfigurationWillBeSavedID, func(hooks plugin.Hooks, say func(string, ...any)) {
		for _, name := range []string{"good", "bad"} {
			config := &model.Config{}
			config.SetDefaults()
			config.TeamSettings.SiteName = &name
			changed, err := hooks.ConfigurationWillBeSaved(config)
			if err != nil || changed == nil {
				say("refused: %v", err)
				continue
			}
			say("%s %d", *changed.TeamSettings.SiteName, *changed.ServiceSettings.ReadTimeout)
		}
	}},
	{plugin.ReactionHasBeenAddedID, func(hooks plugin.Hooks, say func(string, ...any)) {
		hooks.ReactionHasBeenAdded(&plugin.Context{}, &model.Reaction{EmojiName: "tada"})
	}},
	{plugin.OnPluginClusterEventID, func(hooks plugin.Hooks, say func(string, ...any)) {
		hooks.OnPluginClusterEvent(&plugin.Context{}, model.PluginClusterEvent{Id: "e", Data: []byte("data")})
	}},
	{plugin.FileWillBeUploadedID, func(hooks plugin.Hooks, say func(string, ...any)) {
		content := strings.Repeat("content ", 100_000)
		var output bytes.Buffer
		info, reason := hooks.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{Name: "a.txt", Size: 7}, strings.NewReader(content), &output)
		say("%s %d %q %t", info.Name, info.Size, reason, output.String() == strings.ToUpper(content))
	}},
	{plugin.ServeHTTPID, func(hooks plugin.Hooks, say func(string, ...any)) {
		request := httptest.NewRequest(http.MethodPost, "/path?q=1", strings.NewReader("body"))
		request.Header.Set("Mattermost-User-Id", "u1")
		response := httptest.NewRecorder()
		hooks.ServeHTTP(&plugin.Context{}, response, request)
		say("%d %s %s", response.Code, response.Header().Get("X-Witness"), response.Body)
	}},
	{plugin.OnConfigurationChangeID, func(hooks plugin.Hooks, say func(string, ...any)) {
		say("%v", hooks.OnConfigurationChange())
	}},
	// Which no witness implements.
	{plugin.UserHasLoggedInID, func(hooks plugin.Hooks, say func(string, ...any)) { say("called") }},
}

func posted(message string) step {
	return step{plugin.MessageWillBePostedID, func(hooks plugin.Hooks, say func(string, ...any)) {
		post := &model.Post{Id: "p1", Message: message}
		post.SetProps(model.StringInterface{"n": 3, "list": []any{"a", 1.5, nil}})
		post, reason := hooks.MessageWillBePosted(&plugin.Context{RequestId: "r1"}, post)
		if post == nil {
			say("no post, %q", reason)
			return
		}
		say("%s %q %v %T, %q", post.Id, post.Message, post.GetProps(), post.GetProp("n"), reason)
	}}
}

func command(text string) step {
	return step{plugin.ExecuteCommandID, func(hooks plugin.Hooks, say func(string, ...any)) {
		response, appErr := hooks.ExecuteCommand(&plugin.Context{}, &model.CommandArgs{Command: text, UserId: "u1"})
		if appErr != nil {
			say("%s %d", appErr.Id, appErr.StatusCode)
			return
		}
		say("%s %s", response.Text, response.ResponseType)
	}}
}

// play makes the steps with all plugins of a server, and returns what came back, by plugin, and in which order the
// plugins were called.
func play(env serverEnvironment) (said map[string][]string, order [][]string) {
	said = map[string][]string{}
	for i, step := range steps {
		var called []string
		env.RunMultiPluginHook(func(hooks plugin.Hooks, manifest *model.Manifest) bool {
			called = append(called, manifest.Id)
			step.call(hooks, func(format string, args ...any) {
				said[manifest.Id] = append(said[manifest.Id], fmt.Sprintf("%d: ", i)+fmt.Sprintf(format, args...))
			})
			return true
		}, step.hookID)
		order = append(order, called)
	}
	return said, order
}

// all is a server with witnesses of some kinds, which are activated.
func all(t *testing.T, env func(s *fakeServer) serverEnvironment, kinds ...kind) (*fakeServer, serverEnvironment, []*installed) {
	t.Helper()
	developmentPython(t)
	s := newFakeServer(t)
	var bundles []*installed
	for i, k := range kinds {
		bundles = append(bundles, install(t, s.plugins, k, fmt.Sprintf("com.example.%c-%s", 'a'+i, k)))
	}
	checkLeaks(t)
	environment := env(s)
	for _, b := range slices.Backward(bundles) { // not in the order in which they are called later
		activate(t, environment, b.id)
	}
	return s, environment, bundles
}

func TestPluginsOfAllKindsSeeTheSameSideBySide(t *testing.T) {
	s, env, bundles := all(t, func(s *fakeServer) serverEnvironment { return s.host(t) }, goOverNetRPC, python, goOverGRPC)
	ids := []string{bundles[0].id, bundles[1].id, bundles[2].id}
	said, order := play(env)
	for i, called := range order {
		if steps[i].hookID == plugin.UserHasLoggedInID {
			require.Empty(t, called)
		} else {
			require.Equal(t, ids, called, "the order of their ids, each time")
		}
	}
	reference := said[ids[0]]
	require.Len(t, reference, 15)
	require.Contains(t, reference, `0: p1 "hello, seen" map[list:[a 1.5 <nil>] n:3 witness:yes] int, ""`)
	for _, b := range bundles[1:] {
		require.Equal(t, reference, said[b.id], b.id)
	}

	for _, id := range ids {
		require.True(t, env.Deactivate(id))
	}
	notes := bundles[0].lines("notes")
	require.Equal(t, []string{"OnConfigurationChange brot", "OnActivate 11.4.0", "MessageWillBePosted r1 hello 3"}, notes[:3])
	require.Equal(t, "OnDeactivate", notes[len(notes)-1])
	for _, b := range bundles[1:] {
		require.Equal(t, notes, b.lines("notes"), b.id)
	}

	// Each called the same of the API, in the same order, and has a key-value store of its own.
	calls := map[string][]string{}
	for _, call := range s.calls {
		id, method, _ := strings.Cut(call, " ")
		if method != "GetServerVersion" { // which the host asks for on behalf of gRPC plugins
			calls[id] = append(calls[id], method)
		}
	}
	require.Len(t, calls, 3)
	for _, id := range ids {
		require.Equal(t, []string{"LoadPluginConfiguration", "GetUser", "GetUser", "KVSet", "KVGet", "LoadPluginConfiguration"}, calls[id], id)
		require.Equal(t, "value of key", string(s.store[id+" key"]))
	}
}

func TestTheSamePluginsSeeTheSameInMattermostsEnvironment(t *testing.T) {
	type seen struct{ said, notes, statuses map[string][]string }
	watch := func(t *testing.T, env func(s *fakeServer) serverEnvironment, kinds ...kind) seen {
		_, environment, bundles := all(t, env, kinds...)
		out := seen{map[string][]string{}, map[string][]string{}, map[string][]string{}}
		said, _ := play(environment)
		for _, b := range bundles {
			name := strings.TrimPrefix(b.id, "com.example.")[:1]
			out.said[name] = said[b.id]
			note := func() { out.statuses[name] = append(out.statuses[name], withoutName(status(t, environment, b.id))) }
			note()
			require.True(t, environment.Deactivate(b.id))
			note()
			require.False(t, environment.Deactivate(b.id))
			require.NoError(t, environment.RestartPlugin(b.id))
			note()
			out.notes[name] = b.lines("notes")
		}
		return out
	}
	var theirs, ours seen
	t.Run("plugin.Environment", func(t *testing.T) {
		theirs = watch(t, func(s *fakeServer) serverEnvironment { return s.mattermost(t) }, goOverNetRPC, bridged)
	})
	t.Run("host.Environment", func(t *testing.T) {
		ours = watch(t, func(s *fakeServer) serverEnvironment { return s.host(t) }, goOverNetRPC, python)
	})
	require.Len(t, theirs.said, 2)
	require.Equal(t, theirs, ours)
}

// withoutName removes the name of the kind from a status.
func withoutName(status string) string {
	for _, k := range []kind{goOverNetRPC, goOverGRPC, python, bridged} {
		status = strings.ReplaceAll(status, " "+string(k)+" ", " ")
	}
	return status
}

func TestAHookEndsTheFanOutAndSomePluginsAreLeftOut(t *testing.T) {
	_, env, bundles := all(t, func(s *fakeServer) serverEnvironment { return s.host(t) }, goOverNetRPC, goOverGRPC)
	var called []string
	first := func(_ plugin.Hooks, manifest *model.Manifest) bool {
		called = append(called, manifest.Id)
		return false
	}
	env.RunMultiPluginHook(first, plugin.MessageWillBePostedID)
	env.RunMultiPluginHookExcluding([]string{bundles[0].id}, first, plugin.MessageWillBePostedID)
	require.Equal(t, []string{bundles[0].id, bundles[1].id}, called)
	require.True(t, env.HasPluginImplementing(plugin.MessageWillBePostedID))
	require.False(t, env.HasPluginImplementing(plugin.UserHasLoggedInID))

	// A plugin that is deactivated by what one before it does is not called any more.
	called = nil
	env.RunMultiPluginHook(func(_ plugin.Hooks, manifest *model.Manifest) bool {
		called = append(called, manifest.Id)
		env.Deactivate(bundles[1].id)
		return true
	}, plugin.MessageWillBePostedID)
	require.Equal(t, []string{bundles[0].id}, called)
}

func TestTheFirstCallThatFailsEndsTheFanOutThatAsksForFailures(t *testing.T) {
	_, env, bundles := all(t, func(s *fakeServer) serverEnvironment { return s.host(t) }, goOverNetRPC, goOverGRPC)
	post := func(message string) *model.Post {
		post := &model.Post{Message: message}
		post.AddProp("n", 1)
		return post
	}
	var called []string
	run := func(message string) error {
		called = nil
		return env.RunMultiPluginHookWithRPCErr(func(hooks plugin.HooksWithRPCErr, manifest *model.Manifest) (bool, error) {
			called = append(called, manifest.Id)
			_, _, err := hooks.MessageWillBePostedWithRPCErr(&plugin.Context{}, post(message))
			return true, err
		}, plugin.MessageWillBePostedID)
	}
	require.NoError(t, run("hello"))
	require.Len(t, called, 2)
	require.Error(t, run("die"))
	require.Equal(t, []string{bundles[0].id}, called)
	hooks, err := env.HooksForPluginWithRPCErr(bundles[1].id)
	require.NoError(t, err)
	_, _, err = hooks.MessageWillBePostedWithRPCErr(&plugin.Context{}, post("die"))
	require.Error(t, err)
}

// durations notes what is measured.
type durations struct{ lines chan string }

func (d *durations) ObservePluginHookDuration(pluginID, hook string, success bool, _ float64) {
	d.lines <- fmt.Sprint("hook ", pluginID, " ", hook, " ", success)
}

func (d *durations) ObservePluginMultiHookIterationDuration(pluginID string, _ float64) {
	d.lines <- "iteration " + pluginID
}
func (d *durations) ObservePluginMultiHookDuration(float64) { d.lines <- "fan-out" }
func (d *durations) ObservePluginAPIDuration(pluginID, method string, success bool, _ float64) {
	d.lines <- fmt.Sprint("API ", pluginID, " ", method, " ", success)
}

func TestTheMetricsAreThoseOfMattermostsEnvironment(t *testing.T) {
	developmentPython(t)
	measure := func(t *testing.T, newEnvironment func(s *fakeServer, metrics host.Metrics) (serverEnvironment, error), ids map[kind]string) []string {
		s := newFakeServer(t)
		for k, id := range ids {
			install(t, s.plugins, k, id)
		}
		metrics := &durations{make(chan string, 100)}
		env, err := newEnvironment(s, metrics)
		require.NoError(t, err)
		defer env.Shutdown()
		for _, id := range []string{"com.example.go", "com.example.python"} {
			activate(t, env, id)
		}
		env.RunMultiPluginHook(func(hooks plugin.Hooks, _ *model.Manifest) bool {
			post := &model.Post{Message: "user nobody"}
			post.AddProp("n", 1)
			hooks.MessageWillBePosted(&plugin.Context{}, post)
			return true
		}, plugin.MessageWillBePostedID)
		env.Shutdown()
		close(metrics.lines)
		var lines []string
		for line := range metrics.lines {
			if !strings.Contains(line, "API") || strings.Contains(line, "GetUser") || strings.Contains(line, "LoadPluginConfiguration") {
				lines = append(lines, line)
			}
		}
		slices.SortFunc(lines, cmp.Compare)
		return lines
	}
	theirs := measure(t, func(s *fakeServer, metrics host.Metrics) (serverEnvironment, error) {
		return plugin.NewEnvironment(s.api, nil, s.plugins, s.webapp, s.mlog, metrics)
	}, map[kind]string{goOverNetRPC: "com.example.go", bridged: "com.example.python"})
	ours := measure(t, func(s *fakeServer, metrics host.Metrics) (serverEnvironment, error) {
		return host.NewEnvironment(s.api, nil, s.plugins, s.webapp, s.mlog, metrics)
	}, map[kind]string{goOverNetRPC: "com.example.go", python: "com.example.python"})
	require.Contains(t, ours, "API com.example.python GetUser false")
	require.Equal(t, theirs, ours)
}
