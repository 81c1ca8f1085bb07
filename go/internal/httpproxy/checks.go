package httpproxy

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpcheck"
)

const (
	// maxTarget is the length of the longest path with query that a plugin is asked for, in bytes. Parsers of HTTP
	// whose offsets have 16 bits, as httptools', misread or refuse a longer one.
	maxTarget = 65535

	// maxHead is the size of the largest head, of a request to the plugin or of its response, in bytes. It is what
	// net/http's Server allows a request by default.
	maxHead = 1 << 20
)

// refusal is an error of a request, with the status that says so to the client.
type refusal struct {
	error
	status int
}

// checkRequest returns why a request, with canonical headers, cannot be sent to the plugin as it is; nil if it can.
func checkRequest(r *http.Request, x *exchange) *refusal {
	target := x.url.RequestURI()
	size := len(target) + len(r.Host)
	for name, values := range x.headers {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	// A client of the server can only exceed the limits; what else is wrong comes from another plugin.
	switch {
	case r.Method == http.MethodConnect:
		return &refusal{errors.New("a plugin is no proxy, which CONNECT asks for"), http.StatusNotImplemented}
	case len(target) > maxTarget:
		err := fmt.Errorf("the path and query have %d bytes; at most %d are possible", len(target), maxTarget)
		return &refusal{err, http.StatusRequestURITooLong}
	case size > maxHead:
		err := fmt.Errorf("the head has %d bytes; at most %d are possible", size, maxHead)
		return &refusal{err, http.StatusRequestHeaderFieldsTooLarge}
	}
	_, err := httpcheck.BodyLength(r.Header)
	err = cmp.Or(err, httpcheck.Method(r.Method), httpcheck.Target(target), httpcheck.Host(r.Host), httpcheck.Header(x.headers))
	if err != nil {
		return &refusal{err, http.StatusBadRequest}
	}
	return nil
}

var (
	errStatus    = errors.New("the response has no status of HTTP")
	errUpgrade   = errors.New("the plugin changed the protocol of a request that did not ask for it")
	errInterim   = errors.New("an informational response announces a body")
	errLargeHead = fmt.Errorf("the head of the response has more than %d bytes", maxHead)
)

// checkResponse returns an error if a response cannot be the answer to a request.
func checkResponse(response *http.Response, upgrade bool) error {
	switch status := response.StatusCode; {
	case status < 100:
		return errStatus // with which a ResponseWriter panics
	case status == http.StatusSwitchingProtocols && !upgrade:
		return errUpgrade
	case status < 200 && announcesBody(response):
		return errInterim // its body would be taken for the next response
	}
	if err := httpcheck.Header(response.Header); err != nil {
		return fmt.Errorf("the plugin's response: %w", err)
	}
	return nil
}

// endsWithHead tells whether nothing can follow the head of a response to a method. Some servers send a body all the
// same, if the application has one, and perhaps much later.
func endsWithHead(method string, response *http.Response) bool {
	status := response.StatusCode
	return method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}

// announcesBody tells whether the head of a response says that a body follows.
func announcesBody(response *http.Response) bool {
	length := response.Header.Get("Content-Length")
	return len(response.TransferEncoding) > 0 || length != "" && length != "0"
}
