package socketio

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What comes after a read in vain and before the poller hears of the socket is not missed.
func TestWhatComesJustBeforeWaitingIsNoticed(t *testing.T) {
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	defer listener.Close()
	dialled, err := net.Dial("unix", listener.Addr().String())
	require.NoError(t, err)
	other, err := listener.Accept()
	require.NoError(t, err)
	defer other.Close()
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
