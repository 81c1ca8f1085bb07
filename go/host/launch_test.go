package host_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
)

// bundle lays out an unpacked bundle. Its manifest runs server/plugin.py with python3.
type bundle struct {
	t   *testing.T
	dir string
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t, t.TempDir()}
	b.manifest(nil)
	b.file("server/plugin.py", "print('hello')\n")
	return b
}

// manifest writes plugin.json; change may change it first.
func (b *bundle) manifest(change func(manifest, server map[string]any)) {
	b.t.Helper()
	server := map[string]any{"runtime": "python3", "entrypoint": "server/plugin.py"}
	manifest := map[string]any{"id": "com.example.test", "name": "Test", "version": "1.0.0", "server": server}
	if change != nil {
		change(manifest, server)
	}
	raw, err := json.MarshalIndent(manifest, "", "  ")
	require.NoError(b.t, err)
	b.file("plugin.json", string(raw))
}

func (b *bundle) file(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	require.NoError(b.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(b.t, os.WriteFile(path, []byte(text), 0o755))
	return path
}

func (b *bundle) link(name, target string) {
	b.t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	require.NoError(b.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(b.t, os.Symlink(target, path))
}

// onlyPath makes dir the whole of PATH, with the given programs in it.
func onlyPath(t *testing.T, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"), 0o755))
	}
	t.Setenv("PATH", dir)
	return dir
}

func TestTheInterpreterOfTheBundleComesFirstThenItsVenvThenPath(t *testing.T) {
	path := onlyPath(t, "python3")
	b := newBundle(t)

	launch, err := host.FromManifest(b.dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(path, "python3"), launch.Program)

	venv := b.file("server/venv/bin/python", "")
	launch, err = host.FromManifest(b.dir)
	require.NoError(t, err)
	require.Equal(t, venv, launch.Program)

	shipped := b.file("server/python/"+runtime.GOOS+"-"+runtime.GOARCH+"/bin/python3", "")
	launch, err = host.FromManifest(b.dir)
	require.NoError(t, err)
	require.Equal(t, shipped, launch.Program)
}

func TestTheCommandHasRuntimeArgsThenTheEntrypoint(t *testing.T) {
	onlyPath(t, "python3")
	t.Setenv("PYTHONPATH", "/inherited")
	b := newBundle(t)
	b.manifest(func(_, server map[string]any) { server["runtime_args"] = []string{"-X", "dev"} })

	launch, err := host.FromManifest(b.dir)
	require.NoError(t, err)
	require.Equal(t, []string{"-X", "dev", "server/plugin.py"}, launch.Args)
	require.Equal(t, b.dir, launch.Bundle)
	require.Equal(t, "com.example.test", launch.PluginID)
	require.Equal(t, "Test", launch.PluginName)
	site := filepath.Join(b.dir, "server", "site")
	require.Contains(t, launch.Env, "PYTHONPATH="+strings.Join([]string{
		filepath.Join(site, runtime.GOOS+"-"+runtime.GOARCH), filepath.Join(site, "any"), "/inherited",
	}, string(os.PathListSeparator)))
}

func TestSettingsComeFromThePropsOfTheManifest(t *testing.T) {
	onlyPath(t, "python3")
	b := newBundle(t)
	launch, err := host.FromManifest(b.dir)
	require.NoError(t, err)
	require.Equal(t, host.DefaultSettings(), launch.Settings)

	b.manifest(func(manifest, _ map[string]any) {
		manifest["props"] = map[string]any{"something": "else", "mattermost_plugin": map[string]any{
			"on_failure": "reject", "start_timeout": 2.5, "hook_timeout": 0, "queue_size": 7, "stuck_timeout": 90,
			"hook_timeouts": map[string]any{"message_will_be_posted": 1, "ExecuteCommand": 0.5},
		}}
	})
	launch, err = host.FromManifest(b.dir)
	require.NoError(t, err)
	require.Equal(t, host.Settings{
		OnFailure: host.Reject, StartTimeout: 2500 * time.Millisecond, HookTimeout: 0, QueueSize: 7,
		StuckTimeout: 90 * time.Second,
		HookTimeouts: map[string]time.Duration{"messagewillbeposted": time.Second, "executecommand": 500 * time.Millisecond},
	}, launch.Settings)
}

func TestABundleThatCannotBeLaunchedSaysInOneLineWhatToDo(t *testing.T) {
	settings := func(value any) func(manifest, server map[string]any) {
		return func(manifest, _ map[string]any) { manifest["props"] = map[string]any{"mattermost_plugin": value} }
	}
	platform := runtime.GOOS + "-" + runtime.GOARCH
	for name, test := range map[string]struct {
		prepare func(b *bundle)
		kind    error
		text    string
	}{
		"no manifest": {
			func(b *bundle) { require.NoError(b.t, os.Remove(filepath.Join(b.dir, "plugin.json"))) },
			host.ErrManifest, "cannot read the manifest",
		},
		"a manifest that is not JSON": {
			func(b *bundle) { b.file("plugin.json", "{\n  \"id\": \"x\",\n  oops\n}") },
			host.ErrManifest, "plugin.json: line 3 is not JSON: invalid character 'o'",
		},
		"no id": {
			func(b *bundle) { b.manifest(func(manifest, _ map[string]any) { delete(manifest, "id") }) },
			host.ErrManifest, "plugin.json: id is missing",
		},
		"no runtime": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { delete(server, "runtime") }) },
			host.ErrManifest, "plugin.json: server.runtime is missing",
		},
		"a runtime that is a path": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { server["runtime"] = "/usr/bin/python3" }) },
			host.ErrManifest, `plugin.json: server.runtime must be the name of a program on PATH, or a list of such names, not "/usr/bin/python3"`,
		},
		"runtime_args that are a string": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { server["runtime_args"] = "-v" }) },
			host.ErrManifest, `plugin.json: server.runtime_args must be a list of strings, not "-v"`,
		},
		"no entrypoint": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { delete(server, "entrypoint") }) },
			host.ErrManifest, "plugin.json: server.entrypoint is missing",
		},
		"an entrypoint that is not there": {
			func(b *bundle) {
				b.manifest(func(_, server map[string]any) { server["entrypoint"] = "server/main.py" })
			},
			host.ErrEntrypoint, "entrypoint server/main.py is not in the bundle: check server.entrypoint in plugin.json",
		},
		"an entrypoint that is a directory": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { server["entrypoint"] = "server" }) },
			host.ErrEntrypoint, "entrypoint server is not a file",
		},
		"an entrypoint above the bundle": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { server["entrypoint"] = "../plugin.py" }) },
			host.ErrManifest, `plugin.json: server.entrypoint must be a path inside the bundle, relative to plugin.json, with forward slashes, not "../plugin.py"`,
		},
		"an absolute entrypoint": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { server["entrypoint"] = "/etc/passwd" }) },
			host.ErrManifest, `plugin.json: server.entrypoint must be a path inside the bundle, relative to plugin.json, with forward slashes, not "/etc/passwd"`,
		},
		"an entrypoint that is a link out of the bundle": {
			func(b *bundle) {
				b.link("server/linked.py", "/etc/passwd")
				b.manifest(func(_, server map[string]any) { server["entrypoint"] = "server/linked.py" })
			},
			host.ErrOutsideBundle, "entrypoint server/linked.py is a link to /etc/passwd, outside of the bundle",
		},
		"an entrypoint behind a directory that is a link out of the bundle": {
			func(b *bundle) {
				outside := b.t.TempDir()
				require.NoError(b.t, os.WriteFile(filepath.Join(outside, "plugin.py"), nil, 0o600))
				b.link("linked", outside)
				b.manifest(func(_, server map[string]any) { server["entrypoint"] = "linked/plugin.py" })
			},
			host.ErrOutsideBundle, "outside of the bundle",
		},
		"an interpreter that is a link out of the bundle": {
			func(b *bundle) { b.link("server/venv/bin/python", "/bin/sh") },
			host.ErrOutsideBundle, "interpreter server/venv/bin/python is a link to ",
		},
		"no interpreter": {
			func(b *bundle) { onlyPath(b.t) },
			host.ErrNoInterpreter,
			"no interpreter found: looked for server/python/" + platform + "/bin/python3, server/venv/bin/python in the bundle and python3 on PATH (",
		},
		"no program of another language": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { server["runtime"] = "parrot" }) },
			host.ErrNoInterpreter, "no interpreter found: looked for parrot on PATH (",
		},
		"settings that are a list": {
			func(b *bundle) { b.manifest(settings([]int{1})) },
			host.ErrManifest, "plugin.json: props.mattermost_plugin must be an object, not [1]",
		},
		"a setting that is not one": {
			func(b *bundle) { b.manifest(settings(map[string]any{"on_failur": "reject"})) },
			host.ErrManifest, "plugin.json: props.mattermost_plugin.on_failur is not a setting",
		},
		"a policy that is not one": {
			func(b *bundle) { b.manifest(settings(map[string]any{"on_failure": "ignore"})) },
			host.ErrManifest, `plugin.json: props.mattermost_plugin.on_failure must be "allow" or "reject", not "ignore"`,
		},
		"a timeout that is text": {
			func(b *bundle) { b.manifest(settings(map[string]any{"start_timeout": "30s"})) },
			host.ErrManifest, `plugin.json: props.mattermost_plugin.start_timeout must be a number of seconds above 0, at most 31536000, not "30s"`,
		},
		"a timeout of a hook that is none": {
			func(b *bundle) {
				b.manifest(settings(map[string]any{"hook_timeouts": map[string]any{"message_will_be_eaten": 1}}))
			},
			host.ErrManifest, "plugin.json: props.mattermost_plugin.hook_timeouts.message_will_be_eaten is no hook",
		},
		"a queue of less than nothing": {
			func(b *bundle) { b.manifest(settings(map[string]any{"queue_size": -1})) },
			host.ErrManifest, "plugin.json: props.mattermost_plugin.queue_size must be a whole number from 0, at most 1000000, not -1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			onlyPath(t, "python3")
			b := newBundle(t)
			test.prepare(b)
			_, err := host.FromManifest(b.dir)
			require.ErrorIs(t, err, test.kind)
			require.Contains(t, err.Error(), test.text)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// checksums writes the list of checksums for the given files.
func (b *bundle) checksums(names ...string) {
	b.t.Helper()
	var list strings.Builder
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(b.dir, name))
		require.NoError(b.t, err)
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(raw), name)
	}
	b.file("server/checksums.sha256", list.String())
}

func TestFilesAreComparedWithTheirChecksumsBeforeAnythingRuns(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(b *bundle)
		text    string // "": the plugin runs
	}{
		"all as built": {func(b *bundle) { b.checksums("server/plugin.py", "server/words.txt") }, ""},
		"no list":      {func(*bundle) {}, ""},
		"a file that is not listed": {
			func(b *bundle) { b.checksums("server/plugin.py"); b.file("server/__pycache__/words.pyc", "x") }, "",
		},
		"a changed file": {
			func(b *bundle) {
				b.checksums("server/plugin.py", "server/words.txt")
				b.file("server/words.txt", "other")
			},
			"server/words.txt was changed after the bundle was built (checksum mismatch): install the bundle again",
		},
		"a missing file": {
			func(b *bundle) {
				b.checksums("server/plugin.py", "server/words.txt")
				require.NoError(b.t, os.Remove(filepath.Join(b.dir, "server", "words.txt")))
			},
			"server/words.txt is listed in server/checksums.sha256 but cannot be read: no such file or directory",
		},
		"an entrypoint that is not listed": {
			func(b *bundle) { b.checksums("server/words.txt") },
			"server/plugin.py is not in server/checksums.sha256: build the bundle again",
		},
		"a line that is none": {
			func(b *bundle) { b.file("server/checksums.sha256", "\nnonsense\n") },
			"server/checksums.sha256: line 2: not a SHA-256 checksum, two spaces and a path",
		},
		"a path out of the bundle": {
			func(b *bundle) { b.file("server/checksums.sha256", strings.Repeat("0", 64)+"  ../x\n") },
			"server/checksums.sha256: line 1: ../x is outside of the bundle",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t)
			b.manifest(func(_, server map[string]any) { server["runtime"] = "sh" })
			b.file("server/plugin.py", "touch ran\n")
			b.file("server/words.txt", "one two\n")
			test.prepare(b)
			launch, err := host.FromManifest(b.dir)
			require.NoError(t, err)
			_, err = host.Start(t.Context(), host.Config{Launch: launch, Logger: hclog.NewNullLogger()})
			if test.text == "" {
				require.ErrorIs(t, err, host.ErrExited, "it is no plugin, but it ran")
				require.FileExists(t, filepath.Join(b.dir, "ran"))
				return
			}
			require.ErrorIs(t, err, host.ErrChecksum)
			require.EqualError(t, err, test.text)
			require.NoFileExists(t, filepath.Join(b.dir, "ran"))
		})
	}
}

func TestTheServersOwnSettingsOfTheAllocatorHold(t *testing.T) {
	onlyPath(t, "python3")
	t.Setenv("MALLOC_TRIM_THRESHOLD_", "1")
	launch, err := host.FromManifest(newBundle(t).dir)
	require.NoError(t, err)
	set := map[string]bool{}
	for _, variable := range launch.Env {
		name, _, _ := strings.Cut(variable, "=")
		set[name] = true
	}
	require.NotContains(t, set, "MALLOC_TRIM_THRESHOLD_")
	require.Contains(t, set, "MALLOC_MMAP_THRESHOLD_")
	require.Contains(t, set, "MALLOC_TOP_PAD_")
}

// pretendPython puts programs on PATH that say they are these releases of Python and end when they run anything else.
func pretendPython(t *testing.T, releases map[string]string) string {
	t.Helper()
	dir := onlyPath(t)
	for name, release := range releases {
		script := "#!/bin/sh\ncase \"$*\" in *version_info*) printf " + release + ";; *) echo nothing to import >&2; exit 1;; esac\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755))
	}
	return dir
}

func TestTheFirstRuntimeThatIsThereAndFitsIsTaken(t *testing.T) {
	for name, test := range map[string]struct {
		releases map[string]string
		requires string
		chosen   string
	}{
		"the first":                           {map[string]string{"python3.12": "3.12.1", "python3": "3.11.2"}, "", "python3.12"},
		"the only one there":                  {map[string]string{"python3": "3.11.2"}, "==3.12.*", "python3"},
		"the first that is not too old":       {map[string]string{"python3.12": "3.9.1", "python3": "3.11.2"}, "", "python3"},
		"the first that the bundle is for":    {map[string]string{"python3.12": "3.12.1", "python3": "3.11.2"}, "==3.11.*", "python3"},
		"the first if the bundle is for none": {map[string]string{"python3.12": "3.12.1", "python3": "3.11.2"}, "==3.10.*", "python3.12"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := pretendPython(t, test.releases)
			b := newBundle(t)
			b.manifest(func(_, server map[string]any) {
				server["runtime"] = []string{"python3.12", "python3"}
				server["requires_python"] = test.requires
			})
			launch, err := host.FromManifest(b.dir)
			require.NoError(t, err)
			require.Equal(t, filepath.Join(dir, test.chosen), launch.Program)
		})
	}
}

func TestAPluginThatDoesNotStartOnAnotherPythonNamesBoth(t *testing.T) {
	dir := pretendPython(t, map[string]string{"python3": "3.11.2"})
	for requires, text := range map[string]string{
		"==3.12.*":     "needs Python 3.12: install that Python on the server, or build the bundle with --python 3.11",
		">=3.12,<3.14": "needs Python >=3.12,<3.14: ",
	} {
		b := newBundle(t)
		b.manifest(func(_, server map[string]any) { server["requires_python"] = requires })
		launch, err := host.FromManifest(b.dir)
		require.NoError(t, err)
		_, err = host.Start(t.Context(), host.Config{Launch: launch, Logger: hclog.NewNullLogger()})
		require.ErrorIs(t, err, host.ErrWrongInterpreter)
		require.Contains(t, err.Error(), filepath.Join(dir, "python3")+" is Python 3.11.2, but the bundle "+text)
	}
}
