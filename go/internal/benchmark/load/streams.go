package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// web is an HTTP server before the hook ServeHTTP, as a Mattermost server is, and its clients.
type web struct {
	server   *http.Server
	listener net.Listener
	clients  chan *client // that are idle
}

// serving starts the server.
func (b *bench) serving() (*web, error) {
	if b.web != nil {
		return b.web, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.hooks.ServeHTTP(&plugin.Context{RequestId: "r", IPAddress: "127.0.0.1", UserAgent: "benchmark"}, w, r)
	})
	b.web = &web{server: &http.Server{Handler: handler}, listener: listener, clients: make(chan *client, 1024)}
	go func() { _ = b.web.server.Serve(listener) }() // until close
	return b.web, nil
}

func (w *web) close() {
	_ = w.server.Close()
	for len(w.clients) > 0 {
		_ = (<-w.clients).conn.Close()
	}
}

// client is a connection of a client. It does little more than to read and to write, so that it takes no time from
// those who are measured.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
}

// do sends a request and hands the response on; afterwards the connection is there for others.
func (w *web) do(line string, body io.Reader, length int, read func(*http.Response) error) error {
	var c *client
	select {
	case c = <-w.clients:
	default:
		conn, err := net.Dial("tcp", w.listener.Addr().String())
		if err != nil {
			return err
		}
		c = &client{conn: conn, reader: bufio.NewReaderSize(conn, 64<<10)}
	}
	head := line + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: benchmark\r\nAccept: */*\r\n"
	if body != nil {
		head += fmt.Sprintf("Content-Length: %d\r\n", length)
	}
	if _, err := io.WriteString(c.conn, head+"\r\n"); err != nil {
		return err
	}
	if body != nil {
		if _, err := io.CopyN(c.conn, body, int64(length)); err != nil {
			return err
		}
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", line, response.Status)
	}
	if err := read(response); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	w.clients <- c
	return nil
}

// get asks for a small page from so many callers.
func (b *bench) get(callers int) (map[string]float64, error) {
	web, err := b.serving()
	if err != nil {
		return nil, err
	}
	return b.repeat(callers, func() error {
		return web.do("GET /hello", nil, 0, func(response *http.Response) error {
			return expect(response.Body, "Hello, world!")
		})
	})
}

// download fetches that many bytes.
func (b *bench) download(size int) (map[string]float64, error) {
	web, err := b.serving()
	if err != nil {
		return nil, err
	}
	return b.transfer(size, func(size int) error {
		return web.do(fmt.Sprintf("GET /download?size=%d", size), nil, 0, func(response *http.Response) error {
			got, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{response.Body}, make([]byte, 256<<10))
			if err == nil && got != int64(size) {
				err = fmt.Errorf("got %d bytes", got)
			}
			return err
		})
	})
}

// upload sends that many bytes of a file, which the system takes from its cache without the client's doing.
func (b *bench) upload(size int) (map[string]float64, error) {
	web, err := b.serving()
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "upload")
	if err != nil {
		return nil, err
	}
	defer func() { _ = errors.Join(file.Close(), os.Remove(file.Name())) }() // it is the system's to clean up
	if _, err := io.CopyN(file, &content{left: size}, int64(size)); err != nil {
		return nil, err
	}
	return b.transfer(size, func(size int) error {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return web.do("POST /upload", file, size, func(response *http.Response) error {
			return expect(response.Body, strconv.Itoa(size))
		})
	})
}

// file hands a file of that many bytes to FileWillBeUploaded, which reads it.
func (b *bench) file(size int) (map[string]float64, error) {
	return b.transfer(size, func(size int) error { return b.uploaded("read", size, 0) })
}

// replace hands a file of that many bytes to FileWillBeUploaded, which writes it back.
func (b *bench) replace(size int) (map[string]float64, error) {
	return b.transfer(size, func(size int) error { return b.uploaded("replace", size, size) })
}

func (b *bench) uploaded(name string, size, back int) error {
	output := &sink{}
	info := &model.FileInfo{Name: name, Size: int64(size)}
	changed, reason := b.hooks.FileWillBeUploaded(&plugin.Context{}, info, &content{left: size}, output)
	if reason != "" || output.size != back {
		return fmt.Errorf("%d bytes came back, the reason was %q: %v", output.size, reason, changed)
	}
	return nil
}

// enough is how long transfers are measured: a single one of a fifth of a second tells mostly how the scheduler placed
// it.
const enough = time.Second

// transfer measures transfers, one after another, after a small one to warm up.
func (b *bench) transfer(size int, move func(size int) error) (map[string]float64, error) {
	if err := move(min(size, 4<<20)); err != nil {
		return nil, err
	}
	used := cpuNow()
	start := time.Now()
	var times int
	var elapsed time.Duration
	for elapsed < enough {
		if err := move(size); err != nil {
			return nil, err
		}
		times++
		elapsed = time.Since(start)
	}
	host, plugin := used.since(1)
	megabytes := float64(size) * float64(times) / 1e6
	return map[string]float64{
		"ms":                   milliseconds(elapsed) / float64(times),
		"MB/s":                 megabytes / elapsed.Seconds(),
		"host CPU us per MB":   host / megabytes,
		"plugin CPU us per MB": plugin / megabytes,
	}, nil
}

func expect(body io.Reader, want string) error {
	got, err := io.ReadAll(body)
	if err == nil && strings.TrimSpace(string(got)) != want {
		err = fmt.Errorf("got %q", got)
	}
	return err
}

// content is what is uploaded.
type content struct{ left int }

var block = make([]byte, 1<<20)

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.left)], block)
	c.left -= n
	return n, nil
}

// sink counts what is written to it.
type sink struct{ size int }

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	s.size += len(p)
	return len(p), nil
}
