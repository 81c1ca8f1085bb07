package socketio_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketio"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/sockettest"
)

// both runs a test with sockets that the runtime's poller knows only while somebody waits, and with ones that it knows.
func both(t *testing.T, test func(t *testing.T)) {
	for _, processors := range []int{2, 1} {
		t.Run(fmt.Sprintf("%d processors", processors), func(t *testing.T) {
			before := runtime.GOMAXPROCS(processors)
			defer runtime.GOMAXPROCS(before)
			test(t)
		})
	}
}

// pair returns both ends of a Unix socket, the first one as it is here.
func pair(t *testing.T) (*socketio.Conn, net.Conn) {
	t.Helper()
	dialled, accepted := sockettest.Pair(t)
	direct, err := socketio.New(dialled)
	require.NoError(t, err)
	t.Cleanup(func() { _ = direct.Close() }) // it may be closed
	return direct, accepted
}

func TestMoreThanTheSocketHoldsIsWrittenAsItIsRead(t *testing.T) {
	both(t, moreThanTheSocketHoldsIsWrittenAsItIsRead)
}

func moreThanTheSocketHoldsIsWrittenAsItIsRead(t *testing.T) {
	direct, other := pair(t)
	sent := bytes.Repeat([]byte("0123456789"), 1<<20)
	wrote := make(chan error, 1)
	go func() {
		n, err := direct.Write(sent)
		if err == nil && n != len(sent) {
			err = io.ErrShortWrite
		}
		wrote <- errors.Join(err, direct.CloseWrite())
	}()
	got, err := io.ReadAll(other)
	require.NoError(t, err)
	require.NoError(t, <-wrote)
	require.True(t, bytes.Equal(sent, got))
}

func TestReadingWaitsForOctetsAndThenForTheEnd(t *testing.T) {
	both(t, readingWaitsForOctetsAndThenForTheEnd)
}

func readingWaitsForOctetsAndThenForTheEnd(t *testing.T) {
	direct, other := pair(t)
	go func() {
		time.Sleep(10 * time.Millisecond)
		_, _ = other.Write([]byte("late"))
		_ = other.Close()
	}()
	got, err := io.ReadAll(direct)
	require.NoError(t, err)
	require.Equal(t, "late", string(got))
}

func TestTryingToReadDoesNotWait(t *testing.T) { both(t, tryingToReadDoesNotWait) }

func tryingToReadDoesNotWait(t *testing.T) {
	direct, other := pair(t)
	_, err := direct.TryRead(make([]byte, 8))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = other.Write([]byte("here"))
	require.NoError(t, err)
	buffer := make([]byte, 8)
	n, err := direct.TryRead(buffer)
	require.NoError(t, err)
	require.Equal(t, "here", string(buffer[:n]))
}

func TestClosingEndsWhoReadsAndWhoWrites(t *testing.T) { both(t, closingEndsWhoReadsAndWhoWrites) }

func closingEndsWhoReadsAndWhoWrites(t *testing.T) {
	direct, _ := pair(t)
	ended := make(chan error, 2)
	go func() {
		_, err := direct.Read(make([]byte, 8))
		ended <- err
	}()
	go func() {
		_, err := direct.Write(make([]byte, 8<<20))
		ended <- err
	}()
	time.Sleep(10 * time.Millisecond)
	require.NoError(t, direct.Close())
	require.ErrorIs(t, <-ended, net.ErrClosed)
	require.ErrorIs(t, <-ended, net.ErrClosed)
}

func TestAWriterHearsThatNobodyReadsAnyMore(t *testing.T) {
	both(t, aWriterHearsThatNobodyReadsAnyMore)
}

func aWriterHearsThatNobodyReadsAnyMore(t *testing.T) {
	direct, other := pair(t)
	require.NoError(t, other.Close())
	_, err := direct.Write([]byte("to nobody"))
	require.Error(t, err)
}

func TestBothSidesWaitForEachOtherAgainAndAgain(t *testing.T) { both(t, bothSidesWait) }

func bothSidesWait(t *testing.T) {
	direct, other := pair(t)
	const rounds = 2000
	answered := make(chan error, 1)
	go func() {
		buffer := make([]byte, 1)
		for round := range rounds {
			if _, err := io.ReadFull(other, buffer); err != nil {
				answered <- err
				return
			}
			if round%100 == 0 {
				time.Sleep(time.Millisecond)
			}
			if _, err := other.Write(buffer); err != nil {
				answered <- err
				return
			}
		}
		answered <- nil
	}()
	for round := range rounds {
		_, err := direct.Write([]byte{byte(round)})
		require.NoError(t, err)
		got := make([]byte, 1)
		_, err = io.ReadFull(direct, got)
		require.NoError(t, err)
		require.Equal(t, byte(round), got[0])
	}
	require.NoError(t, <-answered)
}

func TestReadingWhileAWriterWaits(t *testing.T) { both(t, readingWhileAWriterWaits) }

func readingWhileAWriterWaits(t *testing.T) {
	direct, other := pair(t)
	sent := bytes.Repeat([]byte("0123456789"), 1<<20)
	wrote := make(chan error, 1)
	go func() {
		_, err := direct.Write(sent)
		wrote <- err
	}()
	for range 100 { // the writer waits all the while
		_, err := other.Write([]byte("x"))
		require.NoError(t, err)
		_, err = direct.Read(make([]byte, 1))
		require.NoError(t, err)
	}
	got := make([]byte, len(sent))
	_, err := io.ReadFull(other, got)
	require.NoError(t, err)
	require.NoError(t, <-wrote)
	require.True(t, bytes.Equal(sent, got))
}

func TestClosingAtAnyMoment(t *testing.T) { both(t, closingAtAnyMoment) }

func closingAtAnyMoment(t *testing.T) {
	for round := range 200 {
		direct, other := pair(t)
		var ending sync.WaitGroup
		ending.Go(func() {
			for buffer := make([]byte, 64); ; {
				if _, err := direct.Read(buffer); err != nil {
					assert.ErrorIs(t, err, net.ErrClosed)
					return
				}
			}
		})
		ending.Go(func() {
			for {
				if _, err := direct.Write(make([]byte, 1000)); err != nil {
					assert.ErrorIs(t, err, net.ErrClosed)
					return
				}
			}
		})
		ending.Go(func() {
			for {
				if _, err := other.Write([]byte("some")); err != nil {
					return
				}
			}
		})
		time.Sleep(time.Duration(round) * 5 * time.Microsecond)
		require.NoError(t, direct.Close())
		require.ErrorIs(t, direct.Close(), net.ErrClosed)
		ending.Wait()
	}
}

func TestNothingIsLeftOfAClosedSocket(t *testing.T) { both(t, nothingIsLeft) }

func nothingIsLeft(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("the system does not tell which descriptors are open")
		}
		return len(entries)
	}
	direct, other := pair(t)
	require.NoError(t, errors.Join(direct.Close(), other.Close()))
	before := open()
	for range 20 {
		direct, other := pair(t)
		ended := make(chan error, 1)
		go func() {
			_, err := direct.Write(make([]byte, 8<<20))
			ended <- err
		}()
		_, err := io.ReadFull(other, make([]byte, 1<<20))
		require.NoError(t, err)
		require.NoError(t, errors.Join(direct.Close(), other.Close()))
		require.Error(t, <-ended)
	}
	require.LessOrEqual(t, open(), before)
}

func TestOnlySocketsOfTheSystemAreTaken(t *testing.T) {
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	_, err := socketio.New(one)
	require.ErrorContains(t, err, "no socket of the system")
}
