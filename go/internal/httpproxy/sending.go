package httpproxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// bodyPiece is how much of a body is passed on at once: with larger pieces the two sides work less at the same time. The
// lines around a piece of a body whose length is not known have room beside it.
const (
	bodyPiece  = 128 << 10
	chunkHead  = 8 // as "20000\r\n"
	chunkEnd   = 2
	lastChunk  = "0\r\n\r\n"
	reuseGrace = 50 * time.Millisecond // for a body that the plugin has read sooner than it is known to be sent
)

var bodyPieces = sync.Pool{New: func() any { return new([chunkHead + bodyPiece + chunkEnd]byte) }}

// writeHead writes the head of a request.
func writeHead(w *bufio.Writer, r *http.Request) error {
	fmt.Fprintf(w, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.Host)
	switch {
	case r.Body == nil && (r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch):
		_, _ = w.WriteString("Content-Length: 0\r\n") // an error stays for Flush
	case r.Body == nil:
	case r.ContentLength >= 0:
		fmt.Fprintf(w, "Content-Length: %d\r\n", r.ContentLength)
	default:
		_, _ = w.WriteString("Transfer-Encoding: chunked\r\n")
	}
	if err := r.Header.WriteSubset(w, headFields); err != nil {
		return err
	}
	_, err := w.WriteString("\r\n")
	return err
}

// headFields are the headers that writeHead writes by itself.
var headFields = map[string]bool{"Host": true, "Content-Length": true, "Transfer-Encoding": true}

// sending is the body of a request on its way to the plugin.
type sending struct {
	conn net.Conn
	done chan struct{} // nil: there is none
	err  error         // once done is closed
}

func (s *sending) start(body io.Reader, length int64) {
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		if s.err = s.send(body, length); s.err != nil {
			_ = s.conn.Close() // and so ends who waits for the response
		}
	}()
}

// send sends a body; -1: of unknown length.
func (s *sending) send(body io.Reader, length int64) error {
	buffer := bodyPieces.Get().(*[chunkHead + bodyPiece + chunkEnd]byte)
	defer bodyPieces.Put(buffer)
	for sent := int64(0); length < 0 || sent < length; {
		piece := buffer[chunkHead : chunkHead+bodyPiece]
		if length >= 0 {
			piece = piece[:min(length-sent, bodyPiece)]
		}
		n, err := body.Read(piece)
		if n > 0 {
			sent += int64(n)
			out := piece[:n]
			if length < 0 {
				out = framed(buffer[:], n)
			}
			if _, err := s.conn.Write(out); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF) && length < 0:
			_, err := io.WriteString(s.conn, lastChunk)
			return err
		case errors.Is(err, io.EOF) && sent < length:
			return io.ErrUnexpectedEOF
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
	}
	return nil
}

// framed puts the lines of a chunk around the n bytes that begin at chunkHead.
func framed(buffer []byte, n int) []byte {
	var line [chunkHead]byte
	head := append(strconv.AppendInt(line[:0], int64(n), 16), "\r\n"...)
	start := chunkHead - len(head)
	copy(buffer[start:], head)
	copy(buffer[chunkHead+n:], "\r\n")
	return buffer[start : chunkHead+n+chunkEnd]
}

// complete tells, once the response has been read, whether the body has been sent.
func (s *sending) complete() bool {
	if s.done == nil {
		return true
	}
	grace := time.NewTimer(reuseGrace)
	defer grace.Stop()
	select {
	case <-s.done:
		return s.err == nil
	case <-grace.C:
		return false
	}
}

// explain returns why there is no response, of which err is the last consequence.
func (s *sending) explain(err error) error {
	if s.done == nil {
		return err
	}
	select {
	case <-s.done:
		if s.err != nil {
			return s.err
		}
	default:
	}
	return err
}
