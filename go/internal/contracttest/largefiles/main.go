// Command largefiles moves a large file through a plugin in Mattermost's own plugin.Environment, by the hook and by
// methods of the API, and prints as JSON whether it came through whole, how long it took and by how much the memory of
// the bridge and of the plugin process grew meanwhile.
package main

import (
	"bytes"
	"encoding/json"
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
	ways := flag.String("ways", "", "hook and method names, with commas between them")
	flag.Parse()
	report, err := measure(*plugins, *id, *size, strings.Split(*ways, ","))
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

func measure(plugins, id string, size int64, ways []string) (map[string]outcome, error) {
	server := &server{}
	env, err := contracttest.NewEnvironment(plugins, server.call)
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
	for _, way := range ways {
		// A first, small one loads what is loaded once.
		for _, bytes := range []int64{8 << 20, size} {
			report[way], err = observed(processes, func() bool {
				switch way {
				case "FileWillBeUploaded":
					return throughHook(hooks, bytes)
				case "GenerateSupportData":
					return supportData(hooks, size)
				}
				return server.throughAPI(hooks, way, bytes)
			})
			if err != nil {
				return nil, err
			}
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

// supportData lets the plugin return a file of that size, and tells whether it did.
func supportData(hooks plugin.Hooks, size int64) bool {
	files, err := hooks.GenerateSupportData(&plugin.Context{})
	if err != nil || len(files) != 1 {
		log.Printf("GenerateSupportData: %d files, %v", len(files), err)
		return false
	}
	want, got := &sink{}, &sink{size: int64(len(files[0].Body)), sum: crc32.ChecksumIEEE(files[0].Body)}
	if _, err := io.Copy(want, &content{left: size}); err != nil {
		log.Print(err)
		return false
	}
	return *want == *got
}

// throughAPI lets the plugin move a file by a method of the API, and tells whether it is the one it should be.
func (s *server) throughAPI(hooks plugin.Hooks, method string, size int64) bool {
	s.moved = sink{}
	text := fmt.Sprintf("/%s %d", method, size)
	response, appErr := hooks.ExecuteCommand(&plugin.Context{}, &model.CommandArgs{Command: text})
	if appErr != nil {
		log.Printf("%s: %v", text, appErr)
		return false
	}
	want := &sink{}
	if _, err := io.Copy(want, &content{left: size}); err != nil {
		log.Print(err)
		return false
	}
	// What the plugin has seen of the file: of one that it sent what the server said, of one that it read the sum.
	told := fmt.Sprint(size)
	if s.moved == (sink{}) {
		told = fmt.Sprint(want.sum)
	} else if s.moved != *want {
		log.Printf("%s: the server received %d bytes", text, s.moved.size)
		return false
	}
	if response.Text != told {
		log.Printf("%s: the plugin answered %q, not %q", text, response.Text, told)
		return false
	}
	return true
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

// server is the server's side of the API.
type server struct{ moved sink }

func (s *server) call(method string, args ...any) []any {
	switch method {
	case "GetServerVersion":
		return []any{model.CurrentVersion}
	case "UploadData":
		return []any{s.receive(args[1].(io.Reader)), nil}
	case "ReceiveSharedChannelAttachmentSyncMsg":
		return []any{s.receive(args[3].(io.Reader)), nil}
	case "InstallPlugin":
		return []any{&model.Manifest{Id: fmt.Sprint(s.receive(args[0].(io.Reader)).Size)}, nil}
	case "UploadFile":
		return []any{s.receive(bytes.NewReader(args[0].([]byte))), nil}
	case "KVSet":
		s.receive(bytes.NewReader(args[1].([]byte)))
		return []any{nil}
	case "GetFile", "ReadFile", "KVGet":
		size, err := strconv.ParseInt(args[0].(string), 10, 64)
		if err != nil {
			panic(err) // the test's own mistake
		}
		file := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
		if _, err := file.ReadFrom(&content{left: size}); err != nil {
			panic(err)
		}
		return []any{file.Bytes(), nil}
	}
	return nil
}

func (s *server) receive(file io.Reader) *model.FileInfo {
	// A file that breaks off is noticed by its size.
	_, _ = io.Copy(&s.moved, file)
	return &model.FileInfo{Size: s.moved.size}
}
