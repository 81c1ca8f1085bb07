package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
)

// greeting is a whole plugin, in the language of its author's choice.
const greeting = `
from mattermost_plugin import Plugin

class Greeting(Plugin):
    def message_will_be_posted(self, ctx, post):
        post.message = f"{post.message}, {self.api.get_user(post.user_id).username}!"
        return post

Greeting.run()
`

// unpack unpacks a bundle with that plugin into a directory of plugins.
func unpack(plugins, manifest string) (string, error) {
	bundle := filepath.Join(plugins, "com.example.greeting")
	if err := os.MkdirAll(filepath.Join(bundle, "server"), 0o755); err != nil {
		return "", err
	}
	return bundle, errors.Join(
		os.WriteFile(filepath.Join(bundle, "plugin.json"), []byte(manifest), 0o644),
		os.WriteFile(filepath.Join(bundle, "server", "plugin.py"), []byte(greeting), 0o644),
	)
}

// serverAPI is the API of a server, of which the plugin calls little.
func serverAPI(*model.Manifest) plugin.API {
	return contracttest.APIFunc(func(method string, args ...any) []any {
		switch method {
		case "GetUser":
			return []any{&model.User{Id: args[0].(string), Username: "anna"}, nil}
		case "GetServerVersion":
			return []any{model.CurrentVersion}
		}
		return nil
	})
}

// withPython puts the Python in which the SDK is installed on PATH.
func withPython() func() {
	path := os.Getenv("PATH")
	python, err := filepath.Abs(filepath.Join("..", "..", ".venv", "bin"))
	if err != nil {
		panic(err)
	}
	if err := os.Setenv("PATH", python+string(os.PathListSeparator)+path); err != nil {
		panic(err)
	}
	return func() {
		if err := os.Setenv("PATH", path); err != nil {
			panic(err)
		}
	}
}

// A server runs a plugin written in Python as it runs any other.
func ExampleNewEnvironment() {
	defer withPython()()
	plugins, err := os.MkdirTemp("", "plugins")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(plugins)
	if _, err := unpack(plugins, `{
		"id": "com.example.greeting", "name": "Greeting", "version": "1.0.0",
		"server": {"runtime": "python3", "entrypoint": "server/plugin.py"}
	}`); err != nil {
		panic(err)
	}
	logger, err := mlog.NewLogger()
	if err != nil {
		panic(err)
	}

	env, err := host.NewEnvironment(serverAPI, nil, plugins, filepath.Join(plugins, ".webapp"), logger, nil)
	if err != nil {
		panic(err)
	}
	defer env.Shutdown()
	if _, _, err := env.Activate("com.example.greeting"); err != nil {
		panic(err)
	}
	env.RunMultiPluginHook(func(hooks plugin.Hooks, manifest *model.Manifest) bool {
		post, reason := hooks.MessageWillBePosted(&plugin.Context{}, &model.Post{Message: "Hello", UserId: "u1"})
		fmt.Println(manifest.Name, "says:", post.Message, reason)
		return true
	}, plugin.MessageWillBePostedID)
	// Output: Greeting says: Hello, anna!
}

// What a bridge does: it runs the script beside it, and hands its hooks on.
func ExampleStart() {
	defer withPython()()
	plugins, err := os.MkdirTemp("", "plugins")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(plugins)
	bundle, err := unpack(plugins, `{
		"id": "com.example.greeting", "name": "Greeting", "version": "1.0.0",
		"server": {"runtime": "python3", "entrypoint": "server/plugin.py"},
		"props": {"mattermost_plugin": {"on_failure": "reject"}}
	}`)
	if err != nil {
		panic(err)
	}

	launch, err := host.FromManifest(bundle)
	if err != nil {
		panic(err) // one line that says what to do
	}
	p, err := host.Start(context.Background(), host.Config{Launch: launch, API: serverAPI(nil), Logger: hclog.NewNullLogger()})
	if err != nil {
		panic(err)
	}
	implemented, err := p.Implemented()
	if err != nil {
		panic(err)
	}
	fmt.Println(implemented)
	hooks := p.Hooks()
	if err := hooks.OnActivate(); err != nil {
		panic(err)
	}
	post, _ := hooks.MessageWillBePosted(&plugin.Context{}, &model.Post{Message: "Bye", UserId: "u1"})
	fmt.Println(post.Message)
	fmt.Println(hooks.OnDeactivate())
	// Output:
	// [MessageWillBePosted]
	// Bye, anna!
	// <nil>
}

// An executable, whichever protocol it speaks.
func ExampleNewSupervisor() {
	plugins, err := os.MkdirTemp("", "plugins")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(plugins)
	executable := filepath.Join("server", "plugin-"+runtime.GOOS+"-"+runtime.GOARCH)
	bundle, err := unpack(plugins, fmt.Sprintf(`{
		"id": "com.example.greeting", "name": "Greeting", "version": "1.0.0", "server": {"executable": %q},
		"props": {"mattermost_plugin": {"start_timeout": 60}}
	}`, executable))
	if err != nil {
		panic(err)
	}
	// A stock Go plugin: package main with plugin.ClientMain.
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bundle, executable), "./internal/witness/netrpc").CombinedOutput(); err != nil {
		panic(string(out))
	}
	logger, err := mlog.NewLogger()
	if err != nil {
		panic(err)
	}

	supervisor, err := host.NewSupervisor(host.Supervised{
		Bundle: model.BundleInfoForPath(bundle), API: serverAPI(nil), Log: logger,
	})
	if err != nil {
		panic(err)
	}
	defer supervisor.Shutdown()
	fmt.Println(supervisor.Protocol(), supervisor.Implements(plugin.MessageWillBePostedID), supervisor.PerformHealthCheck())
	// Output: netrpc true <nil>
}
