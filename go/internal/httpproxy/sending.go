package httpproxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/zerocopy"
)

const (
	lastChunk  = "0\r\n\r\n"
	reuseGrace = 50 * time.Millisecond // for a body that the plugin has read sooner than it is known to be sent
)

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
	out  *zerocopy.Sender
	done chan struct{} // nil: there is none
	err  error         // once done is closed
}

func (s *sending) start(body io.Reader, length int64) {
	s.out = zerocopy.NewSender(s.conn)
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		if s.err = s.send(body, length); s.err != nil {
			_ = s.conn.Close() // and so ends who waits for the response
			s.out.Release()
		}
	}()
}

// send sends a body; -1: of unknown length.
func (s *sending) send(body io.Reader, length int64) error {
	for sent := int64(0); length < 0 || sent < length; {
		room := s.out.Room()
		piece := room[zerocopy.Margin : len(room)-zerocopy.Margin]
		if length >= 0 {
			piece = piece[:min(length-sent, int64(len(piece)))]
		}
		n, err := body.Read(piece)
		if n > 0 {
			sent += int64(n)
			from, to := zerocopy.Margin, zerocopy.Margin+n
			if length < 0 {
				from, to = framed(room, from, to)
			}
			if err := s.out.Send(from, to); err != nil {
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

// framed puts the lines of a chunk around octets of a buffer, and returns where these begin and end.
func framed(buffer []byte, from, to int) (int, int) {
	var line [8]byte // as "20000\r\n"
	head := append(strconv.AppendInt(line[:0], int64(to-from), 16), "\r\n"...)
	end := to + copy(buffer[to:], "\r\n")
	return from - copy(buffer[from-len(head):], head), end
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
		if s.err == nil {
			s.out.Release()
		}
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
