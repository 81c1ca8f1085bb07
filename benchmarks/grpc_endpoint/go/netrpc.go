package main

import (
	"fmt"
	"net"
	"net/rpc"

	"github.com/hashicorp/yamux"
)

// Post is about what a post is to gob: what a hook of a Go plugin gets and returns.
type Post struct {
	ID, UserID, ChannelID, RootID, Message, Type, Hashtags, PendingPostID string
	CreateAt, UpdateAt, EditAt, DeleteAt                                  int64
	IsPinned, HasReactions                                                bool
	Props                                                                 map[string]any
	FileIDs                                                               []string
}

// Hooks is the service behind net/rpc.
type Hooks struct{}

// MessageWillBePosted returns the post as it came.
func (Hooks) MessageWillBePosted(post *Post, result *Post) error {
	*result = *post
	return nil
}

func netrpcServe(path string) error {
	listener, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Println("ready")
	conn, err := listener.Accept()
	if err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	session, err := yamux.Server(conn, yamux.DefaultConfig())
	if err != nil {
		return fmt.Errorf("yamux: %w", err)
	}
	stream, err := session.Accept()
	if err != nil {
		return fmt.Errorf("accept stream: %w", err)
	}
	server := rpc.NewServer()
	if err := server.Register(Hooks{}); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	server.ServeConn(stream)
	return nil
}

func netrpcClient(path string) error {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	session, err := yamux.Client(conn, yamux.DefaultConfig())
	if err != nil {
		return fmt.Errorf("yamux: %w", err)
	}
	stream, err := session.Open()
	if err != nil {
		return fmt.Errorf("open stream: %w", err)
	}
	client := rpc.NewClient(stream)
	defer client.Close()
	post := &Post{
		ID: "8fw5k5p8btnu5kgtn9ywk8nkjo", UserID: "8fw5k5p8btnu5kgtn9ywk8nkja", ChannelID: "8fw5k5p8btnu5kgtn9ywk8nkjb",
		Message: "a message of a usual length, as people write them", CreateAt: 1_700_000_000_000, UpdateAt: 1_700_000_000_000,
	}
	return measure(func([]byte) error {
		var result Post
		return client.Call("Hooks.MessageWillBePosted", post, &result)
	})
}
