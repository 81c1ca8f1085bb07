package host_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
)

// serverEnvironment is all that a Mattermost server can call of its plugin environment, but for GetPluginHealthCheckJob,
// which returns a type of its package. That both have it is what makes one replace the other.
type serverEnvironment interface {
	Activate(id string) (*model.Manifest, bool, error)
	Active() []*model.BundleInfo
	Available() ([]*model.BundleInfo, error)
	ClearTransitionallyPrepackagedPlugins()
	Deactivate(id string) bool
	GetManifest(id string) (*model.Manifest, error)
	GetPluginState(id string) int
	HasPluginImplementing(hookID int) bool
	HooksForPlugin(id string) (plugin.Hooks, error)
	HooksForPluginWithRPCErr(id string) (plugin.HooksWithRPCErr, error)
	IsActive(id string) bool
	PerformHealthCheck(id string) error
	PrepackagedPlugins() []*plugin.PrepackagedPlugin
	PublicFilesPath(id string) (string, error)
	Reattach(manifest *model.Manifest, process *model.PluginReattachConfig) error
	RemovePlugin(id string)
	RestartPlugin(id string) error
	RunMultiPluginHook(run func(hooks plugin.Hooks, manifest *model.Manifest) bool, hookID int)
	RunMultiPluginHookExcluding(excluded []string, run func(hooks plugin.Hooks, manifest *model.Manifest) bool, hookID int)
	RunMultiPluginHookWithRPCErr(run func(hooks plugin.HooksWithRPCErr, manifest *model.Manifest) (bool, error), hookID int) error
	SetPluginError(id string, failure string)
	SetPrepackagedPlugins(plugins, transitional []*plugin.PrepackagedPlugin)
	Shutdown()
	Statuses() (model.PluginStatuses, error)
	TogglePluginHealthCheckJob(enable bool)
	TransitionallyPrepackagedPlugins() []*plugin.PrepackagedPlugin
	UnpackWebappBundle(id string) (*model.Manifest, error)
}

var (
	_ serverEnvironment = (*plugin.Environment)(nil)
	_ serverEnvironment = (*host.Environment)(nil)
)

// kind is how a witness is made and run.
type kind string

const (
	goOverNetRPC kind = "netrpc"
	goOverGRPC   kind = "grpc"
	python       kind = "python"
	bridged      kind = "bridged" // Python behind the bridge, for a server that knows executables only
)

// programs are the executables of the tests, made when they are first asked for.
var programs = struct {
	lock  sync.Mutex
	dir   string
	built map[string]error
}{built: map[string]error{}}

// program builds a package of this module and returns the executable.
func program(t testing.TB, name string) string {
	t.Helper()
	programs.lock.Lock()
	defer programs.lock.Unlock()
	if programs.dir == "" {
		dir, err := os.MkdirTemp("", "witness")
		require.NoError(t, err)
		programs.dir = dir
	}
	path := filepath.Join(programs.dir, filepath.Base(name))
	err, done := programs.built[name]
	if !done {
		cmd := exec.Command("go", "build", "-o", path, name)
		if out, failure := cmd.CombinedOutput(); failure != nil {
			err = fmt.Errorf("%w: %s", failure, out)
		}
		programs.built[name] = err
	}
	require.NoError(t, err)
	return path
}

// removePrograms is for TestMain.
func removePrograms() error { return os.RemoveAll(programs.dir) }

// developmentPython puts the Python of `make setup`, or of an active environment, first on PATH.
func developmentPython(t testing.TB) {
	t.Helper()
	for _, environment := range []string{os.Getenv("VIRTUAL_ENV"), filepath.Join("..", "..", ".venv")} {
		bin, err := filepath.Abs(filepath.Join(environment, "bin"))
		require.NoError(t, err)
		if _, err := os.Stat(filepath.Join(bin, "python3")); environment != "" && err == nil {
			t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			return
		}
	}
	t.Fatal("there is no .venv in the project's root and no environment is active: run make setup")
}

// installed is a bundle in a directory of plugins.
type installed struct {
	notes
	t        testing.TB
	id       string
	manifest map[string]any
}

// install lays a bundle with a witness into a directory of plugins.
func install(t testing.TB, plugins string, k kind, id string) *installed {
	t.Helper()
	b := &installed{notes: notes{filepath.Join(plugins, id)}, t: t, id: id}
	server := map[string]any{}
	b.manifest = map[string]any{
		"id": id, "name": "Witness " + string(k), "version": "1.0.0", "server": server,
		"props": map[string]any{"mattermost_plugin": map[string]any{"start_timeout": patience.Seconds()}},
	}
	require.NoError(t, os.MkdirAll(filepath.Join(b.dir, "server"), 0o755))
	executable := func(from string) {
		copyProgram(t, from, filepath.Join(b.dir, "server", "witness"))
		server["executables"] = map[string]any{runtime.GOOS + "-" + runtime.GOARCH: "server/witness"}
	}
	switch k {
	case goOverNetRPC:
		executable(program(t, "./internal/witness/netrpc"))
	case goOverGRPC:
		executable(program(t, "./internal/witness/grpc"))
	case bridged:
		executable(program(t, "../cmd/bridge"))
	}
	if k == python || k == bridged {
		source, err := os.ReadFile(filepath.Join("..", "..", "tests", "contract", "plugins", "host_witness.py"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(b.dir, "server", "plugin.py"), source, 0o644))
		server["runtime"], server["entrypoint"] = "python3", "server/plugin.py"
	}
	b.write()
	return b
}

func copyProgram(t testing.TB, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	require.NoError(t, err)
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(target, source)
	require.NoError(t, errors.Join(err, target.Close()))
}

// write writes the manifest.
func (b *installed) write() {
	b.t.Helper()
	raw, err := json.Marshal(b.manifest)
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(filepath.Join(b.dir, "plugin.json"), raw, 0o644))
}

// server is the manifest's part about the server.
func (b *installed) server() map[string]any { return b.manifest["server"].(map[string]any) }

// pid is the process id of the newest witness.
func (b *installed) pid() int {
	b.t.Helper()
	pids := b.lines("pids")
	require.NotEmpty(b.t, pids)
	pid, err := strconv.Atoi(pids[len(pids)-1])
	require.NoError(b.t, err)
	return pid
}

// fakeServer is what the environments of these tests belong to.
type fakeServer struct {
	plugins, webapp string
	log             *testLog
	mlog            *mlog.Logger

	// during is called before each call of the API. nil: nothing is.
	during func(id, method string)

	lock  sync.Mutex
	store map[string][]byte // by plugin and key
	calls []string          // of the API, by plugin
}

func newFakeServer(t testing.TB) *fakeServer {
	t.Helper()
	s := &fakeServer{plugins: t.TempDir(), webapp: t.TempDir(), log: &testLog{}, store: map[string][]byte{}}
	var err error
	s.mlog, err = mlog.NewLogger()
	require.NoError(t, err)
	require.NoError(t, mlog.AddWriterTarget(s.mlog, s.log, true, mlog.StdAll...))
	t.Cleanup(func() {
		require.NoError(t, s.mlog.Shutdown())
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	return s
}

// api is the API for a plugin.
func (s *fakeServer) api(manifest *model.Manifest) plugin.API {
	return contracttest.APIFunc(func(method string, args ...any) []any {
		if s.during != nil {
			s.during(manifest.Id, method)
		}
		s.lock.Lock()
		defer s.lock.Unlock()
		if !strings.HasPrefix(method, "Log") {
			s.calls = append(s.calls, manifest.Id+" "+method)
		}
		switch method {
		case "GetServerVersion":
			return []any{"11.4.0"}
		case "LoadPluginConfiguration":
			return []any{json.Unmarshal([]byte(`{"Word": "brot"}`), args[0])}
		case "GetUser":
			if args[0] == "nobody" {
				return []any{nil, model.NewAppError("GetUser", "app.user.missing_account.const", nil, "", http.StatusNotFound)}
			}
			return []any{&model.User{Id: args[0].(string), Username: "name of " + args[0].(string)}, nil}
		case "KVSet":
			s.store[manifest.Id+" "+args[0].(string)] = bytes.Clone(args[1].([]byte))
		case "KVGet":
			return []any{s.store[manifest.Id+" "+args[0].(string)], nil}
		}
		return nil
	})
}

// host returns the environment of package host.
func (s *fakeServer) host(t testing.TB, options ...host.Option) *host.Environment {
	t.Helper()
	env, err := host.NewEnvironment(s.api, nil, s.plugins, s.webapp, s.mlog, nil, options...)
	require.NoError(t, err)
	t.Cleanup(env.Shutdown)
	return env
}

// mattermost returns Mattermost's own environment.
func (s *fakeServer) mattermost(t testing.TB) *plugin.Environment {
	t.Helper()
	env, err := plugin.NewEnvironment(s.api, nil, s.plugins, s.webapp, s.mlog, nil)
	require.NoError(t, err)
	t.Cleanup(env.Shutdown)
	return env
}

// activate activates plugins one after the other.
func activate(t testing.TB, env serverEnvironment, ids ...string) {
	t.Helper()
	for _, id := range ids {
		manifest, activated, err := env.Activate(id)
		require.NoError(t, err)
		require.True(t, activated)
		require.Equal(t, id, manifest.Id)
	}
}

// status is a plugin's status as text, without paths.
func status(t testing.TB, env serverEnvironment, id string) string {
	t.Helper()
	statuses, err := env.Statuses()
	require.NoError(t, err)
	for _, status := range statuses {
		if status.PluginId == id {
			return fmt.Sprintf("%d %s %s %s", status.State, status.Name, status.Version, status.Error)
		}
	}
	return "not there"
}

// within fails if something does not come true in time.
func within(t testing.TB, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, time.Millisecond, what)
}
