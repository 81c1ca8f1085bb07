package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"
)

// notes is what the plugins of these tests write files with: their working directory is the bundle.
const notes = `
import logging, os, sys, time

def note(name, line="called"):
    with open(name, "a") as file:
        file.write(f"{line}\n")

note("pids", os.getpid())
`

// moderator is a plugin of a few hooks.
const moderator = notes + `
from mattermost_plugin import NotFound, NotSupported, Plugin, Reject

log = logging.getLogger("moderator.words")

class Moderator(Plugin):
    def on_configuration_change(self):
        note("configuration")

    def on_activate(self):
        note("activated", self.api.get_server_version())

    def on_deactivate(self):
        note("deactivated")

    def message_will_be_posted(self, ctx, post):
        if post.message == "crash":
            os.abort()
        if post.message == "who":
            post.message = str(os.getpid())
            return post
        if post.message == "user":
            post.message = self.api.get_user("u1").username
            return post
        if post.message == "nobody":
            try:
                self.api.get_user("nobody")
            except NotFound as error:
                post.message = f"{error.id} {error.status_code}"
                return post
        if post.message == "toast":
            try:
                self.api.get_channel_of_type("c1", "O")
            except NotSupported as error:
                post.message = str(error)
                return post
        if post.message == "raise":
            raise ValueError("a bad word")
        if "bad" in post.message:
            return Reject("Please keep it friendly.")
        return None

    def message_has_been_posted(self, ctx, post):
        log.warning("seen %s", post.message, extra={"post_id": post.id, "count": 3, "words": ["a", "b"]})
        print("printed", post.message)
        print("to stderr", file=sys.stderr)
        note("seen", post.message)

if __name__ == "__main__":
    Moderator.run()
`

func willBePosted(hooks plugin.Hooks, message string) (string, string) {
	post, reason := hooks.MessageWillBePosted(&plugin.Context{}, &model.Post{Message: message, UserId: "u1"})
	if post == nil {
		return "", reason
	}
	return post.Message, reason
}

// lastPID is the process id of the newest plugin process.
func (b *bundle) lastPID() int {
	pids := b.lines("pids")
	require.NotEmpty(b.t, pids)
	pid, err := strconv.Atoi(pids[len(pids)-1])
	require.NoError(b.t, err)
	return pid
}

// bridgePID is the process id of the bridge, the parent of the plugin process.
func (b *bundle) bridgePID() int {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.lastPID()))
	require.NoError(b.t, err)
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	pid, err := strconv.Atoi(fields[1])
	require.NoError(b.t, err)
	return pid
}

func TestAPythonPluginRunsInAStockServer(t *testing.T) {
	b := newBundle(t, moderator)
	s := newServer(t, b)
	hooks := s.activate(t)

	implemented, err := hooks.Implemented()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{
		"OnActivate", "OnDeactivate", "OnConfigurationChange", "MessageWillBePosted", "MessageHasBeenPosted",
	}, implemented)
	require.Equal(t, []string{"11.4.0"}, b.lines("activated"))
	require.Len(t, b.lines("configuration"), 1, "once, although the server's own code asks for it before OnActivate")

	message, reason := willBePosted(hooks, "hello")
	require.Equal(t, "hello", message)
	require.Empty(t, reason)
	_, reason = willBePosted(hooks, "bad")
	require.Equal(t, "Please keep it friendly.", reason)
	message, _ = willBePosted(hooks, "user")
	require.Equal(t, "name of u1", message)
	message, _ = willBePosted(hooks, "nobody")
	require.Equal(t, "app.user.missing_account.const 404", message)
	message, reason = willBePosted(hooks, "raise")
	require.Equal(t, "raise", message)
	require.Empty(t, reason)

	require.NoError(t, hooks.OnConfigurationChange())
	require.Len(t, b.lines("configuration"), 2)

	pid, bridge := b.lastPID(), b.bridgePID()
	require.True(t, s.Deactivate(pluginID))
	gone(t, pid)
	gone(t, bridge)
	require.Len(t, b.lines("deactivated"), 1)

	s.activate(t)
	require.Len(t, b.lines("activated"), 2)
}

func TestRecordsReachTheServersLogWithLevelNameAndFields(t *testing.T) {
	b := newBundle(t, moderator)
	s := newServer(t, b)
	hooks := s.activate(t)
	hooks.MessageHasBeenPosted(&plugin.Context{}, &model.Post{Id: "p1", Message: "hello"})

	var record apiRecord
	require.Eventually(t, func() bool {
		var found bool
		record, found = s.log.find("seen hello")
		return found
	}, patience, 10*time.Millisecond)
	require.Equal(t, "warn", record.level)
	require.Equal(t, "moderator.words", record.fields["logger"])
	require.Equal(t, "p1", record.fields["post_id"])
	require.Equal(t, "3", record.fields["count"])
	require.Equal(t, `["a","b"]`, record.fields["words"])
	for message, level := range map[string]string{"printed hello": "info", "to stderr": "warn"} {
		require.Eventually(t, func() bool {
			record, found := s.log.find(message)
			return found && record.level == level
		}, patience, 10*time.Millisecond, message)
	}

	willBePosted(hooks, "raise")
	require.Eventually(t, func() bool {
		return strings.Contains(s.log.String(), "ValueError: a bad word")
	}, patience, 10*time.Millisecond)
}

func TestABurstOfRecordsArrivesWholeAndInOrder(t *testing.T) {
	const burst = 5000
	b := newBundle(t, fmt.Sprintf(`
import logging
from mattermost_plugin import Plugin

class Talker(Plugin):
    def message_has_been_posted(self, ctx, post):
        for i in range(%d):
            logging.getLogger("talker").info("record %%d", i)

Talker.run()
`, burst))
	s := newServer(t, b)
	hooks := s.activate(t)
	hooks.MessageHasBeenPosted(&plugin.Context{}, &model.Post{})
	var messages []string
	require.Eventually(t, func() bool {
		messages = messages[:0]
		s.log.lock.Lock()
		defer s.log.lock.Unlock()
		for _, record := range s.log.records {
			if record.fields["logger"] == "talker" {
				messages = append(messages, record.message)
			}
		}
		return len(messages) == burst
	}, patience, 50*time.Millisecond)
	for i, message := range messages {
		require.Equal(t, fmt.Sprintf("record %d", i), message)
	}
}

func TestTheServerNeverHasToKillTheBridge(t *testing.T) {
	for name, source := range map[string]string{
		"a plugin without on_deactivate": "from mattermost_plugin import Plugin\nclass P(Plugin):\n    def on_activate(self): pass\nP.run()\n",
		"a plugin that does not start":   "import nothing\n",
		"a plugin that does not activate": "from mattermost_plugin import Plugin\nclass P(Plugin):\n" +
			"    def on_activate(self): raise RuntimeError('no')\nP.run()\n",
		"a plugin whose thread goes on": "import threading, time\nfrom mattermost_plugin import Plugin\nclass P(Plugin):\n" +
			"    def on_activate(self): threading.Thread(target=time.sleep, args=(1000,)).start()\nP.run()\n",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, source)
			s := newServer(t, b)
			if _, _, err := s.Activate(pluginID); err == nil {
				require.True(t, s.Deactivate(pluginID))
			}
			require.NotContains(t, s.log.String(), "failed to exit gracefully")
			require.NotContains(t, s.log.String(), "error closing client", "the server's Quit was not answered")
		})
	}
}

func TestThePluginIsBackAfterItsProcessWasKilledAndTheServerDoesNotNotice(t *testing.T) {
	b := newBundle(t, moderator)
	s := newServer(t, b)
	hooks := s.activate(t)
	first := b.lastPID()
	require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		message, _ := willBePosted(hooks, "who")
		return message != "who" && message != strconv.Itoa(first)
	}, patience, 10*time.Millisecond)
	require.Len(t, b.lines("activated"), 2)
	require.Len(t, b.lines("configuration"), 2)
	require.NoError(t, s.PerformHealthCheck(pluginID))
	require.Equal(t, model.PluginStateRunning, s.status(t).State)
	message, _ := willBePosted(hooks, "user")
	require.Equal(t, "name of u1", message, "the API is connected again")
	gone(t, first)
}

func TestAPluginThatKeepsCrashingIsBackWhenTheTroubleIsOverAndTheServerLeavesItAlone(t *testing.T) {
	b := newBundle(t, notes+`
if len(open("pids").readlines()) > 1 and not os.path.exists("over"):
    sys.exit("not again")
`+moderator)
	s := newServer(t, b)
	hooks := s.activate(t)
	bridge := b.bridgePID()
	willBePosted(hooks, "crash")
	require.Eventually(t, func() bool { return len(b.lines("pids")) >= 5 }, patience, 10*time.Millisecond)
	require.NoError(t, s.PerformHealthCheck(pluginID))
	require.Contains(t, s.log.String(), "not again")
	b.file("over", "")
	require.Eventually(t, func() bool { return len(b.lines("activated")) == 2 }, patience, 10*time.Millisecond)
	require.Equal(t, bridge, b.bridgePID())
	require.Equal(t, model.PluginStateRunning, s.status(t).State)
}

func TestWhatGoesWrongAtStartIsThePluginsStatus(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(b *bundle)
		status  string
		log     string
	}{
		"an import error": {
			func(b *bundle) { b.file("server/plugin.py", "import nothing\n") },
			"the plugin process ended before it was ready (exit status 1): ModuleNotFoundError: No module named 'nothing'",
			"Traceback (most recent call last)",
		},
		"an import error after the SDK was imported": {
			func(b *bundle) { b.file("server/plugin.py", "import mattermost_plugin.plugin\nimport nothing\n") },
			"the plugin process ended before it was ready (exit status 1): ModuleNotFoundError: No module named 'nothing'",
			"Traceback (most recent call last)",
		},
		"a syntax error": {
			func(b *bundle) { b.file("server/plugin.py", "def (\n") },
			"the plugin process ended before it was ready (exit status 1): SyntaxError: invalid syntax",
			`plugin.py`,
		},
		"a wrong hook": {
			func(b *bundle) {
				b.file("server/plugin.py", "from mattermost_plugin import Plugin\nclass P(Plugin):\n    def message_will_be_postd(self, ctx, post): ...\n")
			},
			"message_will_be_posted", "Traceback (most recent call last)",
		},
		"an on_activate that raises": {
			func(b *bundle) {
				b.file("server/plugin.py", "from mattermost_plugin import Plugin\nclass P(Plugin):\n    def on_activate(self): raise RuntimeError('no licence')\nP.run()\n")
			},
			"no licence", "no licence",
		},
		"a manifest without entrypoint": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { delete(server, "entrypoint") }) },
			"plugin.json: server.entrypoint is missing", "plugin.json: server.entrypoint is missing",
		},
		"an entrypoint outside of the bundle": {
			func(b *bundle) {
				b.manifest(func(_, server map[string]any) { server["entrypoint"] = "../../plugin.py" })
			},
			"plugin.json: server.entrypoint must be a path inside the bundle", "must be a path inside the bundle",
		},
		"no interpreter": {
			func(b *bundle) { b.manifest(func(_, server map[string]any) { server["runtime"] = "python3.999" }) },
			"no interpreter found: looked for server/python/", "no interpreter found",
		},
		"an old Python": {
			func(b *bundle) {
				old := b.t.TempDir()
				script := "#!/bin/sh\nif [ \"$1\" = -c ]; then echo 3.8.10; else echo oops >&2; exit 1; fi\n"
				require.NoError(b.t, os.WriteFile(filepath.Join(old, "python3"), []byte(script), 0o755))
				b.t.Setenv("PATH", old+string(os.PathListSeparator)+os.Getenv("PATH"))
			},
			"is Python 3.8.10, but the plugin needs 3.10 or newer", "is Python 3.8.10",
		},
		"a file that was changed": {
			func(b *bundle) { b.file("server/checksums.sha256", strings.Repeat("0", 64)+"  server/plugin.py\n") },
			"server/plugin.py was changed after the bundle was built (checksum mismatch)", "checksum mismatch",
		},
		"a plugin that never gets ready": {
			func(b *bundle) {
				b.file("server/plugin.py", "import time; time.sleep(1000)\n")
				b.manifest(func(manifest, _ map[string]any) {
					manifest["props"] = map[string]any{"mattermost_plugin": map[string]any{"start_timeout": 0.5}}
				})
			},
			"the plugin process did not become ready within 500ms", "did not become ready",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, moderator)
			test.prepare(b)
			s := newServer(t, b)
			_, _, err := s.Activate(pluginID)
			require.ErrorContains(t, err, test.status)
			status := s.status(t)
			require.Equal(t, model.PluginStateFailedToStart, status.State)
			require.Contains(t, status.Error, test.status)
			require.NotContains(t, status.Error, "\n")
			require.Contains(t, s.log.String(), test.log)
		})
	}
}

func TestTheHandshakeDoesNotWaitForPython(t *testing.T) {
	b := newBundle(t, notes+"while not os.path.exists('wake'): time.sleep(0.01)\nnote('awake')\ntime.sleep(1000)\n")
	var stderr bytes.Buffer
	begin := time.Now()
	cmd, stdout := b.command(&stderr)
	line, err := stdout.ReadString('\n')
	took := time.Since(begin)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(line, "1|1|unix|"), line)
	connect(t, line)
	require.Eventually(t, func() bool { return len(b.lines("pids")) == 1 }, patience, time.Millisecond)
	require.NoFileExists(t, b.path("awake"), "the handshake came while Python slept")
	b.file("wake", "")
	require.Eventually(t, func() bool { return len(b.lines("awake")) == 1 }, patience, time.Millisecond)
	t.Logf("the handshake took %v", took)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait(), &stderr)
}

func TestThePluginProcessDiesWithTheBridge(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only the kernel of Linux ends a child with its parent; elsewhere the SDK does")
	}
	b := newBundle(t, notes+"time.sleep(1000)\n")
	var stderr bytes.Buffer
	cmd, stdout := b.command(&stderr)
	line, err := stdout.ReadString('\n')
	require.NoError(t, err)
	connect(t, line)
	require.Eventually(t, func() bool { return len(b.lines("pids")) == 1 }, patience, 10*time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	gone(t, b.lastPID())

	// What it left behind is removed by the next bridge that starts.
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	require.NoError(t, err)
	require.NotEmpty(t, left)
	next, stdout := b.command(&stderr)
	line, err = stdout.ReadString('\n')
	require.NoError(t, err)
	connect(t, line)
	for _, path := range left {
		require.Eventually(t, func() bool { _, err := os.Stat(path); return os.IsNotExist(err) }, patience, 10*time.Millisecond, path)
	}
	require.NoError(t, next.Process.Signal(syscall.SIGTERM))
	require.NoError(t, next.Wait(), &stderr)
}

func TestSIGTERMDeactivatesThePlugin(t *testing.T) {
	b := newBundle(t, moderator)
	s := newServer(t, b)
	s.activate(t)
	bridge := b.bridgePID()
	require.NoError(t, syscall.Kill(bridge, syscall.SIGTERM))
	gone(t, b.lastPID())
	gone(t, bridge)
	require.Len(t, b.lines("deactivated"), 1)
	require.Error(t, s.PerformHealthCheck(pluginID))
}

func TestTheBridgeEndsWhenTheServerIsKilled(t *testing.T) {
	b := newBundle(t, moderator)
	mattermost := b.serverProcess()
	require.Eventually(t, func() bool { return len(b.lines("activated")) == 1 }, patience, 10*time.Millisecond)
	pid, bridge := b.lastPID(), b.bridgePID()
	require.NoError(t, mattermost.Process.Kill())
	require.Error(t, mattermost.Wait())
	gone(t, bridge)
	gone(t, pid)
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestOutsideOfAServerItSaysInOneLineWhatItIs(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), alone+"=1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 1, cmd.ProcessState.ExitCode())
	require.Equal(t, fmt.Sprintf(outsideServer, version), string(out))
	require.Equal(t, 1, strings.Count(string(out), "\n"))
}
