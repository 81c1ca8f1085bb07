package service

import (
	"context"
	"errors"
	"sync"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpcwire"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
)

// Beginner is a connection that can begin a call of a hook now, without anybody who waits for it; see plaincall.Conn.Begin.
type Beginner interface {
	Begin(method string, deadline time.Time, args plaincall.Message, then func(data []byte, failure error)) bool
}

// requestOf is a function that makes a request of arguments.
func requestOf[Args, Request any, P message[Request]](make func(*Args) *Request) func(args any) convert.Message {
	return func(args any) convert.Message { return P(make(args.(*Args))) }
}

// begunHooks has hooks begun that go on to the plugin as they come, if the client's connection is a Beginner.
//
// What becomes of the response is the same as if the hook were called: it is called once more, of a client whose connection
// has the response already.
func begunHooks(methods map[string]netrpcwire.Method, client *HooksClient, broker *goplugin.MuxBroker) error {
	if client.beginner == nil {
		return nil
	}
	responses, answered := &received{}, *client
	answered.conn = responses
	answered.options.Deadline = nil // it has been kept
	replies, err := repliesOf(&answered, broker)
	if err != nil {
		return err
	}
	for hook, request := range hookRequests {
		id, path, name := hookIDs[hook], hooksPath+hook, netRPCName(hook)
		reply := replies[name]
		methods[name] = methods[name].Begun(func(args, returns any, then func(error)) bool {
			if !client.has(id) {
				return false
			}
			var deadline time.Time
			if limit := client.limit(hook); limit > 0 {
				deadline = time.Now().Add(limit)
			}
			return client.beginner.Begin(path, deadline, request(args), func(data []byte, failure error) {
				if errors.Is(failure, plaincall.ErrNotMade) {
					then(netrpcwire.ErrAgain)
					return
				}
				then(responses.use(data, failure, func() error { return reply.Call(args, returns) }))
			})
		})
	}
	return nil
}

// repliesOf returns what Mattermost's net/rpc server of the hooks does for a client.
func repliesOf(client *HooksClient, broker *goplugin.MuxBroker) (map[string]netrpcwire.Method, error) {
	server, err := NetRPCConfig(withoutAPI{client}).Plugins[handshake.Hooks].Server(broker)
	if err != nil {
		return nil, err
	}
	hooks, err := hooksOf(server)
	if err != nil {
		return nil, err
	}
	return netRPCMethods(&netRPCHooks{NetRPCHooks: hooks}), nil
}

// withoutAPI has what plugin.ClientMain wants of a plugin.
type withoutAPI struct{ *HooksClient }

func (withoutAPI) SetAPI(plugin.API)       {}
func (withoutAPI) SetDriver(plugin.Driver) {}

// received is a connection whose next response is there already.
type received struct {
	lock    sync.Mutex // one response at a time
	data    []byte
	failure error
}

// use runs what makes a call.
func (r *received) use(data []byte, failure error, call func() error) error {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.data, r.failure = data, failure
	err := call()
	r.data = nil
	return err
}

// Invoke implements grpc.ClientConnInterface.
func (r *received) Invoke(_ context.Context, method string, _, reply any, _ ...grpc.CallOption) error {
	if r.failure != nil {
		return r.failure
	}
	if err := reply.(convert.Message).Parse(r.data); err != nil {
		return status.Errorf(codes.Internal, "the response of %s cannot be read: %v", method, err)
	}
	return nil
}

// NewStream implements grpc.ClientConnInterface.
func (*received) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("hooks with streams are not begun")
}
