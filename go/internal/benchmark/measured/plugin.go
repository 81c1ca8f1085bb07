// Package measured is what every rival of the benchmarks does, as an author writes it in Go. The plugins in Python
// (benchmarks/plugins) do the same.
package measured

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/benchmark/timing"
)

// Plugin is the measured plugin.
type Plugin struct {
	plugin.MattermostPlugin
}

// MessageWillBePosted returns the post with its message changed.
func (p *Plugin) MessageWillBePosted(_ *plugin.Context, post *model.Post) (*model.Post, string) {
	post.Message += " (checked)"
	return post, ""
}

// ExecuteCommand measures what a plugin calls by itself. "/<what> <callers> <nanoseconds> <size>" does it from that many
// callers for that long; the answer is how many calls there were, and the nanoseconds that all took, the median and the
// 99th percentile of one.
//
//   - create_posts: API.CreatePost
//   - list_posts: API.GetPostsForChannel with that many posts
//   - select_rows: a query for that many rows
func (p *Plugin) ExecuteCommand(_ *plugin.Context, args *model.CommandArgs) (*model.CommandResponse, *model.AppError) {
	words := strings.Fields(args.Command)
	var numbers []int
	for _, word := range words[1:] {
		number, err := strconv.Atoi(word)
		if err != nil {
			return nil, failure(err)
		}
		numbers = append(numbers, number)
	}
	callers, duration, size := numbers[0], time.Duration(numbers[1]), numbers[2]
	var once func() error
	switch words[0] {
	case "/create_posts":
		once = func() error {
			post := &model.Post{UserId: args.UserId, ChannelId: args.ChannelId, Message: "A message of ordinary length, created by a plugin."}
			_, appErr := p.API.CreatePost(post)
			return plain(appErr)
		}
	case "/list_posts":
		once = func() error {
			posts, appErr := p.API.GetPostsForChannel(args.ChannelId, 0, size)
			if appErr != nil {
				return appErr
			}
			return readPosts(posts, size)
		}
	case "/select_rows":
		db := p.open()
		defer db.Close()
		once = func() error { return selectRows(db, size) }
	default:
		return nil, failure(fmt.Errorf("what is %q?", words[0]))
	}
	took, err := timing.Repeat(callers, duration, once)
	if err != nil {
		return nil, failure(err)
	}
	return &model.CommandResponse{Text: fmt.Sprint(took.Calls, took.Elapsed.Nanoseconds(), took.Median.Nanoseconds(), took.P99.Nanoseconds())}, nil
}

// readPosts looks at each post, of which there are to be so many.
func readPosts(posts *model.PostList, size int) error {
	if len(posts.Order) != size {
		return fmt.Errorf("asked for %d posts and got %d", size, len(posts.Order))
	}
	for id, post := range posts.Posts {
		if post.Message == "" {
			return fmt.Errorf("the post %s has no message", id)
		}
	}
	return nil
}

// plain is an *AppError as an error that can be compared with nil.
func plain(appErr *model.AppError) error {
	if appErr == nil {
		return nil
	}
	return appErr
}

func failure(err error) *model.AppError {
	return model.NewAppError("ExecuteCommand", "benchmark.failed", nil, err.Error(), 500)
}
