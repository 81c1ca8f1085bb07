package plaincall_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/deadline"
)

func TestTheCallThatReadsLeavesTheReadingToThoseThatStillWait(t *testing.T) {
	release := make(chan struct{})
	b := start(t, func(_ context.Context, id string) (string, error) {
		if id == "slow" {
			<-release
		}
		return id, nil
	})
	first := make(chan string)
	go func() {
		got, err := b.call(context.Background(), "first")
		if err != nil {
			got = err.Error()
		}
		first <- got
	}()
	require.Equal(t, "first", <-first)

	slow := make(chan string)
	go func() {
		got, err := b.call(context.Background(), "slow")
		if err != nil {
			got = err.Error()
		}
		slow <- got
	}()
	for range 50 { // while the slow one reads for all of them
		got, err := b.call(context.Background(), "quick")
		require.NoError(t, err)
		require.Equal(t, "quick", got)
	}
	close(release)
	require.Equal(t, "slow", <-slow)
	require.EqualValues(t, 1, b.dialled.Load())
	require.Zero(t, b.general.calls.Load())
}

func TestTheCallThatReadsEndsAtItsDeadlineAndOthersGoOn(t *testing.T) {
	release := make(chan struct{})
	b := start(t, func(ctx context.Context, id string) (string, error) {
		select {
		case <-release:
			return id, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	short := make(chan error)
	go func() {
		_, err := b.call(deadline.After(200*time.Millisecond), "short")
		short <- err
	}()
	long := make(chan string)
	go func() {
		got, err := b.call(deadline.After(time.Minute), "long")
		if err != nil {
			got = err.Error()
		}
		long <- got
	}()
	require.Equal(t, codes.DeadlineExceeded, status.Code(<-short))
	close(release)
	require.Equal(t, "long", <-long)
	require.Zero(t, b.general.calls.Load())
}

func TestCallsWithChangingDeadlinesEachKeepTheirOwn(t *testing.T) {
	b := start(t, func(ctx context.Context, id string) (string, error) {
		if id == "" {
			<-ctx.Done()
			return "", ctx.Err()
		}
		return id, nil
	})
	for range 3 {
		got, err := b.call(deadline.After(time.Minute), "x")
		require.NoError(t, err)
		require.Equal(t, "x", got)
		_, err = b.call(deadline.After(50*time.Millisecond), "")
		require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		got, err = b.call(context.Background(), "y")
		require.NoError(t, err)
		require.Equal(t, "y", got)
	}
	require.EqualValues(t, 1, b.dialled.Load())
}

func TestAConnectionThatEndedBetweenCallsIsMadeAnewWithoutAFailure(t *testing.T) {
	b := start(t, echo)
	_, err := b.call(t.Context(), "one")
	require.NoError(t, err)
	for range 3 {
		b.disconnect()
		time.Sleep(150 * time.Millisecond) // beyond this a link is looked at before it is used
		got, err := b.call(context.Background(), "again")
		require.NoError(t, err)
		require.Equal(t, "again", got)
	}
	require.EqualValues(t, 4, b.dialled.Load())
	require.Zero(t, b.general.calls.Load())
}

func TestACallThatCannotBeWrittenIsMadeTheGeneralWay(t *testing.T) {
	b := start(t, echo)
	_, err := b.call(t.Context(), "one")
	require.NoError(t, err)
	b.disconnect() // and the next call follows at once
	got, err := b.call(context.Background(), "two")
	require.NoError(t, err)
	require.Equal(t, "two", got)
}

func TestNobodyReadsBetweenCalls(t *testing.T) {
	b := start(t, func(_ context.Context, id string) (string, error) {
		if id == "slow" {
			time.Sleep(time.Millisecond) // longer than a call looks for its response: a goroutine of its own reads
		}
		return id, nil
	})
	for _, id := range []string{"quick", "slow"} {
		for range 100 {
			_, err := b.call(context.Background(), id)
			require.NoError(t, err)
		}
		requireNobodyReads(t) // what read for the last call may still be ending
	}
	require.EqualValues(t, 1, b.dialled.Load())
}
