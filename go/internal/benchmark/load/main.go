// Command load runs one plugin, or several of one kind, and measures them. It prints a JSON array of rows.
//
// Mode "server" runs a plugin as a Mattermost server does, with Mattermost's own plugin.Environment over net/rpc; mode
// "native" runs it over gRPC, with package host.
//
// The arguments say what to measure: name=at,at,... or just a name. What a name means is in measures.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// row is one measurement.
type row struct {
	Row string `json:"row"`
	// At is what the row was measured at: callers, bytes, posts, rows, plugins.
	At int `json:"at"`
	// Values by unit, such as "us" (the median) or "per second".
	Values map[string]float64 `json:"values"`
}

// measures are the rows there are. At is: for hook, api and get callers; for payload bytes of a message each way; for
// list posts; for select database rows; for the others bytes.
var measures = map[string]func(*bench, int) (map[string]float64, error){
	"hook":     (*bench).hook,
	"api":      (*bench).api,
	"payload":  (*bench).payload,
	"list":     (*bench).list,
	"get":      (*bench).get,
	"download": (*bench).download,
	"upload":   (*bench).upload,
	"file":     (*bench).file,
	"replace":  (*bench).replace,
	"select":   (*bench).selectRows,
	"memory":   (*bench).memory,
}

// heap is as much as a small Mattermost server keeps. Without it the collector would run a hundred times as often as in
// a server, for every rival on this side.
var heap = make([]byte, 256<<20)

func main() {
	defer runtime.KeepAlive(heap)
	log.SetFlags(0)
	mode := flag.String("mode", "server", "server or native")
	bundles := flag.String("bundles", "", "folder of unpacked bundles")
	duration := flag.Duration("duration", time.Second, "how long to measure what is measured by time")
	database := flag.String("database", "", "address of a PostgreSQL; none: the plugin gets no database")
	profile := flag.String("cpuprofile", "", "where to write a processor profile of this process")
	flag.Parse()

	rows, err := run(setup{mode: *mode, bundles: *bundles, database: *database}, *duration, flag.Args(), *profile)
	if err != nil {
		log.Fatalf("%s: %v", *bundles, err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(rows); err != nil {
		log.Fatal(err)
	}
}

func run(s setup, duration time.Duration, asked []string, profile string) ([]row, error) {
	if len(asked) == 1 && strings.HasPrefix(asked[0], "plugins=") {
		return several(s, strings.TrimPrefix(asked[0], "plugins="), duration)
	}
	started, err := s.start(1)
	if err != nil {
		return nil, err
	}
	defer started.stop()
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	b := &bench{hooks: started.hooks[0], duration: duration}
	defer b.close()
	rows := []row{{Row: "activate", Values: map[string]float64{"ms": milliseconds(started.took[0])}}}
	for _, word := range asked {
		name, points, _ := strings.Cut(word, "=")
		measure, known := measures[name]
		if !known {
			return nil, fmt.Errorf("nothing is called %q", name)
		}
		for _, point := range strings.Split(points, ",") {
			at := 0
			if point != "" {
				if at, err = strconv.Atoi(point); err != nil {
					return nil, fmt.Errorf("%s: %w", word, err)
				}
			}
			values, err := measure(b, at)
			if err != nil {
				return nil, fmt.Errorf("%s at %d: %w", name, at, err)
			}
			rows = append(rows, row{Row: name, At: at, Values: values})
		}
	}
	return rows, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
