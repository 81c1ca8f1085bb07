package convert_test

import (
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

func samplePost() *model.Post {
	post := &model.Post{
		Id: model.NewId(), CreateAt: 1, UpdateAt: 2, UserId: model.NewId(), ChannelId: model.NewId(),
		Message: "A message as people write it, of some length.", Hashtags: "#a", FileIds: model.StringArray{model.NewId()},
	}
	post.SetProps(model.StringInterface{"from_webhook": "true", "count": 3, "at": int64(1700000000000)})
	return post
}

// parsed parses a copy: the message keeps what it is made of.
func parsed(b *testing.B, data []byte, into convert.Message) {
	if err := into.Parse(append([]byte(nil), data...)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkHook is what the host does for a hook that returns the post it got.
func BenchmarkHook(b *testing.B) {
	c := &plugin.Context{SessionId: model.NewId(), RequestId: model.NewId(), IPAddress: "192.0.2.1", UserAgent: "Mozilla/5.0"}
	post := samplePost()
	answer := (&convert.MessageWillBePostedResponse{Result: post}).Append(nil)
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = (&convert.MessageWillBePostedRequest{Context: c, Post: post}).Append(buffer[:0])
		out := new(convert.MessageWillBePostedResponse)
		parsed(b, answer, out)
		convert.Merged(post, out.Result, convert.MergePost)
	}
}

// BenchmarkAPICall is what the host does for a CreatePost.
func BenchmarkAPICall(b *testing.B) {
	request := (&convert.CreatePostRequest{Post: samplePost()}).Append(nil)
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		in := new(convert.CreatePostRequest)
		parsed(b, request, in)
		buffer = (&convert.CreatePostResponse{Result: in.Post}).Append(buffer[:0])
	}
}

func benchmarkType[T any](b *testing.B, in *T, add func([]byte, *T) []byte, parse func([]byte, *T) error) {
	data := add(nil, in)
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		var buffer []byte
		for b.Loop() {
			buffer = add(buffer[:0], in)
		}
	})
	b.Run("Parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := parse(append([]byte(nil), data...), new(T)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPost(b *testing.B) {
	benchmarkType(b, samplePost(), convert.AppendPost, convert.ParsePost)
}

func BenchmarkPostList(b *testing.B) {
	list := model.NewPostList()
	for range 1000 {
		list.AddPost(samplePost())
	}
	benchmarkType(b, list, convert.AppendPostList, convert.ParsePostList)
}

func BenchmarkUser(b *testing.B) {
	user := &model.User{
		Id: model.NewId(), Username: "someone", Email: "someone@example.com", Roles: "system_user", Locale: "en",
		Props: model.StringMap{"a": "b"}, NotifyProps: model.StringMap{"email": "true", "push": "mention"},
	}
	benchmarkType(b, user, convert.AppendUser, convert.ParseUser)
}

func BenchmarkConfigWithEveryFieldSet(b *testing.B) {
	config := new(model.Config)
	contracttest.NewFiller(1, false).Fill(config)
	benchmarkType(b, config, convert.AppendConfig, convert.ParseConfig)
}
