package httpproxy

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// canned is a connection on which bytes come once a request was written, and then nothing more.
type canned struct {
	net.Conn
	asked chan struct{}
	once  sync.Once
	data  *bytes.Reader
}

func newCanned(data []byte) *canned {
	return &canned{asked: make(chan struct{}), data: bytes.NewReader(data)}
}

func (c *canned) Read(p []byte) (int, error) {
	<-c.asked
	return c.data.Read(p)
}

func (c *canned) Write(p []byte) (int, error) {
	c.once.Do(func() { close(c.asked) })
	return len(p), nil
}

func (c *canned) Close() error {
	c.once.Do(func() { close(c.asked) })
	return nil
}

// whole is a response as its reader has it.
type whole struct {
	Status          int
	Header, Trailer http.Header
	Body            []byte
	Complete        bool
}

func roundTrip(t *testing.T, transport http.RoundTripper, method string) (*whole, error) {
	request, err := http.NewRequestWithContext(t.Context(), method, "http://plugin/", nil)
	require.NoError(t, err)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var body []byte
	if response.StatusCode != http.StatusSwitchingProtocols {
		body, err = io.ReadAll(response.Body)
	}
	return &whole{response.StatusCode, response.Header, response.Trailer, body, err == nil}, nil
}

// FuzzResponses has bytes of any kind answer a request: they are what net/http's Transport makes of them, or refused,
// and only a connection from which all was read stays.
func FuzzResponses(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1",
		"HTTP/1.1 200 OK\r\n\r\nto the end",
		"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 099 Low\r\nX: one\r\n two\r\nContent-Length: 0\r\n\r\n",
	} {
		f.Add([]byte(text), http.MethodGet)
		f.Add([]byte(text), http.MethodHead)
	}
	log.SetOutput(io.Discard) // of the Transport
	f.Cleanup(func() { log.SetOutput(os.Stderr) })
	f.Fuzz(func(t *testing.T, data []byte, method string) {
		if method != http.MethodHead {
			method = http.MethodGet
		}
		conn := newCanned(data)
		ours := &connections{dial: func(context.Context) (net.Conn, error) { return conn, nil }}
		defer ours.close()
		got, err := roundTrip(t, ours, method)
		for _, idle := range ours.idle {
			require.Zero(t, conn.data.Len()+idle.reader.Buffered(), "something is left in an idle connection")
		}
		if err != nil {
			return
		}
		theirs := &http.Transport{
			DialContext:            func(context.Context, string, string) (net.Conn, error) { return newCanned(data), nil },
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHead,
		}
		defer theirs.CloseIdleConnections()
		want, err := roundTrip(t, theirs, method)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.True(t, got.Complete || len(ours.idle) == 0)
	})
}
