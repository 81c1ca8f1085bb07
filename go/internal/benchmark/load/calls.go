package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

const (
	anID    = "8xkqsm3ktjdm9ne9jm3bq6x1wy"
	aUser   = "jxwwq3bqh3yrxk5n6x4w1k6o1e"
	channel = "4yj5d7csj3n1mk8o9q5h1d1y3a"
)

// bench measures one plugin.
type bench struct {
	hooks    plugin.Hooks
	duration time.Duration
	web      *web // once it is needed
}

func (b *bench) close() {
	if b.web != nil {
		b.web.close()
	}
}

// hook calls MessageWillBePosted from so many callers.
func (b *bench) hook(callers int) (map[string]float64, error) {
	return b.posted(callers, "A message of ordinary length, as people write them all day.")
}

// payload calls MessageWillBePosted with a message of that many bytes, which comes back.
func (b *bench) payload(size int) (map[string]float64, error) {
	return b.posted(1, strings.Repeat("word ", size/5+1)[:size])
}

func (b *bench) posted(callers int, message string) (map[string]float64, error) {
	ctx := &plugin.Context{SessionId: "s", RequestId: "r", IPAddress: "127.0.0.1", UserAgent: "benchmark"}
	return b.repeat(callers, func() error {
		post := &model.Post{
			Id: anID, UserId: aUser, ChannelId: channel, Message: message, CreateAt: 1700000000000, UpdateAt: 1700000000000,
		}
		changed, reason := b.hooks.MessageWillBePosted(ctx, post)
		if reason != "" || changed == nil || len(changed.Message) != len(message)+len(" (checked)") {
			return fmt.Errorf("the plugin did not change the post: %q", reason)
		}
		return nil
	})
}

// repeat calls once from so many callers for the time of a measurement, after some calls to warm up.
func (b *bench) repeat(callers int, once func() error) (map[string]float64, error) {
	if _, err := repeatFor(b.duration/4, callers, once); err != nil {
		return nil, err
	}
	return repeatFor(b.duration, callers, once)
}

func repeatFor(duration time.Duration, callers int, once func() error) (map[string]float64, error) {
	times := make([][]int64, callers)
	failures := make([]error, callers)
	var done sync.WaitGroup
	used := cpuNow()
	start := time.Now()
	for i := range callers {
		done.Go(func() {
			for time.Since(start) < duration || len(times[i]) == 0 {
				begin := time.Now()
				if failures[i] = once(); failures[i] != nil {
					return
				}
				times[i] = append(times[i], time.Since(begin).Nanoseconds())
			}
		})
	}
	done.Wait()
	elapsed := time.Since(start)
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	return perCall(used, len(all), elapsed, all[len(all)/2], all[len(all)*99/100]), nil
}

// perCall are the values of a row of calls. Times are in nanoseconds.
func perCall(used cpu, calls int, elapsed time.Duration, median, p99 int64) map[string]float64 {
	host, plugin := used.since(calls)
	return map[string]float64{
		"us":            float64(median) / 1e3,
		"p99 us":        float64(p99) / 1e3,
		"per second":    float64(calls) / elapsed.Seconds(),
		"host CPU us":   host,
		"plugin CPU us": plugin,
	}
}

// api lets the plugin call CreatePost from so many callers of its own.
func (b *bench) api(callers int) (map[string]float64, error) {
	return b.command("/create_posts", callers, 1)
}

// list lets the plugin ask for that many posts.
func (b *bench) list(posts int) (map[string]float64, error) {
	return b.command("/list_posts", 1, posts)
}

// selectRows lets the plugin fetch that many rows from the database.
func (b *bench) selectRows(rows int) (map[string]float64, error) {
	values, err := b.command("/select_rows", 1, rows)
	if err == nil {
		values["rows per second"] = values["per second"] * float64(rows)
	}
	return values, err
}

// command lets the plugin do something by itself for about the time of a measurement.
func (b *bench) command(what string, callers, size int) (map[string]float64, error) {
	// How long does it take? The first time warms up.
	probe, err := b.execute(what, callers, callers, size)
	if err != nil {
		return nil, err
	}
	for want := b.duration / 8; probe.elapsed < want; {
		more := int(float64(probe.calls) * min(10, 1.2*float64(want)/float64(probe.elapsed)))
		if probe, err = b.execute(what, callers, max(callers, more-more%callers), size); err != nil {
			return nil, err
		}
	}
	calls := int(float64(probe.calls) * float64(b.duration) / float64(probe.elapsed))
	measured := probe
	if calls -= calls % callers; calls > 0 {
		if measured, err = b.execute(what, callers, calls, size); err != nil {
			return nil, err
		}
	}
	return measured.values, nil
}

// executed is what a command took.
type executed struct {
	calls   int
	elapsed time.Duration
	values  map[string]float64
}

func (b *bench) execute(what string, callers, calls, size int) (executed, error) {
	args := &model.CommandArgs{Command: fmt.Sprintf("%s %d %d %d", what, callers, calls, size), UserId: aUser, ChannelId: channel}
	used := cpuNow()
	response, appErr := b.hooks.ExecuteCommand(&plugin.Context{}, args)
	if appErr != nil {
		return executed{}, appErr
	}
	var elapsed, median, p99 int64
	if response == nil {
		return executed{}, fmt.Errorf("the plugin did not answer to %q", args.Command)
	}
	if _, err := fmt.Sscan(response.Text, &elapsed, &median, &p99); err != nil {
		return executed{}, fmt.Errorf("the plugin answered %q: %w", response.Text, err)
	}
	took := time.Duration(elapsed)
	return executed{calls: calls, elapsed: took, values: perCall(used, calls, took, median, p99)}, nil
}
