// Command load runs one plugin and measures its hooks and its API calls. It prints one JSON object.
//
// Mode "server" runs the bundle as a Mattermost server does, with Mattermost's own plugin.Environment over net/rpc;
// mode "native" runs the Python process of the bundle directly over gRPC, with package host.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
)

// row is one measurement. Times are in nanoseconds, but processor time per call, which is in microseconds: of this
// process, and of the plugin's processes together.
type row struct {
	What      string  `json:"what"`
	Callers   int     `json:"callers"`
	Calls     int     `json:"calls"`
	PerSecond float64 `json:"per_second"`
	P50       int64   `json:"p50_ns"`
	P99       int64   `json:"p99_ns,omitempty"`
	HostCPU   float64 `json:"host_cpu_us"`
	PluginCPU float64 `json:"plugin_cpu_us"`
}

// heap is as much as a small Mattermost server keeps. Without it the collector would run a hundred times as often as in
// a server, for every rival on this side.
var heap = make([]byte, 256<<20)

func main() {
	defer runtime.KeepAlive(heap)
	mode := flag.String("mode", "server", "server or native")
	bundle := flag.String("bundle", "", "folder of the unpacked bundle, named as the plugin's id")
	callers := flag.String("callers", "1,16", "numbers of concurrent callers")
	duration := flag.Duration("duration", time.Second, "how long to measure each hook row")
	calls := flag.Int("calls", 2000, "how many API calls each of up to four callers makes in an API row")
	profile := flag.String("cpuprofile", "", "where to write a processor profile of this process")
	flag.Parse()

	hooks, stop, err := start(*mode, *bundle)
	if err != nil {
		log.Fatal(err)
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			log.Fatal(err)
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			log.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	var rows []row
	for _, word := range strings.Split(*callers, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			log.Fatalf("-callers: %v", err)
		}
		measureHook(hooks, n, *duration/4) // warm up
		rows = append(rows, measureHook(hooks, n, *duration))
		measured, err := measureAPI(hooks, n, *calls)
		if err != nil {
			log.Fatal(err)
		}
		rows = append(rows, measured)
	}
	stop()
	if err := json.NewEncoder(os.Stdout).Encode(rows); err != nil {
		log.Fatal(err)
	}
}

// start runs the plugin and returns its hooks and what stops it.
func start(mode, bundle string) (plugin.Hooks, func(), error) {
	if mode == "native" {
		return startNative(bundle)
	}
	return startServer(bundle)
}

func startServer(bundle string) (plugin.Hooks, func(), error) {
	id := filepath.Base(bundle)
	logger, err := mlog.NewLogger()
	if err != nil {
		return nil, nil, err
	}
	webapp, err := os.MkdirTemp("", "webapp")
	if err != nil {
		return nil, nil, err
	}
	newAPI := func(*model.Manifest) plugin.API { return api{} }
	env, err := plugin.NewEnvironment(newAPI, noDatabase{}, filepath.Dir(bundle), webapp, logger, nil)
	if err != nil {
		return nil, nil, err
	}
	if _, _, err = env.Activate(id); err != nil {
		return nil, nil, fmt.Errorf("activate %s: %w", id, err)
	}
	hooks, err := env.HooksForPlugin(id)
	if err != nil {
		return nil, nil, err
	}
	return hooks, func() { env.Shutdown(); _ = os.RemoveAll(webapp) }, nil
}

func startNative(bundle string) (plugin.Hooks, func(), error) {
	launch, err := host.FromManifest(bundle)
	if err != nil {
		return nil, nil, err
	}
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr})
	started, err := host.Start(context.Background(), host.Config{Launch: launch, Logger: logger, API: api{}})
	if err != nil {
		return nil, nil, err
	}
	hooks := started.Hooks()
	if err := hooks.OnActivate(); err != nil {
		return nil, nil, fmt.Errorf("activate: %w", err)
	}
	return hooks, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		started.Stop(ctx)
	}, nil
}

func post() *model.Post {
	return &model.Post{
		Id: "8xkqsm3ktjdm9ne9jm3bq6x1wy", UserId: "jxwwq3bqh3yrxk5n6x4w1k6o1e", ChannelId: "4yj5d7csj3n1mk8o9q5h1d1y3a",
		Message: "A message of ordinary length, as people write them all day.", CreateAt: 1700000000000, UpdateAt: 1700000000000,
	}
}

// measureHook calls MessageWillBePosted from so many callers for so long.
func measureHook(hooks plugin.Hooks, callers int, duration time.Duration) row {
	ctx := &plugin.Context{SessionId: "s", RequestId: "r", IPAddress: "127.0.0.1", UserAgent: "benchmark"}
	times := make([][]int64, callers)
	var done sync.WaitGroup
	used := cpuNow()
	start := time.Now()
	for i := range callers {
		done.Go(func() {
			for time.Since(start) < duration {
				begin := time.Now()
				changed, reason := hooks.MessageWillBePosted(ctx, post())
				times[i] = append(times[i], time.Since(begin).Nanoseconds())
				if reason != "" || changed == nil || !strings.HasSuffix(changed.Message, "(checked)") {
					log.Fatalf("the plugin did not change the post: %v, %q", changed, reason)
				}
			}
		})
	}
	done.Wait()
	elapsed := time.Since(start)
	all := slices.Concat(times...)
	slices.Sort(all)
	hostCPU, pluginCPU := used.perCall(len(all))
	return row{
		What: "hook", Callers: callers, Calls: len(all), PerSecond: float64(len(all)) / elapsed.Seconds(),
		P50: all[len(all)/2], P99: all[len(all)*99/100], HostCPU: hostCPU, PluginCPU: pluginCPU,
	}
}

// measureAPI lets the plugin call CreatePost from so many callers of its own.
func measureAPI(hooks plugin.Hooks, callers, calls int) (row, error) {
	calls *= min(callers, 4)
	calls -= calls % callers
	args := &model.CommandArgs{Command: fmt.Sprintf("/create_posts %d %d", callers, calls), UserId: "jxwwq3bqh3yrxk5n6x4w1k6o1e", ChannelId: "4yj5d7csj3n1mk8o9q5h1d1y3a"}
	if _, appErr := hooks.ExecuteCommand(&plugin.Context{}, args); appErr != nil { // warm up
		return row{}, appErr
	}
	used := cpuNow()
	response, appErr := hooks.ExecuteCommand(&plugin.Context{}, args)
	if appErr != nil {
		return row{}, appErr
	}
	nanoseconds, err := strconv.ParseInt(response.Text, 10, 64)
	if err != nil {
		return row{}, fmt.Errorf("the plugin answered %q: %w", response.Text, err)
	}
	hostCPU, pluginCPU := used.perCall(calls)
	return row{
		What: "api", Callers: callers, Calls: calls, PerSecond: float64(calls) / (float64(nanoseconds) / 1e9),
		P50: nanoseconds * int64(callers) / int64(calls), HostCPU: hostCPU, PluginCPU: pluginCPU,
	}, nil
}
