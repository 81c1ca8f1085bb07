package grpcplugin

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpproxy"
)

// ServeHTTP tells the host where the plugin's method of that name is served.
func (s *hooksServer) ServeHTTP(context.Context, *convert.ServeHTTPRequest) (*convert.ServeHTTPResponse, error) {
	hook, ok := s.plugin.(interface {
		ServeHTTP(c *plugin.Context, w http.ResponseWriter, r *http.Request)
	})
	if !ok {
		return &convert.ServeHTTPResponse{}, nil
	}
	path, err := s.http.address("http", hook.ServeHTTP)
	return &convert.ServeHTTPResponse{Network: "unix", Address: path}, err
}

// ServeMetrics is ServeHTTP for metrics.
func (s *hooksServer) ServeMetrics(context.Context, *convert.ServeMetricsRequest) (*convert.ServeMetricsResponse, error) {
	hook, ok := s.plugin.(interface {
		ServeMetrics(c *plugin.Context, w http.ResponseWriter, r *http.Request)
	})
	if !ok {
		return &convert.ServeMetricsResponse{}, nil
	}
	path, err := s.http.address("metrics", hook.ServeMetrics)
	return &convert.ServeMetricsResponse{Network: "unix", Address: path}, err
}

// httpHook is the signature of both HTTP hooks.
type httpHook func(c *plugin.Context, w http.ResponseWriter, r *http.Request)

// httpServers are the HTTP servers of a plugin, each on a Unix socket of its own. They start when the host asks for
// them.
type httpServers struct {
	lock    sync.Mutex
	dir     string
	ownDir  bool
	servers map[string]*http.Server
}

// address returns the path of the socket on which a hook is served.
func (h *httpServers) address(name string, hook httpHook) (string, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.dir == "" {
		if err := h.makeDir(); err != nil {
			return "", err
		}
	}
	path := filepath.Join(h.dir, name)
	if h.servers[name] != nil {
		return path, nil
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return "", fmt.Errorf("listen for HTTP requests: %w", err)
	}
	server := &http.Server{Handler: hook}
	if h.servers == nil {
		h.servers = map[string]*http.Server{}
	}
	h.servers[name] = server
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Printf("[ERROR] serving HTTP ended: %v", err)
		}
	}()
	return path, nil
}

// makeDir finds a directory that is this user's alone: that of the host, which removes it, or a new one.
func (h *httpServers) makeDir() error {
	if h.dir = os.Getenv(handshake.SocketDirVariable); h.dir != "" {
		return nil
	}
	dir, err := os.MkdirTemp("", "plugin-http")
	if err != nil {
		return fmt.Errorf("directory for the socket of the HTTP server: %w", err)
	}
	h.dir, h.ownDir = dir, true
	return nil
}

func (h *httpServers) close() {
	h.lock.Lock()
	defer h.lock.Unlock()
	for _, server := range h.servers {
		if err := server.Close(); err != nil {
			log.Printf("[ERROR] closing the HTTP server: %v", err)
		}
	}
	if h.ownDir {
		if err := os.RemoveAll(h.dir); err != nil {
			log.Printf("[ERROR] removing the directory of the HTTP server's socket: %v", err)
		}
	}
}

// ServeHTTP calls the hook with what it would get from the server itself.
func (hook httpHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pluginContext, request, err := httpproxy.Incoming(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	hook(pluginContext, w, request)
}
