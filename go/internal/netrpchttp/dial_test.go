package netrpchttp

import (
	"io"
	"net"
	"net/rpc"
	"testing"

	"github.com/hashicorp/go-plugin"
	"github.com/stretchr/testify/require"
)

// ends remembers the brokers of both ends of a connection.
type ends struct{ plugin, host *plugin.MuxBroker }

func (e *ends) Server(broker *plugin.MuxBroker) (any, error) {
	e.plugin = broker
	return &Writer{}, nil // anything that net/rpc can serve
}

func (e *ends) Client(broker *plugin.MuxBroker, _ *rpc.Client) (any, error) {
	e.host = broker
	return struct{}{}, nil
}

// connect returns brokers of go-plugin that are connected.
func connect(t *testing.T) *ends {
	t.Helper()
	e := &ends{}
	client, _ := plugin.TestPluginRPCConn(t, map[string]plugin.Plugin{"x": e}, nil)
	t.Cleanup(func() { _ = client.Close() })
	_, err := client.Dispense("x")
	require.NoError(t, err)
	return e
}

func TestWhatIsSaidFirstTravelsWithTheNumber(t *testing.T) {
	e := connect(t)
	require.NotNil(t, sessionOf(e.plugin), "go-plugin's broker is not as it was: nothing is gained any more")
	id := e.host.NextId()
	stream, err := dial(e.plugin, id)
	require.NoError(t, err)
	require.IsType(t, &dialledStream{}, stream)
	n, err := stream.Write([]byte("hello"))
	require.NoError(t, err)
	require.Equal(t, 5, n)
	accepted, err := e.host.Accept(id)
	require.NoError(t, err)
	_, err = stream.Write([]byte(", world"))
	require.NoError(t, err)
	heard := make([]byte, 12)
	_, err = io.ReadFull(accepted, heard)
	require.NoError(t, err)
	require.Equal(t, "hello, world", string(heard))
	_, err = accepted.Write([]byte("yes"))
	require.NoError(t, err)
	require.NoError(t, accepted.Close())
	answer, err := io.ReadAll(stream)
	require.NoError(t, err)
	require.Equal(t, "yes", string(answer))
	require.NoError(t, stream.Close())
}

func TestAStreamThatIsClosedUnusedWasDialled(t *testing.T) {
	e := connect(t)
	id := e.host.NextId()
	taken := make(chan error, 1)
	go func() {
		accepted, err := e.host.Accept(id)
		if err == nil {
			_, err = io.ReadAll(accepted)
			_ = accepted.Close()
		}
		taken <- err
	}()
	stream, err := dial(e.plugin, id)
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	require.NoError(t, <-taken)
}

func TestAnotherNumberThanTheOneDialledIsAnError(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() {
		_, _ = io.ReadFull(theirs, make([]byte, 5))
		_, _ = theirs.Write([]byte{8, 0, 0, 0})
	}()
	stream := &dialledStream{Conn: ours, id: 7}
	_, err := stream.Write([]byte("x"))
	require.NoError(t, err)
	_, err = stream.Read(make([]byte, 1))
	require.EqualError(t, err, "the server took stream 8 for 7")
}

// listed is a broker of another kind.
type listed struct{ conn net.Conn }

func (l listed) Dial(uint32) (net.Conn, error) { return l.conn, nil }

func TestAnotherBrokerDialsItself(t *testing.T) {
	ours, _ := net.Pipe()
	stream, err := dial(listed{ours}, 1)
	require.NoError(t, err)
	require.Equal(t, ours, stream)
}
