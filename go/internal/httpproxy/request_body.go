package httpproxy

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpcheck"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpcstream"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/patience"
)

// requestBody is the body that the client sends, as the plugin's server reads it.
type requestBody struct {
	source   io.Reader
	patience *patience.Patience

	// announced is the Content-Length; -1: the client did not say.
	announced int64
	early     []byte // what was read to see whether there is a body
	received  atomic.Int64
	ended     atomic.Bool
}

func newRequestBody(r *http.Request, patience *patience.Patience) *requestBody {
	b := &requestBody{source: r.Body, patience: patience, announced: -1}
	if r.Body == nil || r.Body == http.NoBody {
		b.announced = 0
	} else if conn := netrpcstream.Of(r.Body); conn != nil {
		b.source = netrpcstream.NewBody(conn)
	}
	// Over net/rpc the request's ContentLength is not transmitted. The header has been checked (checkRequest).
	if length, err := httpcheck.BodyLength(r.Header); err == nil && length >= 0 {
		b.announced = length
	}
	return b
}

// probe finds out whether a request has a body that did not announce one and, by its method, most likely has none. Over
// net/rpc there is no other way to tell. Only without a body can the request be sent again when the plugin closed the
// connection just then.
func (b *requestBody) probe(r *http.Request) {
	if b.announced >= 0 || r.Header.Get("Expect") != "" {
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodOptions:
		first := make([]byte, 512)
		n, err := b.Read(first)
		if b.early = first[:n]; n == 0 && errors.Is(err, io.EOF) {
			b.announced = 0
		}
	}
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	if len(b.early) > 0 {
		n := copy(p, b.early)
		b.early = b.early[n:]
		return n, nil
	}
	b.patience.Hold()
	defer b.patience.Resume()
	n, err := b.source.Read(p)
	b.received.Add(int64(n))
	if err != nil {
		b.ended.Store(true)
	}
	return n, err
}

// Close implements io.Closer. The body is the server's to close.
func (b *requestBody) Close() error { return nil }

// leave says that nobody reads any more.
func (b *requestBody) leave() {
	if body, ok := b.source.(*netrpcstream.Body); ok {
		_ = body.Close() // as Mattermost's own code does next, but so that the server notices
	}
}

// short tells whether the client ended the body before it sent all it had announced.
func (b *requestBody) short() bool {
	return b.ended.Load() && b.received.Load() < b.announced
}
