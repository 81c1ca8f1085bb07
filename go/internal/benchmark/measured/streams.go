package measured

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// ServeHTTP answers a small GET, sends as many bytes as are asked for, or counts those it is sent.
func (p *Plugin) ServeHTTP(_ *plugin.Context, w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/hello":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "Hello, world!")
	case "/download":
		size, err := strconv.ParseInt(r.URL.Query().Get("size"), 10, 64)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		// The client may have left, which is its own affair.
		_, _ = io.Copy(w, io.LimitReader(zeros{}, size))
	case "/upload":
		var size counter
		if _, err := io.Copy(&size, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, size)
	default:
		http.NotFound(w, r)
	}
}

// FileWillBeUploaded reads the file, and replaces it by itself if its name says so.
func (p *Plugin) FileWillBeUploaded(_ *plugin.Context, info *model.FileInfo, file io.Reader, output io.Writer) (*model.FileInfo, string) {
	var size counter
	target := io.Writer(&size)
	if info.Name == "replace" {
		target = output
	}
	n, err := io.Copy(target, file)
	if err != nil {
		return nil, err.Error()
	}
	if n != info.Size {
		return nil, fmt.Sprintf("there are %d bytes, not %d", n, info.Size)
	}
	if info.Name == "replace" {
		return info, ""
	}
	return nil, ""
}

// zeros is what is downloaded.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// counter counts what is written to it.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
