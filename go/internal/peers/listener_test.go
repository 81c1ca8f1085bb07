package peers_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/peers"
)

// The test binary is also the process of another user: it connects to the socket that dialVariable names.
const dialVariable = "PEERS_TEST_DIAL"

func TestMain(m *testing.M) {
	if path := os.Getenv(dialVariable); path != "" {
		fmt.Print(dial(path))
		return
	}
	os.Exit(m.Run())
}

// dial says what a process is told that connects.
func dial(path string) string {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	answer := make([]byte, 10)
	n, err := conn.Read(answer)
	if err != nil {
		return "closed"
	}
	return string(answer[:n])
}

// text is written to while it is read.
type text struct {
	lock sync.Mutex
	bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.Buffer.Write(p)
}

func (t *text) String() string {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.Buffer.String()
}

// serve greets whoever is accepted.
func serve(t *testing.T, group int) (path string, log *text) {
	t.Helper()
	dir, err := os.MkdirTemp("", "p") // another user has to get in
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	inner, err := net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	require.NoError(t, os.Chmod(inner.Addr().String(), 0o777))
	log = &text{}
	listener := peers.Own(inner, "a test", group, hclog.New(&hclog.LoggerOptions{Output: log}))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("welcome")) // it may have gone
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { inner.Close(); <-ended })
	return inner.Addr().String(), log
}

// another runs dial as another user.
func another(t *testing.T, path string, groups ...uint32) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for another user")
	}
	program := filepath.Join(filepath.Dir(path), "dial")
	binary, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, binary, 0o755))
	cmd := exec.Command(program)
	cmd.Dir, cmd.Env = "/", []string{dialVariable + "=" + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534, Groups: groups}}
	said, err := cmd.Output()
	require.NoError(t, err)
	return string(said)
}

func TestTheOwnUserIsAccepted(t *testing.T) {
	path, _ := serve(t, peers.NoGroup)
	require.Equal(t, "welcome", dial(path))
}

func TestAnotherUserIsRefused(t *testing.T) {
	path, log := serve(t, peers.NoGroup)
	require.Equal(t, "closed", another(t, path))
	require.Contains(t, log.String(), "of user 65534")
	require.Contains(t, log.String(), `socket="a test"`)
}

func TestOnlyMembersOfTheGroupAreAccepted(t *testing.T) {
	path, _ := serve(t, 54321)
	require.Equal(t, "closed", another(t, path))
	require.Equal(t, "welcome", another(t, path, 777, 54321))
	require.Equal(t, "welcome", dial(path))
	path, _ = serve(t, 65534)
	require.Equal(t, "welcome", another(t, path), "its first group")
}
