package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketdir"
)

// patience is how long a test waits for something that takes milliseconds on an idle machine.
const patience = 3 * time.Minute

// Other things the test binary can be, by environment variable: the bridge run by hand, and a server that runs the
// plugins of the directory the variable names until it is killed.
const (
	alone    = "BRIDGE_TEST_ALONE"
	asServer = "BRIDGE_TEST_SERVER"
)

// The test binary is the bridge of the bundles these tests install: whoever sets the cookie runs it.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(handshake.CookieName) == handshake.CookieValue || os.Getenv(alone) != "":
		main()
	case os.Getenv(asServer) != "":
		serveUntilKilled(os.Getenv(asServer))
	default:
		os.Exit(m.Run())
	}
}

// bundle is an unpacked bundle in a server's directory of plugins.
type bundle struct {
	t       *testing.T
	plugins string // the directory of plugins
	dir     string
	bridge  string
}

const pluginID = "com.example.test"

// newBundle installs a bundle with this test binary as its bridge and source as its server/plugin.py. The Python is
// the one of the development environment, in which the SDK is installed.
func newBundle(t *testing.T, source string) *bundle {
	t.Helper()
	b := &bundle{t: t, plugins: t.TempDir()}
	b.dir = filepath.Join(b.plugins, pluginID)
	executable := "server/bridge/bridge-" + runtime.GOOS + "-" + runtime.GOARCH
	b.bridge = filepath.Join(b.dir, executable)
	require.NoError(t, os.MkdirAll(filepath.Dir(b.bridge), 0o755))
	copyFile(t, os.Args[0], b.bridge)
	b.file("server/plugin.py", source)
	b.manifest(nil)

	python := developmentPython(t)
	t.Setenv("PATH", filepath.Dir(python)+string(os.PathListSeparator)+os.Getenv("PATH"))
	// Sockets that are left behind are found here.
	sockets, err := os.MkdirTemp("", "t") // short, as paths of Unix sockets must be
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(sockets)) })
	t.Setenv("TMPDIR", sockets)
	return b
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if os.Link(from, to) == nil {
		return
	}
	source, err := os.Open(from)
	require.NoError(t, err)
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(target, source)
	require.NoError(t, errors.Join(err, target.Close()))
}

// developmentPython finds the Python of `make setup`, or of an active environment.
func developmentPython(t *testing.T) string {
	t.Helper()
	for _, environment := range []string{os.Getenv("VIRTUAL_ENV"), filepath.Join("..", "..", "..", ".venv")} {
		python := filepath.Join(environment, "bin", "python3")
		if _, err := os.Stat(python); environment != "" && err == nil {
			absolute, err := filepath.Abs(python)
			require.NoError(t, err)
			return absolute
		}
	}
	t.Fatal("there is no .venv in the project's root and no environment is active: run make setup")
	return ""
}

func (b *bundle) file(name, text string) {
	b.t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	require.NoError(b.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(b.t, os.WriteFile(path, []byte(text), 0o644))
}

// path returns where a file lies that the plugin may write: its working directory is the bundle.
func (b *bundle) path(name string) string { return filepath.Join(b.dir, name) }

// lines returns the lines of such a file.
func (b *bundle) lines(name string) []string {
	raw, err := os.ReadFile(b.path(name))
	if err != nil {
		return nil
	}
	end := bytes.LastIndexByte(raw, '\n') // what follows is being written
	if end < 0 {
		return nil
	}
	return strings.Split(string(raw[:end]), "\n")
}

// manifest writes plugin.json; change may change it first.
func (b *bundle) manifest(change func(manifest, server map[string]any)) {
	b.t.Helper()
	server := map[string]any{
		"executables": map[string]any{runtime.GOOS + "-" + runtime.GOARCH: "server/bridge/" + filepath.Base(b.bridge)},
		"runtime":     "python3", "entrypoint": "server/plugin.py",
	}
	manifest := map[string]any{
		"id": pluginID, "name": "Test", "version": "1.0.0", "server": server,
		"props": map[string]any{"mattermost_plugin": map[string]any{"start_timeout": patience.Seconds()}},
	}
	if change != nil {
		change(manifest, server)
	}
	raw, err := json.Marshal(manifest)
	require.NoError(b.t, err)
	b.file("plugin.json", string(raw))
}

// command runs the bridge as a server would, without a server.
func (b *bundle) command(output *bytes.Buffer) (*exec.Cmd, *bufio.Reader) {
	b.t.Helper()
	cmd := exec.Command(b.bridge)
	cmd.Env = append(os.Environ(), handshake.CookieName+"="+handshake.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1")
	cmd.Stderr = output
	cmd.WaitDelay = time.Second
	stdout, err := cmd.StdoutPipe()
	require.NoError(b.t, err)
	require.NoError(b.t, cmd.Start())
	return cmd, bufio.NewReader(stdout)
}

// connect connects to a bridge as a server does after the handshake, up to where the server asks for the hooks.
func connect(t *testing.T, handshake string) {
	t.Helper()
	fields := strings.Split(strings.TrimSpace(handshake), "|")
	require.GreaterOrEqual(t, len(fields), 4, handshake)
	conn, err := net.Dial(fields[2], fields[3])
	require.NoError(t, err)
	client, err := goplugin.NewRPCClient(conn, goplugin.PluginSet{"hooks": anyPlugin{}})
	require.NoError(t, err)
	_, err = client.Dispense("hooks")
	require.NoError(t, err)
	t.Cleanup(func() {
		// The client closes it when the bridge ends first.
		if err := conn.Close(); !errors.Is(err, net.ErrClosed) {
			require.NoError(t, err)
		}
	})
}

// anyPlugin is the server's side of a plugin whose hooks nobody calls.
type anyPlugin struct{}

func (anyPlugin) Server(*goplugin.MuxBroker) (any, error) {
	return nil, errors.New("this is the server's side")
}

func (anyPlugin) Client(_ *goplugin.MuxBroker, client *rpc.Client) (any, error) { return client, nil }

// serverProcess runs a server with the bundle in a process of its own.
func (b *bundle) serverProcess() *exec.Cmd {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asServer+"="+b.plugins)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	require.NoError(b.t, cmd.Start())
	return cmd
}

// serveUntilKilled is the main function of that process.
func serveUntilKilled(plugins string) {
	environment, err := newEnvironment(plugins, filepath.Join(plugins, "..", "webapp"), &serverOutput{})
	if err != nil {
		panic(err)
	}
	if _, _, err := environment.Activate(pluginID); err != nil {
		panic(err)
	}
	select {}
}

func newEnvironment(plugins, webapp string, output *serverOutput) (*plugin.Environment, error) {
	logger, err := mlog.NewLogger()
	if err != nil {
		return nil, err
	}
	if err := mlog.AddWriterTarget(logger, output, true, mlog.StdAll...); err != nil {
		return nil, err
	}
	api := &serverAPI{log: output}
	return plugin.NewEnvironment(func(*model.Manifest) plugin.API { return api }, nil, plugins, webapp, logger, nil)
}

// server is Mattermost's own plugin environment with an API of few methods.
type server struct {
	*plugin.Environment
	log *serverOutput
}

// newServer runs the environment over the bundle's directory of plugins.
func newServer(t *testing.T, b *bundle) *server {
	t.Helper()
	output := &serverOutput{}
	environment, err := newEnvironment(b.plugins, t.TempDir(), output)
	require.NoError(t, err)
	s := &server{environment, output}
	t.Cleanup(func() {
		environment.Shutdown()
		if t.Failed() {
			t.Log(output.String())
		}
		if strings.Contains(output.String(), "failed to exit gracefully") {
			// On a machine so slow that the server killed the bridge, its sockets are the next one's to remove.
			require.NoError(t, socketdir.Sweep(socketDirs, goPluginDirs))
		}
		left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
		require.NoError(t, err)
		require.Empty(t, left, "sockets are left")
	})
	return s
}

// activate activates the plugin.
func (s *server) activate(t *testing.T) plugin.Hooks {
	t.Helper()
	_, activated, err := s.Activate(pluginID)
	require.NoError(t, err)
	require.True(t, activated)
	hooks, err := s.HooksForPlugin(pluginID)
	require.NoError(t, err)
	return hooks
}

// status returns the plugin's status, as the System Console shows it.
func (s *server) status(t *testing.T) *model.PluginStatus {
	t.Helper()
	statuses, err := s.Statuses()
	require.NoError(t, err)
	require.Len(t, statuses, 1)
	return statuses[0]
}

// serverOutput collects the server's log and the records that come by its API.
type serverOutput struct {
	lock    sync.Mutex
	text    bytes.Buffer
	records []apiRecord
}

type apiRecord struct {
	level, message string
	fields         map[string]string
}

func (o *serverOutput) Write(p []byte) (int, error) {
	o.lock.Lock()
	defer o.lock.Unlock()
	return o.text.Write(p)
}

func (o *serverOutput) String() string {
	o.lock.Lock()
	defer o.lock.Unlock()
	var text strings.Builder
	text.WriteString(o.text.String())
	for _, record := range o.records {
		fmt.Fprintf(&text, "API %+v\n", record)
	}
	return text.String()
}

// find returns the record with the message that came by the API.
func (o *serverOutput) find(message string) (apiRecord, bool) {
	o.lock.Lock()
	defer o.lock.Unlock()
	for _, record := range o.records {
		if record.message == message {
			return record, true
		}
	}
	return apiRecord{}, false
}

// serverAPI are the methods of a server's API that the plugins of these tests call. A method that is not here is
// not called: the embedded interface is nil.
type serverAPI struct {
	plugin.API
	log *serverOutput
}

func (a *serverAPI) GetServerVersion() string { return "11.4.0" }

func (a *serverAPI) LoadPluginConfiguration(dest any) error {
	return json.Unmarshal([]byte(`{"word": "brot"}`), dest)
}

func (a *serverAPI) GetPluginConfig() map[string]any { return map[string]any{"word": "brot"} }

func (a *serverAPI) GetUser(id string) (*model.User, *model.AppError) {
	if id == "nobody" {
		return nil, model.NewAppError("GetUser", "app.user.missing_account.const", nil, "no such id", 404)
	}
	return &model.User{Id: id, Username: "name of " + id}, nil
}

func (a *serverAPI) record(level, message string, pairs []any) {
	fields := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields[fmt.Sprint(pairs[i])] = fmt.Sprint(pairs[i+1])
	}
	a.log.lock.Lock()
	defer a.log.lock.Unlock()
	a.log.records = append(a.log.records, apiRecord{level, message, fields})
}

func (a *serverAPI) LogDebug(message string, pairs ...any) { a.record("debug", message, pairs) }
func (a *serverAPI) LogInfo(message string, pairs ...any)  { a.record("info", message, pairs) }
func (a *serverAPI) LogWarn(message string, pairs ...any)  { a.record("warn", message, pairs) }
func (a *serverAPI) LogError(message string, pairs ...any) { a.record("error", message, pairs) }

// gone waits until a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool { return !alive(pid) }, patience, 10*time.Millisecond, "process %d is left", pid)
}

// alive says whether a process runs; a zombie, which its parent did not wait for, does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	state, err := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}
