package plaincall_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

func TestAHandlerThatTakesLongHoldsNobodyUp(t *testing.T) {
	release := make(chan struct{})
	client, _ := serve(t, func(_ context.Context, key string) (string, error) {
		if key == "slow" {
			<-release
		}
		return key, nil
	})
	for round := range 5 {
		// One after the other, so that they are handled where they are read.
		for i := range 200 {
			got, err := delete(t.Context(), client, strconv.Itoa(i))
			require.NoError(t, err)
			require.Equal(t, strconv.Itoa(i), got)
		}
		slow := make(chan error)
		go func() {
			_, err := delete(context.Background(), client, "slow")
			slow <- err
		}()
		time.Sleep(time.Duration(round) * time.Millisecond)
		for range 50 {
			got, err := delete(t.Context(), client, "quick")
			require.NoError(t, err)
			require.Equal(t, "quick", got)
		}
		release <- struct{}{}
		require.NoError(t, <-slow)
	}
}

// gatherer is a connection that writes what it is given while it holds at once when it is released.
type gatherer struct {
	net.Conn
	lock  sync.Mutex
	holds bool
	held  []byte
}

func (g *gatherer) Write(data []byte) (int, error) {
	g.lock.Lock()
	defer g.lock.Unlock()
	if g.holds {
		g.held = append(g.held, data...)
		return len(data), nil
	}
	return g.Conn.Write(data)
}

func (g *gatherer) hold() {
	g.lock.Lock()
	defer g.lock.Unlock()
	g.holds = true
}

func (g *gatherer) release() error {
	g.lock.Lock()
	defer g.lock.Unlock()
	_, err := g.Conn.Write(g.held)
	g.holds, g.held = false, nil
	return err
}

func TestAmongCallsReadTogetherAHandlerThatTakesLongHoldsNobodyUp(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, 1)
	var connection *gatherer
	dial := grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(address, "unix://"))
		connection = &gatherer{Conn: conn}
		return connection, err
	})
	client, _ := serve(t, func(_ context.Context, key string) (string, error) {
		if key == "key slow" {
			entered <- struct{}{}
			<-release
		}
		return key, nil
	}, dial, grpc.WithInitialWindowSize(1<<20)) // a fixed one, so that no pings come whose answers take others along
	for round := range 21 {
		// So many quick ones that all of the next are handled in turn.
		for i := range 100 {
			_, err := delete(t.Context(), client, strconv.Itoa(i))
			require.NoError(t, err)
		}
		connection.hold()
		results := make(chan error, 41)
		begin := func(key string) {
			go func() {
				got, err := delete(t.Context(), client, key)
				if err == nil && got != key {
					err = fmt.Errorf("call %s got the answer %s", key, got)
				}
				results <- err
			}()
		}
		waitFor := func(keys int) {
			require.Eventually(t, func() bool {
				connection.lock.Lock()
				defer connection.lock.Unlock()
				return bytes.Count(connection.held, []byte("key ")) == keys
			}, time.Minute, time.Millisecond)
		}
		before := 2 * round // how many are read before the one that takes long: none, some, all
		for i := range 40 {
			if i == before {
				waitFor(i)
				begin("key slow")
				waitFor(i + 1)
			}
			begin("key " + strconv.Itoa(i))
		}
		if before == 40 {
			waitFor(40)
			begin("key slow")
		}
		waitFor(41)
		require.NoError(t, connection.release())
		<-entered
		for range 40 {
			require.NoError(t, <-results)
		}
		release <- struct{}{}
		require.NoError(t, <-results)
	}
}

func TestCallersThatTakeTurnsOnOneConnectionGetTheirOwnAnswers(t *testing.T) {
	client, _ := serve(t, func(_ context.Context, key string) (string, error) {
		if n, _ := strconv.Atoi(key); n%97 == 0 {
			time.Sleep(3 * time.Millisecond) // longer than the watch waits
		}
		return key, nil
	})
	for callers := 1; callers <= 8; callers *= 2 {
		var done sync.WaitGroup
		for caller := range callers {
			done.Go(func() {
				for i := range 500 {
					key := strconv.Itoa(caller*1000 + i)
					got, err := delete(t.Context(), client, key)
					require.NoError(t, err)
					require.Equal(t, key, got)
				}
			})
		}
		done.Wait()
	}
}

func TestStoppingEndsTheWatch(t *testing.T) {
	before := runtime.NumGoroutine()
	client, server := serve(t, echo)
	for range 100 {
		_, err := delete(t.Context(), client, "x")
		require.NoError(t, err)
	}
	server.Stop()
	// What remains is the client of grpc-go, which the end of the test closes.
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+8 }, time.Minute, 10*time.Millisecond)
}
