package plaincall_test

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
