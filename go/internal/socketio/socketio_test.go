package socketio_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketio"
)

// pair returns both ends of a Unix socket, the first one as it is here.
func pair(t *testing.T) (*socketio.Conn, net.Conn) {
	t.Helper()
	dir, err := os.MkdirTemp("", "s") // short, as paths of Unix sockets must be
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	defer listener.Close()
	dialled, err := net.Dial("unix", listener.Addr().String())
	require.NoError(t, err)
	accepted, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = errors.Join(dialled.Close(), accepted.Close()) })
	direct, err := socketio.New(dialled)
	require.NoError(t, err)
	return direct, accepted
}

func TestMoreThanTheSocketHoldsIsWrittenAsItIsRead(t *testing.T) {
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

func TestTryingToReadDoesNotWait(t *testing.T) {
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

func TestClosingEndsWhoReadsAndWhoWrites(t *testing.T) {
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
	direct, other := pair(t)
	require.NoError(t, other.Close())
	_, err := direct.Write([]byte("to nobody"))
	require.Error(t, err)
}

func TestOnlySocketsOfTheSystemAreTaken(t *testing.T) {
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	_, err := socketio.New(one)
	require.ErrorContains(t, err, "no socket of the system")
}
