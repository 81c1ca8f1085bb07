package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/benchmark/timing"
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
	if _, err := timing.Repeat(callers, b.duration/4, once); err != nil {
		return nil, err
	}
	used := cpuNow()
	took, err := timing.Repeat(callers, b.duration, once)
	if err != nil {
		return nil, err
	}
	return perCall(used, took), nil
}

// perCall are the values of a row of calls.
func perCall(used cpu, took timing.Timing) map[string]float64 {
	host, plugin := used.since(took.Calls)
	return map[string]float64{
		"us":            float64(took.Median.Nanoseconds()) / 1e3,
		"p99 us":        float64(took.P99.Nanoseconds()) / 1e3,
		"per second":    float64(took.Calls) / took.Elapsed.Seconds(),
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

// command lets the plugin do something by itself for the time of a measurement, after a shorter time to warm up; if a
// single call takes longer than that, it is what is measured.
func (b *bench) command(what string, callers, size int) (map[string]float64, error) {
	took, values, err := b.execute(what, callers, b.duration/4, size)
	if err == nil && took < b.duration {
		_, values, err = b.execute(what, callers, b.duration, size)
	}
	return values, err
}

// execute lets the plugin do something for so long; it returns how long it took, and the values of its row.
func (b *bench) execute(what string, callers int, duration time.Duration, size int) (time.Duration, map[string]float64, error) {
	command := fmt.Sprintf("%s %d %d %d", what, callers, duration.Nanoseconds(), size)
	args := &model.CommandArgs{Command: command, UserId: aUser, ChannelId: channel}
	used := cpuNow()
	response, appErr := b.hooks.ExecuteCommand(&plugin.Context{}, args)
	if appErr != nil {
		return 0, nil, appErr
	}
	if response == nil {
		return 0, nil, fmt.Errorf("the plugin did not answer to %q", command)
	}
	var took timing.Timing
	// A Duration is scanned as its nanoseconds.
	if _, err := fmt.Sscan(response.Text, &took.Calls, &took.Elapsed, &took.Median, &took.P99); err != nil {
		return 0, nil, fmt.Errorf("the plugin answered %q: %w", response.Text, err)
	}
	return took.Elapsed, perCall(used, took), nil
}
