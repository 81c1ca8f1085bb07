package main

import (
	"errors"
	"fmt"
	"sync"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// api is the server's side: it answers at once, so that only the way there and back is measured. A method that no
// measured plugin calls is nil and would panic.
type api struct{ plugin.API }

func (api) CreatePost(post *model.Post) (*model.Post, *model.AppError) {
	created := post.Clone()
	created.Id, created.CreateAt, created.UpdateAt = anID, 1700000000000, 1700000000000
	return created, nil
}

// posts are lists of posts by their length; they are made once.
var posts sync.Map

func (api) GetPostsForChannel(_ string, _, perPage int) (*model.PostList, *model.AppError) {
	if list, found := posts.Load(perPage); found {
		return list.(*model.PostList), nil
	}
	list := model.NewPostList()
	for i := range perPage {
		post := &model.Post{
			Id: fmt.Sprintf("%026d", i), UserId: aUser, ChannelId: channel,
			Message: "A message of ordinary length, as people write them all day.", CreateAt: 1700000000000, UpdateAt: 1700000000000,
		}
		list.AddPost(post)
		list.AddOrder(post.Id)
	}
	posts.Store(perPage, list)
	return list, nil
}

func (api) GetServerVersion() string          { return model.CurrentVersion }
func (api) LoadPluginConfiguration(any) error { return nil }
func (api) LogDebug(string, ...any)           {}
func (api) LogInfo(string, ...any)            {}
func (api) LogWarn(string, ...any)            {}
func (api) LogError(string, ...any)           {}

// noDatabase is offered to plugins that use no database.
type noDatabase struct{ plugin.AppDriver }

func (noDatabase) ConnWithPluginID(bool, string) (string, error) {
	return "", errors.New("no database in a benchmark")
}
func (noDatabase) ShutdownConns(string) {}
