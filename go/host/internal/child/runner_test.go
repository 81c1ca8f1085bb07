package child

import (
	"os/exec"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
)

func TestStandardInputIsAtItsEnd(t *testing.T) {
	// cat ends when its input does.
	runner := NewRunner(exec.Command("cat"), NewOutput(hclog.NewNullLogger()))
	require.NoError(t, runner.Start(t.Context()))
	go func() {
		// Nobody is told the handshake; its reader only has to be there.
		_, _ = runner.Stdout().Read(make([]byte, 1))
	}()
	require.NoError(t, runner.Wait(t.Context()))
	require.True(t, runner.Succeeded())
}
