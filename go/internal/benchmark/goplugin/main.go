// Command goplugin is the rival of the benchmarks: a Mattermost plugin written in Go, over net/rpc, that does what the
// measured Python plugins do.
package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

type rival struct {
	plugin.MattermostPlugin
}

// MessageWillBePosted returns the post with its message changed.
func (r *rival) MessageWillBePosted(_ *plugin.Context, post *model.Post) (*model.Post, string) {
	post.Message += " (checked)"
	return post, ""
}

// ExecuteCommand measures the API: "/create_posts <callers> <calls>" calls CreatePost from that many callers, that many
// times in all, and answers with the nanoseconds it took.
func (r *rival) ExecuteCommand(_ *plugin.Context, args *model.CommandArgs) (*model.CommandResponse, *model.AppError) {
	words := strings.Fields(args.Command)
	callers, err := strconv.Atoi(words[1])
	if err != nil {
		return nil, model.NewAppError("ExecuteCommand", "benchmark.callers", nil, err.Error(), 400)
	}
	calls, err := strconv.Atoi(words[2])
	if err != nil {
		return nil, model.NewAppError("ExecuteCommand", "benchmark.calls", nil, err.Error(), 400)
	}
	failures := make(chan *model.AppError, callers)
	var done sync.WaitGroup
	start := time.Now()
	for range callers {
		done.Go(func() {
			for range calls / callers {
				post := &model.Post{UserId: args.UserId, ChannelId: args.ChannelId, Message: "A message of ordinary length, created by a plugin."}
				if _, appErr := r.API.CreatePost(post); appErr != nil {
					failures <- appErr
					return
				}
			}
		})
	}
	done.Wait()
	elapsed := time.Since(start)
	select {
	case appErr := <-failures:
		return nil, appErr
	default:
	}
	return &model.CommandResponse{Text: fmt.Sprint(elapsed.Nanoseconds())}, nil
}

func main() { plugin.ClientMain(&rival{}) }
