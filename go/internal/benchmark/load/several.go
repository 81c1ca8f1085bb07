package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// rounds is how often a post goes through all plugins.
const rounds = 200

// several measures numbers of plugins beside each other. They are left alone for three times the duration before it is
// measured, for five times, what they use when nothing happens.
func several(s setup, counts string, duration time.Duration) ([]row, error) {
	var rows []row
	for _, word := range strings.Split(counts, ",") {
		count, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		values, err := together(s, count, duration)
		if err != nil {
			return nil, fmt.Errorf("%d plugins: %w", count, err)
		}
		rows = append(rows, row{Row: "plugins", At: count, Values: values})
	}
	return rows, nil
}

func together(s setup, count int, duration time.Duration) (map[string]float64, error) {
	r, err := s.start(count)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	values := map[string]float64{}
	for _, took := range r.took {
		values["ms to start"] += milliseconds(took)
	}

	idle := 5 * duration
	time.Sleep(3 * duration)
	used := cpuNow()
	time.Sleep(idle)
	_, plugins := used.since(1)
	values["idle CPU us per second"] = plugins / idle.Seconds()

	// As a server does it: each gets what the one before made of it.
	through := func() (time.Duration, error) {
		post := &model.Post{Id: anID, UserId: aUser, ChannelId: channel, Message: "A message."}
		begin := time.Now()
		for _, hooks := range r.hooks {
			changed, reason := hooks.MessageWillBePosted(&plugin.Context{}, post)
			if reason != "" || changed == nil {
				return 0, fmt.Errorf("a plugin refused the post: %q", reason)
			}
			post = changed
		}
		return time.Since(begin), nil
	}
	var total time.Duration
	for i := range rounds + rounds/10 {
		took, err := through()
		if err != nil {
			return nil, err
		}
		if i >= rounds/10 {
			total += took
		}
	}
	values["us for a post through all"] = microseconds(total) / rounds

	memory, err := memoryNow()
	values["MiB, shared in parts"] = memory["MiB, shared in parts"]
	return values, err
}
