package netrpchttp

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/rpc"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Writer is the server's side of a response, called by net/rpc: it has the methods that Mattermost's has, notes what it
// was called for and fails when it is told to.
type Writer struct {
	lock    sync.Mutex
	header  http.Header
	calls   []string
	body    bytes.Buffer
	failure string
}

func (w *Writer) note(call string) error {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.calls = append(w.calls, call)
	if w.failure != "" {
		return errors.New(w.failure)
	}
	return nil
}

func (w *Writer) Header(_ struct{}, reply *http.Header) error {
	*reply = w.header
	return w.note("Header")
}

func (w *Writer) SyncHeader(header http.Header, _ *struct{}) error {
	w.header = header
	return w.note("SyncHeader")
}

func (w *Writer) WriteHeader(status int, _ *struct{}) error { return w.note(fmt.Sprint(status)) }

func (w *Writer) Write(data []byte, _ *struct{}) error {
	w.body.Write(data)
	return w.note("Write")
}

func (w *Writer) Flush(_ struct{}, _ *struct{}) error { return w.note("Flush") }

func (w *Writer) HijackResponse(_ struct{}, _ *struct{}) error { return w.note("HijackResponse") }

func (w *Writer) HjConnClose(_ struct{}, _ *struct{}) error { return w.note("HjConnClose") }

// serve returns a response whose server is w.
func serve(t *testing.T, w *Writer) *response {
	t.Helper()
	var served sync.WaitGroup
	out := &response{dial: func() (net.Conn, error) {
		ours, theirs := net.Pipe()
		server := rpc.NewServer()
		if err := server.RegisterName("Plugin", w); err != nil {
			return nil, err
		}
		served.Go(func() { server.ServeConn(theirs) })
		return ours, nil
	}}
	t.Cleanup(func() {
		out.close()
		served.Wait()
	})
	return out
}

func TestHeadersComeAndGoAsTheyAre(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func(most int) string {
		out := make([]byte, random.IntN(most))
		for i := range out {
			out[i] = byte(random.Uint32())
		}
		return string(out)
	}
	for range 200 {
		header := http.Header{}
		for range random.IntN(20) {
			values := make([]string, 1+random.IntN(3))
			for i := range values {
				values[i] = text(300)
			}
			header[text(40)] = values
		}
		w := &Writer{header: header.Clone()}
		out := serve(t, w)
		require.Equal(t, header, out.Header())
		out.Header()["X-Added"] = []string{"yes", ""}
		header["X-Added"] = []string{"yes", ""}
		_, err := out.Write([]byte("x"))
		require.NoError(t, err)
		require.Equal(t, header, w.header)
	}
}

func TestAHeaderThatIsNotThereIsEmpty(t *testing.T) {
	out := serve(t, &Writer{})
	require.Equal(t, http.Header{}, out.Header())
	out.Header().Set("X", "y") // would panic if it were nil
}

func TestTheHeaderIsSentWhenItHasChanged(t *testing.T) {
	w := &Writer{header: http.Header{}}
	out := serve(t, w)
	for range 2 {
		_, err := out.Write([]byte("a"))
		require.NoError(t, err)
	}
	out.Header().Set("Trailer", "T")
	_, err := out.Write(nil)
	require.NoError(t, err)
	require.Equal(t, []string{"Header", "SyncHeader", "Write", "Write", "SyncHeader", "Write"}, w.calls)
	require.Equal(t, "aa", w.body.String())
}

func TestBodiesOfAnySizeComeWhole(t *testing.T) {
	for _, size := range []int{1, 127, 128, 255, 256, 1 << 14, outSize - 1, outSize, 1 << 16, 1<<24 + 1} {
		w := &Writer{header: http.Header{}}
		out := serve(t, w)
		data := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		n, err := out.Write(data)
		require.NoError(t, err)
		require.Equal(t, size, n)
		require.True(t, bytes.Equal(data, w.body.Bytes()), size)
	}
}

func TestManyCallsFollowEachOther(t *testing.T) {
	w := &Writer{header: http.Header{}}
	out := serve(t, w)
	for range 70_000 { // numbers of calls of one, two and three octets
		_, err := out.Write([]byte("x"))
		require.NoError(t, err)
	}
	require.Equal(t, 70_000, w.body.Len())
}

func TestEveryStatusArrives(t *testing.T) {
	for _, status := range []int{101, 200, 204, 404, 599, 999} {
		w := &Writer{header: http.Header{}}
		serve(t, w).WriteHeader(status)
		require.Equal(t, []string{"Header", "SyncHeader", fmt.Sprint(status)}, w.calls)
	}
}

func TestFlushAndAbortAreCalls(t *testing.T) {
	w := &Writer{header: http.Header{}}
	out := serve(t, w)
	out.Flush()
	require.NoError(t, out.Abort())
	require.Equal(t, []string{"Flush", "HijackResponse", "HjConnClose"}, w.calls)
}

func TestAnErrorOfTheServerIsReturnedAndTheNextCallWorks(t *testing.T) {
	w := &Writer{header: http.Header{}}
	out := serve(t, w)
	out.Header()
	w.failure = "the client has left " + strings.Repeat("!", 5000)
	_, err := out.Write([]byte("x"))
	require.EqualError(t, err, w.failure)
	var remote rpc.ServerError
	require.ErrorAs(t, err, &remote)
	w.failure = ""
	_, err = out.Write([]byte("x"))
	require.NoError(t, err)
}

func TestAServerThatIsGoneIsAnError(t *testing.T) {
	refused := errors.New("refused")
	out := &response{dial: func() (net.Conn, error) { return nil, refused }}
	require.Empty(t, out.Header())
	_, err := out.Write([]byte("x"))
	require.ErrorIs(t, err, refused)

	ours, theirs := net.Pipe()
	require.NoError(t, theirs.Close())
	out = &response{dial: func() (net.Conn, error) { return ours, nil }}
	_, err = out.Write([]byte("x"))
	require.Error(t, err)
	out.close()
	_, err = out.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
}

// FuzzReply reads anything as the reply to a question for the header.
func FuzzReply(f *testing.F) {
	w := &Writer{header: http.Header{"A": {"b", "c"}}}
	ours, theirs := net.Pipe()
	server := rpc.NewServer()
	if err := server.RegisterName("Plugin", w); err != nil {
		f.Fatal(err)
	}
	go server.ServeConn(theirs)
	recorder := &recording{Conn: ours}
	c := newClient(recorder)
	if _, err := c.header(); err != nil {
		f.Fatal(err)
	}
	if err := c.close(); err != nil {
		f.Fatal(err)
	}
	f.Add(recorder.read.Bytes())
	f.Add([]byte{0xff})
	f.Add([]byte{0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		out := &response{dial: func() (net.Conn, error) { return &replay{rest: bytes.NewReader(data)}, nil }}
		if out.Header() == nil {
			t.Error("there is no header")
		}
		out.close()
	})
}

// recording keeps what is read.
type recording struct {
	net.Conn
	read bytes.Buffer
}

func (r *recording) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.read.Write(p[:n])
	return n, err
}

// replay is a connection whose other side says something prepared.
type replay struct {
	net.Conn
	rest *bytes.Reader
}

func (r *replay) Read(p []byte) (int, error)  { return r.rest.Read(p) }
func (r *replay) Write(p []byte) (int, error) { return len(p), nil }
func (r *replay) Close() error                { return nil }
