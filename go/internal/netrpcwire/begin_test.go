package netrpcwire

import (
	"errors"
	"io"
	"net"
	"net/rpc"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/sockettest"
)

// connectClient returns a client of a server of net/rpc's, and that one's end of the connection.
func connectClient(t testing.TB, plugin *Plugin) (*Client, net.Conn) {
	near, far := sockettest.Pair(t)
	go netRPC(t, plugin).ServeConn(near)
	client := NewClient(far, types...)
	t.Cleanup(func() { client.Close() })
	return client, near
}

// begun begins a call and waits for its end.
func (c *Client) begun(t testing.TB, method string, args, reply any) error {
	t.Helper()
	ended := make(chan error, 1)
	require.True(t, c.Begin(method, args, reply, func(failure error) { ended <- failure }))
	return <-ended
}

func TestCallsThatAreBegunAndCallsOfNetRPCShareAConnection(t *testing.T) {
	client, _ := connectClient(t, newPlugin())
	var all sync.WaitGroup
	for n := range 200 {
		text := strings.Repeat("x", n%7*n)
		all.Go(func() {
			var reply string
			if n%2 == 0 {
				require.NoError(t, client.Call("Plugin.Repeat", &Arguments{text, 3}, &reply))
			} else {
				require.NoError(t, client.begun(t, "Plugin.Repeat", &Arguments{text, 3}, &reply))
			}
			require.Equal(t, strings.Repeat(text, 3), reply)
		})
	}
	all.Wait()
}

func TestACallThatWasBegunFailsAsOneOfNetRPC(t *testing.T) {
	client, _ := connectClient(t, newPlugin())
	for method, args := range map[string]any{"Plugin.Fail": &Arguments{Text: "it failed"}, "Plugin.None": &Arguments{}} {
		var reply string
		want := client.Call(method, args, &reply)
		require.IsType(t, rpc.ServerError(""), want)
		require.Equal(t, want, client.begun(t, method, args, &reply))
	}
	require.NoError(t, client.begun(t, "Plugin.Repeat", &Arguments{"a", 1}, new(string)))
}

func TestWhatGobRefusesIsNotBegun(t *testing.T) {
	client, _ := connectClient(t, newPlugin())
	for range 3 {
		args := refused()
		require.False(t, client.Begin("Plugin.Same", &args, new(Values), func(error) { t.Error("it was not begun") }))
		args, reply := nested(), new(Values)
		require.NoError(t, client.begun(t, "Plugin.Same", &args, reply))
		require.Equal(t, args, *reply)
	}
}

func TestALargeReplyDoesNotHoldOthersUp(t *testing.T) {
	client, _ := connectClient(t, newPlugin())
	release, ended := make(chan struct{}), make(chan struct{})
	var large string
	require.True(t, client.Begin("Plugin.Repeat", &Arguments{"x", 1 << 20}, &large, func(failure error) {
		<-release
		require.NoError(t, failure)
		require.Len(t, large, 1<<20)
		close(ended)
	}))
	require.NoError(t, client.begun(t, "Plugin.Repeat", &Arguments{"a", 1}, new(string)))
	close(release)
	<-ended
}

func TestWhatWasBegunEndsWithTheConnection(t *testing.T) {
	plugin := newPlugin()
	plugin.waiting.Add(2)
	client, server := connectClient(t, plugin)
	ended := make(chan error)
	for range 2 {
		require.True(t, client.Begin("Plugin.Wait", &Arguments{}, new(int), func(failure error) { ended <- failure }))
	}
	plugin.waiting.Wait()
	require.NoError(t, server.Close())
	for range 2 {
		require.ErrorIs(t, <-ended, io.ErrUnexpectedEOF)
	}
	require.False(t, client.Begin("Plugin.Wait", &Arguments{}, new(int), func(error) {}))
	close(plugin.release)
}

// TestMethodsAreBegunWhileOthersAreUnderWay has one that is begun, called, or both one after the other.
func TestMethodsAreBegunWhileOthersAreUnderWay(t *testing.T) {
	plugin := newPlugin()
	plugin.waiting.Add(1)
	methods := plugin.methods()
	type began struct {
		args  *Arguments
		reply *string
		then  func(error)
	}
	begun := make(chan began, 1)
	methods["Plugin.Repeat"] = methods["Plugin.Repeat"].Begun(func(args, reply any, then func(error)) bool {
		call := began{args.(*Arguments), reply.(*string), then}
		if call.args.Text == "called" {
			return false
		}
		begun <- call
		return true
	})
	near, far := sockettest.Pair(t)
	served := make(chan struct{})
	go func() {
		defer close(served)
		Serve(near, methods, hclog.NewNullLogger(), types...)
	}()
	client := rpc.NewClient(far)

	var reply string
	require.NoError(t, client.Call("Plugin.Repeat", &Arguments{"alone", 2}, &reply))
	require.Equal(t, "alonealone", reply)

	waiting := client.Go("Plugin.Wait", &Arguments{N: 7}, new(int), nil)
	plugin.waiting.Wait()
	require.NoError(t, client.Call("Plugin.Repeat", &Arguments{"called", 2}, &reply))
	require.Equal(t, "calledcalled", reply)

	for name, then := range map[string]func(began){
		"an answer": func(call began) { *call.reply = "it"; call.then(nil) },
		"again":     func(call began) { call.then(ErrAgain) },
		"a failure": func(call began) { call.then(errors.New("it failed")) },
	} {
		var reply string
		call := client.Go("Plugin.Repeat", &Arguments{name, 2}, &reply, nil)
		then(<-begun)
		err := (<-call.Done).Error
		switch name {
		case "an answer":
			require.NoError(t, err)
			require.Equal(t, "it", reply)
		case "again":
			require.NoError(t, err)
			require.Equal(t, "againagain", reply)
		default:
			require.EqualError(t, err, "it failed")
		}
	}

	close(plugin.release)
	require.NoError(t, (<-waiting.Done).Error)
	require.NoError(t, client.Close())
	<-served
}

func TestServingEndsWhenWhatWasBegunHas(t *testing.T) {
	plugin := newPlugin()
	plugin.waiting.Add(1)
	methods := plugin.methods()
	begun := make(chan func(error), 1)
	methods["Plugin.Repeat"] = methods["Plugin.Repeat"].Begun(func(_, _ any, then func(error)) bool {
		begun <- then
		return true
	})
	near, far := sockettest.Pair(t)
	served := make(chan struct{})
	go func() {
		defer close(served)
		Serve(near, methods, hclog.NewNullLogger())
	}()
	client := rpc.NewClient(far)
	client.Go("Plugin.Wait", &Arguments{}, new(int), nil)
	plugin.waiting.Wait()
	client.Go("Plugin.Repeat", &Arguments{}, new(string), nil)
	then := <-begun
	require.NoError(t, client.Close())
	close(plugin.release)
	select {
	case <-served:
		t.Error("it ended before")
	default:
	}
	then(nil)
	<-served
}
