// Command largefiles moves a large file through a plugin in Mattermost's own plugin.Environment, by the hook and by the
// API, and prints as JSON whether it came through whole, how long it took and by how much the memory of the bridge and
// of the plugin process grew meanwhile.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
)

// outcome is what became of one file. The memory is in bytes.
type outcome struct {
	Whole   bool             `json:"whole"`
	Seconds float64          `json:"seconds"`
	Growth  map[string]int64 `json:"growth"`
}

func main() {
	log.SetFlags(0)
	plugins := flag.String("plugins", "", "folder of unpacked bundles")
	id := flag.String("id", "", "id of the plugin")
	size := flag.Int64("size", 0, "bytes of a file")
	flag.Parse()
	report, err := measure(*plugins, *id, *size)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

func measure(plugins, id string, size int64) (map[string]outcome, error) {
	received := &sink{}
	env, err := environment(plugins, received)
	if err != nil {
		return nil, err
	}
	defer env.Shutdown()
	if _, _, err := env.Activate(id); err != nil {
		return nil, fmt.Errorf("activate: %w", err)
	}
	hooks, err := env.HooksForPlugin(id)
	if err != nil {
		return nil, err
	}
	processes, err := processes()
	if err != nil {
		return nil, err
	}
	report := map[string]outcome{}
	// A first, small one loads what is loaded once.
	for _, bytes := range []int64{8 << 20, size} {
		if report["hook"], err = observed(processes, func() bool { return throughHook(hooks, bytes) }); err != nil {
			return nil, err
		}
		if report["upload"], err = observed(processes, func() bool { return throughAPI(hooks, received, bytes) }); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// throughHook lets the plugin see a file which it writes back, and tells whether that is the same.
func throughHook(hooks plugin.Hooks, size int64) bool {
	file, output := &content{left: size}, &sink{}
	info, reason := hooks.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{Name: "large"}, file, output)
	if info == nil || reason != "" || output.size != size || output.sum != file.sum {
		log.Printf("the hook returned %v, %q and wrote %d of %d bytes; %d were not read", info, reason, output.size, size, file.left)
		return false
	}
	return true
}

// throughAPI lets the plugin upload a file, and tells whether it is the one it should be.
func throughAPI(hooks plugin.Hooks, received *sink, size int64) bool {
	*received = sink{}
	text := fmt.Sprintf("/upload %d", size)
	response, appErr := hooks.ExecuteCommand(&plugin.Context{}, &model.CommandArgs{Command: text})
	if appErr != nil || response.Text != "done" {
		return false
	}
	want := &sink{}
	if _, err := io.Copy(want, &content{left: size}); err != nil {
		return false
	}
	return *received == *want
}

// observed measures what a transfer takes. The peak of the memory counts, not what is left of it.
func observed(processes map[string]int, transfer func() bool) (outcome, error) {
	before := map[string]int64{}
	for name, pid := range processes {
		// Forgets the peak so far (proc(5), clear_refs).
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
			return outcome{}, err
		}
		size, err := memory(pid, "VmRSS")
		if err != nil {
			return outcome{}, err
		}
		before[name] = size
	}
	start := time.Now()
	out := outcome{Whole: transfer(), Seconds: time.Since(start).Seconds(), Growth: map[string]int64{}}
	for name, pid := range processes {
		peak, err := memory(pid, "VmHWM")
		if err != nil {
			return outcome{}, err
		}
		out.Growth[name] = peak - before[name]
	}
	return out, nil
}

// memory reads a line of /proc/PID/status that is in kB.
func memory(pid int, line string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for text := range strings.Lines(string(status)) {
		if name, value, found := strings.Cut(text, ":"); found && name == line {
			size, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return size << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s", pid, line)
}

// processes finds the bridge, which this process has started, and the plugin, which the bridge has.
func processes() (map[string]int, error) {
	bridge, err := child(os.Getpid())
	if err != nil {
		return nil, err
	}
	plugin, err := child(bridge)
	if err != nil {
		return nil, err
	}
	return map[string]int{"bridge": bridge, "plugin": plugin}, nil
}

func child(parent int) (int, error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", parent))
	if err != nil {
		return 0, err
	}
	for _, task := range tasks {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", parent, task.Name()))
		if err != nil {
			return 0, err
		}
		if pids := strings.Fields(string(children)); len(pids) > 0 {
			return strconv.Atoi(pids[0])
		}
	}
	return 0, fmt.Errorf("process %d has started none", parent)
}

// content is a file of numbered lines, as the plugin makes it too, which adds up what was read of it.
type content struct {
	left, line int64
	rest       []byte
	sum        uint32
}

const linesAtOnce = 4096

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if len(c.rest) == 0 {
		for range linesAtOnce {
			c.rest = fmt.Appendf(c.rest, "%063d\n", c.line)
		}
		c.line++
	}
	n := copy(p[:min(int64(len(p)), c.left)], c.rest)
	c.rest = c.rest[n:]
	c.left -= int64(n)
	c.sum = crc32.Update(c.sum, crc32.IEEETable, p[:n])
	return n, nil
}

// sink takes a file and adds it up.
type sink struct {
	size int64
	sum  uint32
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	s.sum = crc32.Update(s.sum, crc32.IEEETable, p)
	return len(p), nil
}

func environment(plugins string, received *sink) (*plugin.Environment, error) {
	logger, err := mlog.NewLogger()
	if err != nil {
		return nil, err
	}
	api := contracttest.APIFunc(func(method string, args ...any) []any {
		switch method {
		case "GetServerVersion":
			return []any{model.CurrentVersion}
		case "UploadData":
			if _, err := io.Copy(received, args[1].(io.Reader)); err != nil {
				return []any{nil, err}
			}
			return []any{&model.FileInfo{Size: received.size}, nil}
		}
		return nil
	})
	webapp, err := os.MkdirTemp("", "webapp")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(webapp)
	return plugin.NewEnvironment(func(*model.Manifest) plugin.API { return api }, noDatabase{}, plugins, webapp, logger, nil)
}

// noDatabase is offered to a plugin that uses no database.
type noDatabase struct{ plugin.AppDriver }

func (noDatabase) ConnWithPluginID(bool, string) (string, error) {
	return "", errors.New("no database here")
}
func (noDatabase) ShutdownConns(string) {}
