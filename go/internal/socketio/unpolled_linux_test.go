package socketio

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/sockettest"
)

// What comes after a read in vain and before the poller hears of the socket is not missed.
func TestWhatComesJustBeforeWaitingIsNoticed(t *testing.T) {
	dialled, other := sockettest.Pair(t)
	raw, err := dialled.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	direct, err := newUnpolled(dialled, raw)
	require.NoError(t, err)
	defer func() { require.NoError(t, direct.close()) }()

	for range 3 {
		inVain := 0
		done := make(chan error, 1)
		go func() {
			done <- direct.read(func(fd uintptr) bool {
				if n, errno := read(fd, make([]byte, 8)); errno != syscall.EAGAIN {
					return n == 1
				}
				if inVain++; inVain == 2 {
					_, _ = other.Write([]byte("x")) // if it fails, it does not come
				}
				return false
			})
		}()
		select {
		case err := <-done:
			require.NoError(t, err)
			require.Equal(t, 2, inVain)
		case <-time.After(time.Minute):
			t.Fatal("it was missed")
		}
	}
}
