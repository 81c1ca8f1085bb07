package netrpcwire

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/sockettest"
)

// Values are arguments and results that gob refuses if there is something in them that it does not know.
type Values struct {
	Any  any
	List []*int
}

// Arguments are of a call.
type Arguments struct {
	Text string
	N    int
}

// Plugin is a service for both servers.
type Plugin struct {
	waiting sync.WaitGroup // calls of Wait that have come
	release chan struct{}
}

func newPlugin() *Plugin { return &Plugin{release: make(chan struct{})} }

// Repeat returns a text N times.
func (*Plugin) Repeat(args *Arguments, reply *string) error {
	*reply = strings.Repeat(args.Text, args.N)
	return nil
}

// Fail fails with the text.
func (*Plugin) Fail(args *Arguments, _ *string) error { return errors.New(args.Text) }

// Same returns what it is given.
func (*Plugin) Same(args *Values, reply *Values) error {
	*reply = *args
	return nil
}

// Refused returns what gob does not encode, behind types that nothing else has described.
func (*Plugin) Refused(args *Arguments, reply *Values) error {
	*reply = refused()
	return nil
}

// List returns a list.
func (*Plugin) List(args *Arguments, reply *[]string) error {
	for i := range args.N {
		*reply = append(*reply, fmt.Sprint(args.Text, i))
	}
	return nil
}

// Wait returns when it is released.
func (p *Plugin) Wait(args *Arguments, reply *int) error {
	p.waiting.Done()
	<-p.release
	*reply = args.N
	return nil
}

func (p *Plugin) methods() map[string]Method {
	return map[string]Method{
		"Plugin.Repeat": Of(p.Repeat), "Plugin.Fail": Of(p.Fail), "Plugin.Same": Of(p.Same), "Plugin.Refused": Of(p.Refused),
		"Plugin.List": Of(p.List), "Plugin.Wait": Of(p.Wait),
	}
}

// Known is registered, and so are maps and lists.
type Known struct{ Inner any }

func init() {
	for _, value := range types {
		gob.Register(value)
	}
}

// types are those that values may have within interfaces.
var types = []any{Known{}, map[string]any{}, []any{}}

func nested() Values { return Values{Any: []any{map[string]any{"a": Known{Inner: []any{1}}}}} }

// refused has a nil element behind values whose types are described within it.
func refused() Values {
	out := nested()
	out.List = []*int{nil}
	return out
}

// over are the ways from a client to a server in which one of them, or both, are of this package.
var over = map[string]func(t testing.TB, plugin *Plugin) *rpc.Client{
	"net/rpc's client": func(t testing.TB, plugin *Plugin) *rpc.Client {
		near, far := sockettest.Pair(t)
		go Serve(near, plugin.methods(), hclog.NewNullLogger(), types...)
		return rpc.NewClient(far)
	},
	"net/rpc's server": func(t testing.TB, plugin *Plugin) *rpc.Client {
		near, far := sockettest.Pair(t)
		go netRPC(t, plugin).ServeConn(near)
		return NewClient(far, types...).Client
	},
	"both": func(t testing.TB, plugin *Plugin) *rpc.Client {
		near, far := sockettest.Pair(t)
		go Serve(near, plugin.methods(), hclog.NewNullLogger(), types...)
		return NewClient(far, types...).Client
	},
}

func netRPC(t testing.TB, plugin *Plugin) *rpc.Server {
	server := rpc.NewServer()
	require.NoError(t, server.RegisterName("Plugin", plugin))
	return server
}

// judge is a client of net/rpc's, of a server of net/rpc's.
func judge(t testing.TB) *rpc.Client {
	near, far := sockettest.Pair(t)
	go netRPC(t, newPlugin()).ServeConn(near)
	client := rpc.NewClient(far)
	t.Cleanup(func() { client.Close() })
	return client
}

func eachWay(t *testing.T, test func(t *testing.T, client *rpc.Client, plugin *Plugin)) {
	for name, connect := range over {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			plugin := newPlugin()
			client := connect(t, plugin)
			test(t, client, plugin)
			client.Close() // it may have ended
			settled(t, before)
		})
	}
}

// settled waits until there are no more goroutines than before.
func settled(t testing.TB, before int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestCallsEndAsTheyDoOverNetRPC(t *testing.T) {
	calls := []struct {
		method string
		args   any
		reply  func() any
	}{
		{"Plugin.Repeat", &Arguments{"ab", 3}, func() any { return new(string) }},
		{"Plugin.Repeat", &Arguments{}, func() any { return new(string) }},
		{"Plugin.List", &Arguments{"x", 3}, func() any { return new([]string) }},
		{"Plugin.List", &Arguments{}, func() any { return new([]string) }},
		{"Plugin.Same", &Values{Any: Known{Inner: 5}}, func() any { return new(Values) }},
		{"Plugin.Fail", &Arguments{Text: "a reason"}, func() any { return new(string) }},
		{"Plugin.Nothing", &Arguments{}, func() any { return new(string) }},
		{"Other.Repeat", &Arguments{}, func() any { return new(string) }},
		{"Plugin.Repeat.More", &Arguments{}, func() any { return new(string) }},
		{"Repeat", &Arguments{}, func() any { return new(string) }},
		{"", &Arguments{}, func() any { return new(string) }},
		{"Plugin.Repeat", 5, func() any { return new(string) }},
		{"Plugin.Repeat", &struct{ Text int }{5}, func() any { return new(string) }},
		{"Plugin.Repeat", &struct{ Foreign int }{5}, func() any { return new(string) }},
		{"Plugin.Repeat", &struct{}{}, func() any { return new(string) }},
		{"Plugin.Repeat", &Arguments{"ab", 2}, func() any { return new(string) }},
		{"Plugin.Nothing", &Values{Any: []any{1}}, func() any { return new(string) }},
		{"Plugin.Same", &Values{Any: []any{2}}, func() any { return new(Values) }},
	}
	type end struct {
		reply any
		err   error
	}
	ends := func(client *rpc.Client) (out []end) {
		for _, call := range calls {
			reply := call.reply()
			out = append(out, end{err: client.Call(call.method, call.args, reply), reply: reply})
		}
		return out
	}
	want := ends(judge(t))
	eachWay(t, func(t *testing.T, client *rpc.Client, _ *Plugin) {
		for i, got := range ends(client) {
			require.Equal(t, want[i], got, "%s(%+v)", calls[i].method, calls[i].args)
		}
	})
}

func TestManyCallsRunSideBySide(t *testing.T) {
	const calls = 3 * maxIdle
	eachWay(t, func(t *testing.T, client *rpc.Client, plugin *Plugin) {
		plugin.waiting.Add(calls)
		done := make(chan *rpc.Call, calls)
		replies := make([]int, calls)
		for i := range calls {
			client.Go("Plugin.Wait", &Arguments{N: i + 1}, &replies[i], done)
		}
		plugin.waiting.Wait()
		var text string
		require.NoError(t, client.Call("Plugin.Repeat", &Arguments{"x", 2}, &text), "others are answered meanwhile")
		close(plugin.release)
		for range calls {
			require.NoError(t, (<-done).Error)
		}
		for i, reply := range replies {
			require.Equal(t, i+1, reply)
		}
	})
}

func TestManyCallersHaveTheirOwnAnswers(t *testing.T) {
	eachWay(t, func(t *testing.T, client *rpc.Client, _ *Plugin) {
		var callers sync.WaitGroup
		for i := range 64 {
			callers.Go(func() {
				for n := range 50 {
					var got string
					text := fmt.Sprint(i, ".", n, " ")
					if err := client.Call("Plugin.Repeat", &Arguments{text, n}, &got); err != nil || got != strings.Repeat(text, n) {
						t.Errorf("got %q, %v", got, err)
					}
				}
			})
		}
		callers.Wait()
	})
}

func TestLargeMessagesArriveWhole(t *testing.T) {
	eachWay(t, func(t *testing.T, client *rpc.Client, _ *Plugin) {
		for _, size := range []int{maxBuffer - 1, 3 * maxBuffer, 10, 30 * maxBuffer} {
			var got Values
			text := strings.Repeat("0123456789", size/10)
			require.NoError(t, client.Call("Plugin.Same", &Values{Any: text}, &got))
			require.True(t, got.Any == text)
		}
	})
}

func TestAnAnswerThatGobRefusesFailsAlone(t *testing.T) {
	for _, way := range []string{"net/rpc's client", "both"} {
		t.Run(way, func(t *testing.T) {
			client := over[way](t, newPlugin())
			for range 3 {
				err := client.Call("Plugin.Refused", &Arguments{}, new(Values))
				require.ErrorContains(t, err, "gob: ")
				var got Values
				require.NoError(t, client.Call("Plugin.Same", &Values{Any: nested().Any}, &got))
				require.Equal(t, nested(), got)
				var text string
				require.NoError(t, client.Call("Plugin.Repeat", &Arguments{"x", 2}, &text))
			}
		})
	}
}

func TestArgumentsThatGobRefusesFailAlone(t *testing.T) {
	for _, way := range []string{"net/rpc's server", "both"} {
		t.Run(way, func(t *testing.T) {
			client := over[way](t, newPlugin())
			for range 3 {
				refused := refused()
				require.ErrorContains(t, client.Call("Plugin.Same", &refused, new(Values)), "gob: ")
				require.ErrorContains(t, client.Call("Plugin.Same", &Values{Any: struct{ X int }{}}, new(Values)), "gob: ")
				require.Error(t, client.Call("Plugin.Same", make(chan int), new(Values)))
				var got Values
				require.NoError(t, client.Call("Plugin.Same", &Values{Any: nested().Any}, &got))
				require.Equal(t, nested(), got)
			}
		})
	}
}

func TestCallsThatRunAreAnsweredThoughNoMoreCome(t *testing.T) {
	near, far := sockettest.Pair(t)
	plugin := newPlugin()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Serve(near, plugin.methods(), hclog.NewNullLogger())
	}()
	client := NewClient(far)
	plugin.waiting.Add(1)
	var reply int
	call := client.Go("Plugin.Wait", &Arguments{N: 5}, &reply, nil)
	plugin.waiting.Wait()
	require.NoError(t, far.(*net.UnixConn).CloseWrite())
	select {
	case <-ended:
		t.Fatal("serving ended while a call ran")
	default:
	}
	close(plugin.release)
	require.NoError(t, (<-call.Done).Error)
	require.Equal(t, 5, reply)
	<-ended
	require.Error(t, client.Call("Plugin.Repeat", &Arguments{}, new(string)))
}

func TestServingEndsWithOctetsThatAreNoRequest(t *testing.T) {
	for name, octets := range map[string][]byte{
		"no gob at all":    bytes.Repeat([]byte{0xff}, 100),
		"another value":    encodedAs(t, 5),
		"half a request":   encodedAs(t, &rpc.Request{ServiceMethod: "Plugin.Repeat", Seq: 1})[:20],
		"only the request": encodedAs(t, &rpc.Request{ServiceMethod: "Plugin.Repeat", Seq: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			near, far := sockettest.Pair(t)
			_, err := far.Write(octets)
			require.NoError(t, err)
			require.NoError(t, far.(*net.UnixConn).CloseWrite())
			Serve(near, newPlugin().methods(), hclog.NewNullLogger())
			_, err = near.Write([]byte{1})
			require.ErrorIs(t, err, net.ErrClosed)
		})
	}
}

func encodedAs(t *testing.T, value any) []byte {
	var out bytes.Buffer
	require.NoError(t, gob.NewEncoder(&out).Encode(value))
	return out.Bytes()
}

func TestGoroutinesStayForFurtherCallsAndEndWithTheStream(t *testing.T) {
	before := runtime.NumGoroutine()
	near, far := sockettest.Pair(t)
	plugin := newPlugin()
	go Serve(near, plugin.methods(), hclog.NewNullLogger())
	client := rpc.NewClient(far)
	const calls = 2 * maxIdle
	plugin.waiting.Add(calls)
	done := make(chan *rpc.Call, calls)
	for range calls {
		client.Go("Plugin.Wait", &Arguments{}, new(int), done)
	}
	plugin.waiting.Wait()
	close(plugin.release)
	for range calls {
		<-done
	}
	settled(t, before+2+maxIdle)
	for range calls {
		require.NoError(t, client.Call("Plugin.Repeat", &Arguments{"x", 1}, new(string)))
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before+2+maxIdle)
	require.NoError(t, client.Close())
	settled(t, before)
}

// failing is a stream on which nothing can be written.
type failing struct{ io.ReadWriteCloser }

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestACallThatCannotBeSentSaysWhy(t *testing.T) {
	near, _ := sockettest.Pair(t)
	client := NewClient(failing{near})
	require.ErrorIs(t, client.Call("Plugin.Repeat", &Arguments{}, new(string)), io.ErrClosedPipe)
}
