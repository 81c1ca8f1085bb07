// Package netrpchttp is the plugin's side of the hooks ServeHTTP and ServeMetrics over Mattermost's net/rpc.
//
// Mattermost's own makes an rpc.Client for each response, which compiles the types of its messages anew, has a goroutine
// that reads, and sends the header before every piece of the body. For a small response that is most of the work. Here
// the same calls are made by the goroutines that want them, their messages written and read by hand, and the header is
// sent when it has changed. What needs more, a connection that changes its protocol, is left to Mattermost's.
package netrpchttp

import (
	"fmt"
	"net"
	"net/http"

	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpcstream"
)

// Broker connects to what the server offers; go-plugin's MuxBroker does.
type Broker interface {
	Dial(id uint32) (net.Conn, error)
}

// Handler is a hook that answers a request.
type Handler func(c *plugin.Context, w http.ResponseWriter, r *http.Request)

// Suits tells whether a request can be served here.
func Suits(request *plugin.HTTPRequestSubset) bool {
	return request != nil && request.Header.Get("Upgrade") == "" && request.Method != http.MethodConnect
}

// Serve has a handler answer a request, whose body and response are streams of these numbers.
func Serve(broker Broker, responseStream, bodyStream uint32, c *plugin.Context, request *plugin.HTTPRequestSubset, handler Handler) error {
	request.Body = http.NoBody
	if bodyStream != 0 {
		stream, err := broker.Dial(bodyStream)
		if err != nil {
			return fmt.Errorf("connect to the body of a request: %w", err)
		}
		request.Body = netrpcstream.NewBody(stream)
	}
	defer request.Body.Close()
	w := &response{dial: func() (net.Conn, error) { return dial(broker, responseStream) }}
	defer w.close()
	handler(c, w, request.GetHTTPRequest())
	// The server waits for somebody to connect, and complains if nobody does.
	_ = w.do(func(*client) error { return nil })
	return nil
}
