package host_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
)

// environments are Mattermost's and ours, with a witness of one kind in each.
var environments = map[string]func(t *testing.T, s *fakeServer) serverEnvironment{
	"plugin.Environment": func(t *testing.T, s *fakeServer) serverEnvironment { return s.mattermost(t) },
	"host.Environment":   func(t *testing.T, s *fakeServer) serverEnvironment { return s.host(t) },
}

// inEachWay runs a test with a Go plugin in Mattermost's environment and in ours, and with a Python plugin and a Go
// plugin over gRPC in ours.
func inEachWay(t *testing.T, f func(t *testing.T, env func(s *fakeServer) serverEnvironment, k kind)) {
	developmentPython(t)
	for name, env := range environments {
		for _, k := range []kind{goOverNetRPC, goOverGRPC, python} {
			if name == "plugin.Environment" && k != goOverNetRPC {
				continue
			}
			t.Run(name+"/"+string(k), func(t *testing.T) {
				f(t, func(s *fakeServer) serverEnvironment { return env(t, s) }, k)
			})
		}
	}
}

const id = "com.example.witness"

func TestWhatKeepsAPluginFromStartingIsItsStatus(t *testing.T) {
	none := map[string]any{"id": id, "name": "Witness", "version": "1.0.0"}
	for name, test := range map[string]struct {
		prepare func(b *installed)
		kinds   []kind // of ours; Mattermost's has a Go plugin over net/rpc
		text    string // of the error
		kind    error  // of ours; nil: none in particular
	}{
		"it ends at once":     {func(b *installed) { b.add("start-fails", "") }, []kind{goOverNetRPC, goOverGRPC, python}, "unable to start plugin: " + id, host.ErrExited},
		"a wrong handshake":   {func(b *installed) { b.add("no-handshake", "") }, []kind{goOverNetRPC, goOverGRPC, python}, "unable to start plugin: " + id, host.ErrHandshake},
		"OnActivate fails":    {func(b *installed) { b.add("activate-fails", "") }, []kind{goOverNetRPC, goOverGRPC, python}, "no licence", nil},
		"a newer server":      {func(b *installed) { b.manifest["min_server_version"] = "99.0.0" }, []kind{goOverNetRPC, python}, "plugin requires Mattermost 99.0.0", nil},
		"a version that's no": {func(b *installed) { b.manifest["min_server_version"] = "new" }, []kind{goOverNetRPC, python}, ": " + id, nil},
		"neither server nor web app": {func(b *installed) { b.manifest = none }, []kind{goOverNetRPC},
			"unable to start plugin: must at least have a web app or server component", nil},
		"no executable for this platform": {func(b *installed) { b.server()["executables"] = map[string]any{"plan9-mips": "server/witness"} },
			[]kind{goOverNetRPC}, "unable to start plugin: " + id, host.ErrNoExecutable},
		"no executable": {func(b *installed) { require.NoError(b.t, os.Remove(filepath.Join(b.dir, "server", "witness"))) },
			[]kind{goOverNetRPC, goOverGRPC}, "unable to start plugin: " + id, host.ErrNoExecutable},
		"an executable outside": {func(b *installed) {
			b.server()["executables"] = map[string]any{runtime.GOOS + "-" + runtime.GOARCH: "../../bin/true"}
		}, []kind{goOverNetRPC}, "unable to start plugin: " + id, host.ErrOutsideBundle},
		"a runtime that is a path": {func(b *installed) { b.server()["runtime"] = "/usr/bin/python3" }, []kind{python},
			"plugin.json: server.runtime must be the name of a program on PATH", host.ErrManifest},
		"no runtime": {func(b *installed) { delete(b.server(), "runtime") }, []kind{python},
			"plugin.json: server.runtime is missing", host.ErrManifest},
		"a setting that is none": {func(b *installed) {
			b.manifest["props"] = map[string]any{"mattermost_plugin": map[string]any{"hurry": true}}
		},
			[]kind{goOverGRPC, python}, "plugin.json: props.mattermost_plugin.hurry is not a setting", host.ErrManifest},
		"a web app that is not there": {func(b *installed) { b.manifest["webapp"] = map[string]any{"bundle_path": "webapp/main.js"} },
			[]kind{goOverNetRPC, python}, "unable to generate webapp bundle: " + id, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inEachWay(t, func(t *testing.T, environment func(s *fakeServer) serverEnvironment, k kind) {
				if !slices.Contains(test.kinds, k) {
					t.Skip("not for this kind")
				}
				s := newFakeServer(t)
				b := install(t, s.plugins, k, id)
				test.prepare(b)
				b.write()
				env := environment(s)
				manifest, activated, err := env.Activate(id)
				require.ErrorContains(t, err, test.text)
				if _, ours := env.(*host.Environment); ours {
					require.NotContains(t, err.Error(), "\n")
					if test.kind != nil {
						require.ErrorIs(t, err, test.kind)
					}
				}
				require.False(t, activated)
				require.Nil(t, manifest)
				require.Equal(t, model.PluginStateFailedToStart, env.GetPluginState(id))
				require.Contains(t, status(t, env, id), err.Error())
				require.False(t, env.IsActive(id))
				require.Empty(t, env.Active())
				_, err = env.HooksForPlugin(id)
				require.EqualError(t, err, "plugin not found: "+id)
				require.NoError(t, env.PerformHealthCheck(id))
				require.False(t, env.Deactivate(id))
				require.Equal(t, model.PluginStateNotRunning, env.GetPluginState(id))
			})
		})
	}
}

func TestAPluginThatIsNotInstalledOrTwiceIsNotFound(t *testing.T) {
	for name, environment := range environments {
		t.Run(name, func(t *testing.T) {
			s := newFakeServer(t)
			env := environment(t, s)
			_, _, err := env.Activate(id)
			require.EqualError(t, err, "plugin not found: "+id)
			_, err = env.GetManifest(id)
			require.ErrorIs(t, err, plugin.ErrNotFound)
			require.Equal(t, model.PluginStateNotRunning, env.GetPluginState(id))
			require.False(t, env.Deactivate(id))
			_, err = env.PublicFilesPath(id)
			require.EqualError(t, err, "plugin not found: "+id)

			install(t, s.plugins, goOverNetRPC, id)
			require.NoError(t, os.Rename(filepath.Join(s.plugins, id), filepath.Join(s.plugins, "other")))
			install(t, s.plugins, goOverNetRPC, id)
			_, _, err = env.Activate(id)
			require.EqualError(t, err, "multiple plugins found: "+id)
			_, err = env.UnpackWebappBundle(id)
			require.EqualError(t, err, "multiple plugins found: "+id)
		})
	}
}

func TestOnlyFoldersWithAManifestThatCanBeReadAreAvailable(t *testing.T) {
	for name, environment := range environments {
		t.Run(name, func(t *testing.T) {
			s := newFakeServer(t)
			install(t, s.plugins, goOverNetRPC, "com.example.one")
			install(t, s.plugins, goOverNetRPC, ".hidden")
			broken := install(t, s.plugins, goOverNetRPC, "com.example.broken")
			require.NoError(t, os.WriteFile(filepath.Join(broken.dir, "plugin.json"), []byte("{"), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(s.plugins, "file"), nil, 0o644))
			require.NoError(t, os.Mkdir(filepath.Join(s.plugins, "empty"), 0o755))
			yaml := install(t, s.plugins, goOverNetRPC, "com.example.yaml")
			require.NoError(t, os.Remove(filepath.Join(yaml.dir, "plugin.json")))
			text := "id: com.Example.yaml\nname: In YAML\nversion: 1.2.3\nserver:\n  executable: server/witness\n"
			require.NoError(t, os.WriteFile(filepath.Join(yaml.dir, "plugin.yaml"), []byte(text), 0o644))

			env := environment(t, s)
			bundles, err := env.Available()
			require.NoError(t, err)
			var ids []string
			for _, info := range bundles {
				ids = append(ids, info.Manifest.Id)
			}
			require.Equal(t, []string{"com.example.one", "com.example.yaml"}, ids)
			activate(t, env, "com.example.yaml")
			require.Equal(t, "2 In YAML 1.2.3 ", status(t, env, "com.example.yaml"))
			require.Equal(t, "0 Witness netrpc 1.0.0 ", status(t, env, "com.example.one"))
			path, err := env.PublicFilesPath("com.example.yaml")
			require.NoError(t, err)
			require.Equal(t, filepath.Join(s.plugins, "com.example.yaml", "public"), path)
			manifest, err := env.GetManifest("com.example.one")
			require.NoError(t, err)
			require.Equal(t, "1.0.0", manifest.Version)
		})
	}
}

func TestAnActivePluginIsNotActivatedAgainAndWhatWentWrongIsForgotten(t *testing.T) {
	inEachWay(t, func(t *testing.T, environment func(s *fakeServer) serverEnvironment, k kind) {
		s := newFakeServer(t)
		b := install(t, s.plugins, k, id)
		b.add("activate-fails", "")
		env := environment(s)
		_, _, err := env.Activate(id)
		require.Error(t, err)
		require.NoError(t, os.Remove(filepath.Join(b.dir, "activate-fails")))
		activate(t, env, id)
		require.NotContains(t, status(t, env, id), "licence")
		pid := b.pid()
		manifest, activated, err := env.Activate(id)
		require.NoError(t, err)
		require.False(t, activated)
		require.Nil(t, manifest)
		require.Equal(t, pid, b.pid())
		env.SetPluginError(id, "a problem")
		require.Contains(t, status(t, env, id), "a problem")
		env.RemovePlugin(id)
		require.Equal(t, model.PluginStateNotRunning, env.GetPluginState(id))
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	})
}

func TestAPluginThatIsBeingActivatedIsLeftAloneUntilItIs(t *testing.T) {
	inEachWay(t, func(t *testing.T, environment func(s *fakeServer) serverEnvironment, k kind) {
		s := newFakeServer(t)
		b := install(t, s.plugins, k, id)
		env := environment(s)
		seen := make(chan string, 10)
		s.during = func(_, method string) {
			if method != "LoadPluginConfiguration" {
				return
			}
			// As when the plugin changes the configuration, upon which the server activates what is enabled.
			_, activated, err := env.Activate(id)
			env.RunMultiPluginHook(func(plugin.Hooks, *model.Manifest) bool {
				seen <- "a hook was called"
				return true
			}, plugin.MessageWillBePostedID)
			_, missing := env.HooksForPlugin(id)
			seen <- fmt.Sprint(env.IsActive(id), activated, err, " ", missing)
		}
		activate(t, env, id)
		require.Len(t, b.lines("pids"), 1)
		close(seen)
		var all []string
		for line := range seen {
			all = append(all, line)
		}
		require.Equal(t, []string{"true false <nil> plugin not found: " + id}, all)
	})
}

func TestManyWhoActivateAPluginAtOnceStartItOnce(t *testing.T) {
	s := newFakeServer(t)
	b := install(t, s.plugins, goOverGRPC, id)
	env := s.host(t)
	var activations atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, activated, err := env.Activate(id); activated || err != nil {
				activations.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, activations.Load())
	require.Len(t, b.lines("pids"), 1)
	var deactivations atomic.Int32
	for range 8 {
		all.Go(func() {
			if env.Deactivate(id) {
				deactivations.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, deactivations.Load())
	require.ErrorIs(t, syscall.Kill(b.pid(), 0), syscall.ESRCH)
}

func TestAPluginThatIsRemovedWhileItIsBeingActivatedIsStopped(t *testing.T) {
	for _, remove := range []func(env serverEnvironment){
		func(env serverEnvironment) { env.RemovePlugin(id) },
		func(env serverEnvironment) { env.Shutdown() },
	} {
		s := newFakeServer(t)
		b := install(t, s.plugins, goOverNetRPC, id)
		env := s.host(t)
		s.during = func(_, method string) {
			if method == "LoadPluginConfiguration" {
				remove(env)
			}
		}
		_, activated, err := env.Activate(id)
		require.EqualError(t, err, "plugin was removed while it was being activated: "+id)
		require.False(t, activated)
		require.ErrorIs(t, syscall.Kill(b.pid(), 0), syscall.ESRCH)
		require.Equal(t, model.PluginStateNotRunning, env.GetPluginState(id))
	}
}

func TestAPluginThatKeepsCrashingIsRestartedTwiceAndThenDeactivated(t *testing.T) {
	// What a server's job does every 30 s is done at once here. A plugin over gRPC is brought back by its supervisor.
	for name, start := range map[string]func(s *fakeServer) (serverEnvironment, func(id string)){
		"plugin.Environment/netrpc": func(s *fakeServer) (serverEnvironment, func(id string)) {
			env := s.mattermost(t)
			env.TogglePluginHealthCheckJob(true)
			return env, env.GetPluginHealthCheckJob().CheckPlugin
		},
		"host.Environment/netrpc": func(s *fakeServer) (serverEnvironment, func(id string)) {
			env := s.host(t)
			env.TogglePluginHealthCheckJob(true)
			return env, env.GetPluginHealthCheckJob().CheckPlugin
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFakeServer(t)
			b := install(t, s.plugins, kind(filepath.Base(name)), id)
			env, check := start(s)
			defer env.Shutdown()
			activate(t, env, id)
			check(id)
			require.Len(t, b.lines("pids"), 1, "a plugin that is well is left alone")
			for crash := 1; crash <= 3; crash++ {
				require.NoError(t, syscall.Kill(b.pid(), syscall.SIGKILL))
				within(t, "the crash is seen", func() bool { return env.PerformHealthCheck(id) != nil })
				require.True(t, env.IsActive(id), "until the next check of the job")
				check(id)
				if crash < 3 {
					require.Equal(t, model.PluginStateRunning, env.GetPluginState(id))
					require.Len(t, b.lines("pids"), crash+1)
				}
			}
			require.Equal(t, model.PluginStateFailedToStayRunning, env.GetPluginState(id))
			require.Len(t, b.lines("pids"), 3)
			require.Empty(t, env.Active())

			// An administrator who enables it again begins anew.
			activate(t, env, id)
			require.NoError(t, syscall.Kill(b.pid(), syscall.SIGKILL))
			within(t, "the crash is seen", func() bool { return env.PerformHealthCheck(id) != nil })
			check(id)
			require.Equal(t, model.PluginStateRunning, env.GetPluginState(id))
		})
	}
}

func TestTheJobChecksByItselfAndCrashesThatAreFarApartAreBorne(t *testing.T) {
	limits := host.HealthCheck{Interval: 5 * time.Millisecond, Window: time.Nanosecond}
	s := newFakeServer(t)
	b := install(t, s.plugins, goOverNetRPC, id)
	env := s.host(t, host.WithHealthCheck(limits))
	require.Nil(t, env.GetPluginHealthCheckJob())
	env.TogglePluginHealthCheckJob(true)
	job := env.GetPluginHealthCheckJob()
	env.TogglePluginHealthCheckJob(true)
	require.Same(t, job, env.GetPluginHealthCheckJob())
	activate(t, env, id)
	for crash := 1; crash <= 4; crash++ {
		require.NoError(t, syscall.Kill(b.pid(), syscall.SIGKILL))
		within(t, "it is restarted", func() bool { return len(b.lines("notes")) == 2*(crash+1) })
		within(t, "it runs", func() bool { return env.IsActive(id) && env.PerformHealthCheck(id) == nil })
	}
	env.TogglePluginHealthCheckJob(false)
	require.Nil(t, env.GetPluginHealthCheckJob())
	require.NoError(t, syscall.Kill(b.pid(), syscall.SIGKILL))
	within(t, "the crash is seen", func() bool { return env.PerformHealthCheck(id) != nil })
	time.Sleep(10 * limits.Interval)
	require.Len(t, b.lines("pids"), 5, "nobody checks any more")
}

func TestAPluginOverGRPCThatDiesIsBackBeforeAnyHealthCheck(t *testing.T) {
	developmentPython(t)
	for _, k := range []kind{goOverGRPC, python} {
		t.Run(string(k), func(t *testing.T) {
			s := newFakeServer(t)
			b := install(t, s.plugins, k, id)
			env := s.host(t, host.WithRestart(quick))
			activate(t, env, id)
			require.NoError(t, syscall.Kill(b.pid(), syscall.SIGKILL))
			within(t, "it is restarted", func() bool { return len(b.lines("notes")) == 4 })
			require.NoError(t, env.PerformHealthCheck(id))
			require.Equal(t, model.PluginStateRunning, env.GetPluginState(id))
			said, _ := play(env)
			require.Len(t, said[id], 15)
		})
	}
}

func TestAPluginThatHangsDoesNotAnswerHealthChecks(t *testing.T) {
	developmentPython(t)
	limits := host.DefaultHealthCheck
	limits.PingTimeout = 100 * time.Millisecond
	for _, k := range []kind{goOverGRPC, python} {
		t.Run(string(k), func(t *testing.T) {
			s := newFakeServer(t)
			b := install(t, s.plugins, k, id)
			env := s.host(t, host.WithHealthCheck(limits))
			activate(t, env, id)
			// Again and again: somebody else on the machine may let it go on.
			within(t, "it does not answer", func() bool {
				require.NoError(t, syscall.Kill(b.pid(), syscall.SIGSTOP))
				err := env.PerformHealthCheck(id)
				return err != nil && strings.Contains(err.Error(), "does not answer health checks")
			})
			require.NoError(t, syscall.Kill(b.pid(), syscall.SIGCONT))
			within(t, "it is well again", func() bool { return env.PerformHealthCheck(id) == nil })
		})
	}
}

func TestAnOnDeactivateThatHangsOrFailsDoesNotKeepThePlugin(t *testing.T) {
	inEachWay(t, func(t *testing.T, environment func(s *fakeServer) serverEnvironment, k kind) {
		for _, misbehaviour := range []string{"deactivate-hangs", "deactivate-fails"} {
			t.Run(misbehaviour, func(t *testing.T) {
				s := newFakeServer(t)
				b := install(t, s.plugins, k, id)
				b.add(misbehaviour, "")
				env := environment(s)
				if ours, ok := env.(*host.Environment); ok {
					ours.Shutdown()
					env = s.host(t, host.WithDeactivateTimeout(50*time.Millisecond))
				}
				activate(t, env, id)
				pid := b.pid()
				require.True(t, env.Deactivate(id))
				require.Equal(t, model.PluginStateNotRunning, env.GetPluginState(id))
				require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
				require.Contains(t, b.lines("notes"), "OnDeactivate")
				if misbehaviour == "deactivate-fails" {
					require.Contains(t, s.log.String(), "not now")
				} else {
					require.Contains(t, s.log.String(), "failed to complete in")
				}
			})
		}
	})
}

func TestShutdownDeactivatesAllAtOnceAndForgetsThem(t *testing.T) {
	for name, environment := range environments {
		t.Run(name, func(t *testing.T) {
			s := newFakeServer(t)
			env := environment(t, s)
			var bundles []*installed
			for i := range 3 {
				bundles = append(bundles, install(t, s.plugins, goOverNetRPC, fmt.Sprint(id, i)))
				activate(t, env, bundles[i].id)
			}
			env.Shutdown()
			for _, b := range bundles {
				require.Equal(t, "OnDeactivate", b.lines("notes")[2])
				require.ErrorIs(t, syscall.Kill(b.pid(), 0), syscall.ESRCH)
				require.Equal(t, model.PluginStateNotRunning, env.GetPluginState(b.id))
			}
			env.Shutdown()
		})
	}
}

func TestThePartForTheWebAppIsLaidOut(t *testing.T) {
	seen := map[string]any{}
	for name, environment := range environments {
		t.Run(name, func(t *testing.T) {
			s := newFakeServer(t)
			b := install(t, s.plugins, goOverNetRPC, id)
			b.manifest = map[string]any{"id": id, "name": "Web", "version": "1.0.0", "webapp": map[string]any{"bundle_path": "webapp/dist/main.js"}}
			b.write()
			dist := filepath.Join(b.dir, "webapp", "dist")
			require.NoError(t, os.MkdirAll(filepath.Join(dist, "static"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dist, "main.js"), []byte("console.log(1)"), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(dist, "static", "a.png"), []byte("png"), 0o644))
			old := filepath.Join(s.webapp, id)
			require.NoError(t, os.MkdirAll(old, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(old, "old.js"), nil, 0o644))

			env := environment(t, s)
			manifest, activated, err := env.Activate(id)
			require.NoError(t, err)
			require.True(t, activated)
			require.True(t, env.IsActive(id))
			require.Len(t, env.Active(), 1)
			_, err = env.HooksForPlugin(id)
			require.Error(t, err, "it has no process")
			require.NoError(t, env.PerformHealthCheck(id))
			var files []string
			require.NoError(t, filepath.WalkDir(s.webapp, func(path string, entry os.DirEntry, err error) error {
				if !entry.IsDir() {
					name, relErr := filepath.Rel(s.webapp, path)
					require.NoError(t, relErr)
					files = append(files, name)
				}
				return err
			}))
			require.Len(t, files, 2)
			seen[name] = fmt.Sprintf("%v %x", files, manifest.Webapp.BundleHash)
			require.False(t, env.Deactivate(id), "there was nothing to stop")
			require.False(t, env.IsActive(id))
		})
	}
	require.Equal(t, seen["plugin.Environment"], seen["host.Environment"])
}

func TestPrepackagedPluginsAreKept(t *testing.T) {
	for name, environment := range environments {
		t.Run(name, func(t *testing.T) {
			env := environment(t, newFakeServer(t))
			require.Empty(t, env.PrepackagedPlugins())
			some := []*plugin.PrepackagedPlugin{{Path: "/a.tar.gz", Manifest: &model.Manifest{Id: "a"}}}
			others := []*plugin.PrepackagedPlugin{{Path: "/b.tar.gz", Manifest: &model.Manifest{Id: "b"}}}
			env.SetPrepackagedPlugins(some, others)
			require.Equal(t, some, env.PrepackagedPlugins())
			require.Equal(t, others, env.TransitionallyPrepackagedPlugins())
			env.ClearTransitionallyPrepackagedPlugins()
			require.Empty(t, env.TransitionallyPrepackagedPlugins())
			require.Equal(t, some, env.PrepackagedPlugins())
		})
	}
}

// list writes the checksums of a bundle, as a build does.
func (b *installed) list(names ...string) {
	b.t.Helper()
	var lines strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(b.dir, name))
		require.NoError(b.t, err)
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), name)
	}
	require.NoError(b.t, os.WriteFile(filepath.Join(b.dir, "server", "checksums.sha256"), []byte(lines.String()), 0o644))
}

func TestAPluginWhoseFilesWereChangedDoesNotStart(t *testing.T) {
	developmentPython(t)
	for k, name := range map[kind]string{goOverNetRPC: "server/witness", goOverGRPC: "server/witness", python: "server/plugin.py"} {
		t.Run(string(k), func(t *testing.T) {
			s := newFakeServer(t)
			b := install(t, s.plugins, k, id)
			b.list(name)
			env := s.host(t)
			activate(t, env, id)
			require.True(t, env.Deactivate(id))

			file, err := os.OpenFile(filepath.Join(b.dir, name), os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = file.WriteString("\n# changed\n")
			require.NoError(t, err)
			require.NoError(t, file.Close())
			_, _, err = env.Activate(id)
			require.ErrorIs(t, err, host.ErrChecksum)
			require.ErrorContains(t, err, filepath.Base(name)+" was changed after the bundle was built")
			require.Contains(t, status(t, env, id), "checksum mismatch")
			require.Len(t, b.lines("pids"), 1)
		})
	}
}

func TestAnExecutableIsComparedWithTheOneThatWasActivatedWhenItIsRestarted(t *testing.T) {
	s := newFakeServer(t)
	b := install(t, s.plugins, goOverGRPC, id)
	env := s.host(t, host.WithRestart(quick))
	activate(t, env, id)
	path := filepath.Join(b.dir, "server", "witness")
	require.NoError(t, os.Remove(path)) // a program that runs cannot be written to
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho stolen > \"$0.proof\"\n"), 0o755))
	require.NoError(t, syscall.Kill(b.pid(), syscall.SIGKILL))
	within(t, "the status says why it is not restarted", func() bool { return strings.Contains(status(t, env, id), "checksum mismatch") })
	require.NoFileExists(t, path+".proof")
	require.NoError(t, env.PerformHealthCheck(id), "it is not for the server to restart it")
}

func TestServerAndPluginCanEncryptWhatTheySay(t *testing.T) {
	for _, k := range []kind{goOverNetRPC, goOverGRPC, python} {
		t.Run(string(k), func(t *testing.T) {
			_, env, bundles := all(t, func(s *fakeServer) serverEnvironment { return s.host(t, host.WithAutoMTLS(), host.WithRestart(quick)) }, k)
			said, _ := play(env)
			require.Len(t, said[bundles[0].id], 15)
			require.NoError(t, env.PerformHealthCheck(bundles[0].id))
			environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", bundles[0].pid()))
			require.NoError(t, err)
			require.Contains(t, string(environ), "PLUGIN_CLIENT_CERT=-----BEGIN CERTIFICATE-----")
			if k != goOverNetRPC {
				require.NoError(t, syscall.Kill(bundles[0].pid(), syscall.SIGKILL))
				within(t, "it is restarted", func() bool { return slices.Contains(bundles[0].lines("notes")[5:], "OnActivate 11.4.0") })
				require.NoError(t, env.PerformHealthCheck(bundles[0].id))
			}
		})
	}
}

func TestAServerMayOfferOneProtocolOnly(t *testing.T) {
	for k, protocol := range map[kind]goplugin.Protocol{goOverNetRPC: goplugin.ProtocolGRPC, goOverGRPC: goplugin.ProtocolNetRPC} {
		s := newFakeServer(t)
		install(t, s.plugins, k, id)
		_, _, err := s.host(t, host.WithProtocols(protocol)).Activate(id)
		require.ErrorIs(t, err, host.ErrHandshake)
		require.ErrorContains(t, err, "unsupported plugin protocol")
	}
}

func TestEachPluginKnowsItsProtocol(t *testing.T) {
	developmentPython(t)
	for k, protocol := range map[kind]goplugin.Protocol{goOverNetRPC: goplugin.ProtocolNetRPC, goOverGRPC: goplugin.ProtocolGRPC, python: goplugin.ProtocolGRPC} {
		s := newFakeServer(t)
		b := install(t, s.plugins, k, id)
		supervisor, err := host.NewSupervisor(host.Supervised{
			Bundle: model.BundleInfoForPath(b.dir), API: s.api(&model.Manifest{Id: id}), Log: s.mlog,
		})
		require.NoError(t, err)
		require.Equal(t, protocol, supervisor.Protocol())
		require.Equal(t, b.pid(), supervisor.PID())
		require.True(t, supervisor.Implements(plugin.MessageWillBePostedID))
		require.False(t, supervisor.Implements(plugin.UserHasLoggedInID))
		require.False(t, supervisor.Implements(-1))
		require.False(t, supervisor.Implements(plugin.TotalHooksID))
		require.NoError(t, supervisor.Ping())
		supervisor.Shutdown()
		require.Error(t, supervisor.Ping())
		require.Zero(t, supervisor.PID())
	}
}
