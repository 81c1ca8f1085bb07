package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpproxy"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/peers"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// locateTimeout is how long a process may take to say where it serves HTTP, which it knows.
const locateTimeout = 10 * time.Second

// httpBuffer is how much of a request may wait for the plugin in its socket.
const httpBuffer = 1 << 20

// httpEndpoints knows where the process that lives now serves HTTP.
type httpEndpoints struct {
	router *router

	lock  sync.Mutex
	conn  *plaincall.Conn // of the process that the endpoints are of
	known map[string]httpproxy.Endpoint
}

// locate asks the process for the address behind a hook, once.
func (e *httpEndpoints) locate(ctx context.Context, hook string) (httpproxy.Endpoint, error) {
	conn := e.router.live.Load()
	if conn == nil {
		return httpproxy.Endpoint{}, httpproxy.ErrRestarting
	}
	e.lock.Lock()
	if e.conn != conn {
		e.conn, e.known = conn, make(map[string]httpproxy.Endpoint)
	}
	endpoint, found := e.known[hook]
	e.lock.Unlock()
	if found {
		return endpoint, nil
	}

	ctx, cancel := context.WithTimeout(ctx, locateTimeout)
	defer cancel()
	endpoint, err := askEndpoint(ctx, conn, hook)
	if err != nil {
		if e.router.live.Load() != conn {
			return endpoint, httpproxy.ErrRestarting
		}
		return endpoint, fmt.Errorf("ask the plugin where it serves HTTP: %w", err)
	}
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.conn == conn {
		e.known[hook] = endpoint
	}
	return endpoint, nil
}

func askEndpoint(ctx context.Context, conn *plaincall.Conn, hook string) (httpproxy.Endpoint, error) {
	const hooks = "/mattermost.plugin.v1.Hooks/"
	if hook == "ServeMetrics" {
		reply, err := service.Call[convert.ServeMetricsResponse](ctx, service.WithCodec(conn), hooks+hook, &convert.ServeMetricsRequest{})
		if err != nil {
			return httpproxy.Endpoint{}, err
		}
		return httpproxy.Endpoint{Network: reply.Network, Address: reply.Address}, nil
	}
	reply, err := service.Call[convert.ServeHTTPResponse](ctx, service.WithCodec(conn), hooks+hook, &convert.ServeHTTPRequest{})
	if err != nil {
		return httpproxy.Endpoint{}, err
	}
	return httpproxy.Endpoint{Network: reply.Network, Address: reply.Address}, nil
}

// dialEndpoint connects to a plugin's HTTP server, which must be a process of this user.
func dialEndpoint(ctx context.Context, endpoint httpproxy.Endpoint) (net.Conn, error) {
	if endpoint.Network != "unix" {
		return nil, fmt.Errorf("the plugin serves HTTP over %q; only unix is supported", endpoint.Network)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", endpoint.Address)
	if err != nil {
		return nil, err
	}
	if socket, ok := conn.(*net.UnixConn); ok {
		// A body is then passed on while the plugin works. As much as the system allows: an error changes nothing.
		_ = socket.SetWriteBuffer(httpBuffer)
		if err := peers.Check(socket, peers.NoGroup); err != nil {
			return nil, errors.Join(fmt.Errorf("the plugin's HTTP socket is not the plugin's: %w", err), conn.Close())
		}
	}
	return conn, nil
}
