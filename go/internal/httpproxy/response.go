package httpproxy

import (
	"bufio"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// largestPiece is how much of a body is sent to the server in one call, and how much waits while a call runs.
	largestPiece = 512 << 10

	// keptBuffer is the largest buffer that a response keeps while nothing is to be sent.
	keptBuffer = 64 << 10

	// headGrace is how long the head of a response waits for the beginning of its body, so that both go together.
	headGrace = 2 * time.Millisecond

	// copySize is how much of a response is read at once.
	copySize = 64 << 10
)

// copyBuffers are the buffers through which responses go.
type copyBuffers struct{}

var copies = sync.Pool{New: func() any { return new([copySize]byte) }}

// Get implements httputil.BufferPool.
func (copyBuffers) Get() []byte { return copies.Get().(*[copySize]byte)[:] }

// Put implements httputil.BufferPool.
func (copyBuffers) Put(buffer []byte) { copies.Put((*[copySize]byte)(buffer)) }

// responseWriter sends a response to the server. Writing puts into a buffer; a goroutine sends what is there, so
// pieces are as large as the plugin is fast, and a slow plugin's are sent as they come. Each write to the server is
// two calls over net/rpc, flushing is a third.
type responseWriter struct {
	target http.ResponseWriter
	gone   func(error) // called when the server takes no more

	webSocket bool // the client asks for one

	header http.Header   // of the plugin; ReverseProxy fills it, with trailers while the body is still being sent
	head   http.Header   // header as it was at WriteHeader
	base   chan struct{} // closed when target's header was fetched, which is a call as well

	lock     sync.Mutex
	changed  sync.Cond
	status   int
	pending  []byte
	expected int64 // length of the body, -1 if it is not known
	sent     int64
	headSent bool
	closing  bool // nothing more will be written
	late     bool // the head has waited long enough
	grace    *time.Timer
	broken   error
	failure  error
	hijacked bool
	pump     sync.WaitGroup
}

func newResponseWriter(target http.ResponseWriter, gone func(error)) *responseWriter {
	w := &responseWriter{target: target, gone: gone, header: make(http.Header), base: make(chan struct{}), expected: -1}
	w.changed.L = &w.lock
	w.pump.Go(w.run)
	return w
}

// Header implements http.ResponseWriter. It has what the plugin set and not what the server did.
func (w *responseWriter) Header() http.Header { return w.header }

// expect says how long the body will be.
func (w *responseWriter) expect(length int64) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.expected = length
}

// WriteHeader implements http.ResponseWriter.
func (w *responseWriter) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		if status != http.StatusContinue { // which the server sends by itself when the body is read
			w.informational(status)
		}
		return
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.status != 0 {
		return
	}
	w.status, w.head = status, w.header.Clone()
	w.changed.Broadcast()
	w.grace = time.AfterFunc(headGrace, func() {
		w.lock.Lock()
		defer w.lock.Unlock()
		w.late = true
		w.changed.Broadcast()
	})
}

// informational sends a response that another one follows.
func (w *responseWriter) informational(status int) {
	<-w.base
	header := w.target.Header()
	before := maps.Clone(header)
	maps.Copy(header, w.header)
	w.target.WriteHeader(status)
	clear(header)
	maps.Copy(header, before)
}

// Write implements io.Writer. It returns when there is room for more.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.lock.Lock()
	defer w.lock.Unlock()
	for len(w.pending) > 0 && len(w.pending)+len(p) > largestPiece && w.failure == nil {
		w.changed.Wait()
	}
	if w.failure != nil {
		return 0, w.failure
	}
	w.pending = append(w.pending, p...)
	w.changed.Broadcast()
	return len(p), nil
}

// Flush implements http.Flusher. Everything is flushed as soon as it can be.
func (w *responseWriter) Flush() {}

// run sends the response.
func (w *responseWriter) run() {
	w.target.Header() // a call as well, while the plugin works
	close(w.base)
	var spare []byte
	w.lock.Lock()
	defer w.lock.Unlock()
	for w.status == 0 && !w.closing {
		w.changed.Wait()
	}
	if w.status == 0 {
		return // hijacked, or an error of another kind
	}
	for {
		for len(w.pending) == 0 && !w.closing && (w.headSent || !w.late) {
			w.changed.Wait()
		}
		if w.broken != nil && !w.headSent || len(w.pending) == 0 && w.closing {
			break
		}
		piece, head := w.pending, !w.headSent
		w.pending, w.headSent = spare[:0], true
		w.changed.Broadcast()
		w.lock.Unlock()
		err := w.send(piece, head)
		w.lock.Lock()
		w.sent += int64(len(piece))
		if err != nil {
			w.fail(err)
			return
		}
		if spare = piece; len(w.pending) > 0 || w.closing {
			continue
		}
		if cap(spare) > keptBuffer {
			spare = nil
		}
		if w.sent != w.expected {
			w.lock.Unlock()
			w.flush()
			w.lock.Lock()
		}
	}
	if !w.headSent && w.broken == nil {
		w.headSent = true
		w.fail(w.send(nil, true))
	}
}

// fail remembers why nothing more can be sent. The caller holds the lock.
func (w *responseWriter) fail(err error) {
	if err != nil && w.failure == nil {
		w.failure = err
		w.pending = nil
		w.changed.Broadcast()
		w.gone(err)
	}
}

// send sends a piece, and the head before it.
func (w *responseWriter) send(piece []byte, head bool) error {
	if head {
		maps.Copy(w.target.Header(), w.head)
		// Writing implies the status 200.
		if w.status != http.StatusOK || len(piece) == 0 {
			w.target.WriteHeader(w.status)
		}
	}
	if len(piece) == 0 {
		return nil
	}
	_, err := w.target.Write(piece)
	return err
}

func (w *responseWriter) flush() {
	if flusher, ok := w.target.(http.Flusher); ok {
		flusher.Flush()
	}
}

// breakOff says that the plugin did not send the whole response.
func (w *responseWriter) breakOff(err error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.broken = err
}

// finish sends what is left. An error means that the response ended too early and the client does not know it yet.
func (w *responseWriter) finish() error {
	<-w.base
	w.lock.Lock()
	w.closing = true
	if w.grace != nil {
		w.grace.Stop()
	}
	w.changed.Broadcast()
	w.lock.Unlock()
	w.pump.Wait()
	switch {
	case w.hijacked || w.failure != nil:
		return nil
	case w.broken != nil && !w.headSent:
		// The client has seen nothing yet, so it can be told what it is told of any exception.
		http.Error(w.target, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return nil
	case w.broken != nil:
		return w.broken
	}
	return w.trail()
}

// trail sends the trailers, which ReverseProxy has put among the headers by now. Over net/rpc headers travel with a
// write only.
func (w *responseWriter) trail() error {
	trailers := make(http.Header)
	for _, line := range w.header["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if values, ok := w.header[name]; ok {
				trailers[name] = values
			}
		}
	}
	for name, values := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			trailers[name] = values
		}
	}
	if len(trailers) == 0 {
		return nil
	}
	maps.Copy(w.target.Header(), trailers)
	// Its only failure is that the client has left.
	_, _ = w.target.Write([]byte{})
	return nil
}

// Hijack implements http.Hijacker.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	<-w.base
	hijacker, ok := w.target.(http.Hijacker)
	if !ok {
		return nil, nil, http.ErrNotSupported
	}
	conn, buffered, err := hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.hijacked = true
	client := newClientConn(conn, buffered, w.webSocket)
	return client, bufio.NewReadWriter(bufio.NewReader(client), bufio.NewWriter(client)), nil
}

// abort ends the connection to the client, which has part of a response and would take it for the whole.
func abort(w http.ResponseWriter, r *http.Request) {
	if aborter, ok := w.(interface{ Abort() error }); ok && aborter.Abort() == nil {
		return
	}
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			conn.Close()
			return
		}
	}
	if r.Context().Value(http.ServerContextKey) != nil {
		panic(http.ErrAbortHandler) // this is a handler of the server itself, which expects it
	}
}

// watchedBody is the body of the plugin's response.
type watchedBody struct {
	io.ReadCloser
	response *responseWriter
}

// Read implements io.Reader.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.response.breakOff(err)
	}
	return n, err
}
