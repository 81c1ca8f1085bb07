//go:build unix

package socketdir_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketdir"
)

// A process started with this variable makes a directory and is killed without a chance to remove it.
const ownerVariable = "SOCKETDIR_TEST_OWNER"

func TestMain(m *testing.M) {
	if os.Getenv(ownerVariable) == "" {
		os.Exit(m.Run())
	}
	dir, err := socketdir.Create("sweep-me-")
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(dir.Path + "\n")
	select {}
}

func TestDirectoryIsPrivateAndRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir, err := socketdir.Create("mine-")
	require.NoError(t, err)
	info, err := os.Stat(dir.Path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.NoError(t, dir.Remove())
	require.NoDirExists(t, dir.Path)
}

func TestSweepRemovesOnlyWhatADeadOwnerLeft(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	mine, err := socketdir.Create("sweep-me-")
	require.NoError(t, err)
	defer func() { require.NoError(t, mine.Remove()) }()
	foreign := filepath.Join(os.TempDir(), "sweep-me-not-a-socketdir")
	require.NoError(t, os.Mkdir(foreign, 0o700))

	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerVariable+"=1")
	stdout, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line := make([]byte, 4096)
	n, err := stdout.Read(line)
	require.NoError(t, err)
	left := string(line[:n-1])

	require.NoError(t, socketdir.Sweep("sweep-me-"))
	require.DirExists(t, left, "its owner is alive")

	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	require.NoError(t, socketdir.Sweep("sweep-me-"))
	require.NoDirExists(t, left)
	require.DirExists(t, mine.Path)
	require.DirExists(t, foreign)
}
