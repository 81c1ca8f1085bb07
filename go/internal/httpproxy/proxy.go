// Package httpproxy hands the requests of the hooks ServeHTTP and ServeMetrics to the HTTP server that a plugin
// process runs on a Unix socket.
//
// The work is httputil.ReverseProxy's. What is here makes it fit between Mattermost's net/rpc, where each piece of a
// body is a call of its own, and the plugin: request_body.go asks for the body in large pieces, response.go sends
// the response in pieces as large as the plugin is fast, hijack.go makes hijacked connections (WebSockets) usable,
// headers.go says what travels beside a request.
package httpproxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/patience"
)

// ErrRestarting says that no process can answer now, but one soon will.
var ErrRestarting = errors.New("the plugin process is being restarted")

var (
	errNoAnswer  = errors.New("the plugin did not answer in time")
	errNoRequest = errors.New("the client sent less than it announced")
	errGone      = errors.New("nobody reads the response any more")
)

const (
	// retryAfter is what a client is told while the plugin restarts, in seconds.
	retryAfter = "1"

	// The plugin keeps idle connections for longer, so that it never closes one that is about to be used.
	idleTimeout = 30 * time.Second
	maxIdle     = 64
)

// Endpoint is where a plugin process serves HTTP. The zero Endpoint stands for one that serves none.
type Endpoint struct {
	Network, Address string
}

// Options says what a Proxy works with.
type Options struct {
	// Locate returns where the process that lives now serves what the hook is for. It is called for every request.
	// ErrRestarting: there is none, but there will be.
	Locate func(ctx context.Context, hook string) (Endpoint, error)

	// Dial connects to an endpoint.
	Dial func(ctx context.Context, endpoint Endpoint) (net.Conn, error)

	// AnswerTimeout is how long the plugin may take from the moment it has all that the client sent, or could have
	// it, until its response begins; 0 means as long as it likes. It is no limit for a response that has begun.
	AnswerTimeout func(hook string) time.Duration

	// PluginID tells under which path the server has the plugin when the request does not.
	PluginID string

	// Ending tells whether the plugin is about to end, so that what breaks off is no fault; nil: it never is.
	Ending func() bool

	// Logger gets a line for each request that failed.
	Logger hclog.Logger
}

// Proxy hands requests to a plugin. It is a service.HTTPProxy.
type Proxy struct {
	options Options
	reverse *httputil.ReverseProxy

	lock    sync.Mutex
	targets map[string]*target // by hook
}

// target is an endpoint with its connections.
type target struct {
	endpoint  Endpoint
	transport *http.Transport
	direct    *connections
}

func (t *target) close() {
	t.transport.CloseIdleConnections()
	t.direct.close()
}

// suitable returns how a request is sent.
func (t *target) suitable(r *http.Request) http.RoundTripper {
	if r.Header.Get("Upgrade") != "" || r.Header.Get("Expect") != "" {
		return checked{t.transport}
	}
	return t.direct
}

// checked refuses what a Transport takes for a response and is none.
type checked struct{ transport *http.Transport }

// RoundTrip implements http.RoundTripper.
func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := checkResponse(response, exchangeOf(r).upgrade); err != nil {
		return nil, errors.Join(err, response.Body.Close())
	}
	return response, nil
}

// New returns a proxy. Close gives its connections back.
func New(options Options) *Proxy {
	p := &Proxy{options: options, targets: make(map[string]*target)}
	p.reverse = &httputil.ReverseProxy{
		Rewrite:        rewrite,
		Transport:      roundTripper{},
		ModifyResponse: watchResponse,
		BufferPool:     copyBuffers{},
		ErrorHandler:   p.failed,
		// What it logs are errors of copying a body, which are seen to here.
		ErrorLog: options.Logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Trace}),
	}
	return p
}

// Close closes the idle connections.
func (p *Proxy) Close() {
	p.lock.Lock()
	defer p.lock.Unlock()
	for _, t := range p.targets {
		t.close()
	}
	clear(p.targets)
}

// ServeHTTP answers a request to the plugin's path of the server.
func (p *Proxy) ServeHTTP(c *plugin.Context, w http.ResponseWriter, r *http.Request) {
	p.serve("ServeHTTP", c, w, r)
}

// ServeMetrics answers a request to the plugin's path of the server's metrics listener.
func (p *Proxy) ServeMetrics(c *plugin.Context, w http.ResponseWriter, r *http.Request) {
	p.serve("ServeMetrics", c, w, r)
}

// exchange is one request on its way through the proxy.
type exchange struct {
	hook      string
	path      string
	headers   http.Header // what the plugin gets
	url       url.URL
	transport http.RoundTripper
	upgrade   bool // the request asks for another protocol
	body      *requestBody
	response  *responseWriter
	patience  *patience.Patience
}

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange {
	return r.Context().Value(exchangeKey{}).(*exchange)
}

func (p *Proxy) serve(hook string, c *plugin.Context, w http.ResponseWriter, r *http.Request) {
	target, err := p.target(r.Context(), hook)
	switch {
	case errors.Is(err, ErrRestarting):
		unavailable(w)
		return
	case err != nil:
		p.options.Logger.Error("Cannot find the plugin's HTTP server", "hook", hook, "path", r.URL.Path, "error", err)
		http.Error(w, http.StatusText(http.StatusBadGateway), http.StatusBadGateway)
		return
	case target == nil:
		http.NotFound(w, r)
		return
	}

	r = canonical(r)

	// Not the server's own context, with which ReverseProxy would panic to abort a response: over net/rpc that would
	// end the process. See responseWriter.finish.
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	defer context.AfterFunc(r.Context(), func() { cancel(errGone) })()

	x := &exchange{hook: hook, path: r.URL.Path}
	x.patience = patience.New(p.options.AnswerTimeout(hook), func() { cancel(errNoAnswer) })
	defer x.patience.End()
	x.url, x.headers = outgoing(c, r, p.options.PluginID)
	if err := checkRequest(r, x); err != nil {
		p.refuse(w, r, x, err)
		return
	}
	x.response = newResponseWriter(w, func(error) { cancel(errGone) })
	x.body = newRequestBody(r, x.patience)
	x.body.probe(r)
	defer x.body.leave()
	x.transport = target.suitable(r)
	x.response.webSocket = strings.EqualFold(r.Header.Get("Upgrade"), "websocket")

	in := &http.Request{
		Method: r.Method, URL: r.URL, Host: r.Host, Header: r.Header, Body: x.body, ContentLength: x.body.announced,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	p.reverse.ServeHTTP(x.response, in.WithContext(context.WithValue(ctx, exchangeKey{}, x)))
	if err := x.response.finish(); err != nil {
		p.options.Logger.Log(p.severity(), "The plugin's response broke off", "hook", hook, "path", x.path, "error", err)
		abort(w, r)
	}
}

// severity is the level at which a failure of the plugin is logged.
func (p *Proxy) severity() hclog.Level {
	if p.options.Ending != nil && p.options.Ending() {
		return hclog.Info
	}
	return hclog.Error
}

// target returns the plugin's server for the hook; nil if it has none.
func (p *Proxy) target(ctx context.Context, hook string) (*target, error) {
	endpoint, err := p.options.Locate(ctx, hook)
	if err != nil || endpoint == (Endpoint{}) {
		return nil, err
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	current := p.targets[hook]
	if current != nil && current.endpoint == endpoint {
		return current, nil
	}
	if current != nil {
		current.close()
	}
	dial := func(ctx context.Context) (net.Conn, error) { return p.options.Dial(ctx, endpoint) }
	current = &target{endpoint: endpoint, direct: &connections{dial: dial}, transport: &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableCompression: true, // what the client accepts is between it and the plugin
		// A connection that another protocol was asked for, or whose body was perhaps not sent, serves one request.
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHead,
		// A body is sent when the plugin asks for it. If it never answers, patience ends the request.
		ExpectContinueTimeout: 24 * time.Hour,
		ReadBufferSize:        16 << 10,
		WriteBufferSize:       32 << 10,
	}}
	p.targets[hook] = current
	return current, nil
}

// roundTripper sends each request over the connections of its exchange.
type roundTripper struct{}

// RoundTrip implements http.RoundTripper.
func (roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	x := exchangeOf(r)
	response, err := x.transport.RoundTrip(r)
	x.patience.End()
	return response, err
}

func rewrite(r *httputil.ProxyRequest) {
	x := exchangeOf(r.In)
	connection, upgrade := r.Out.Header.Get("Connection"), r.Out.Header.Get("Upgrade")
	r.Out.Header = x.headers
	if x.upgrade = upgrade != ""; x.upgrade {
		r.Out.Header.Set("Connection", connection)
		r.Out.Header.Set("Upgrade", upgrade)
	}
	if r.In.Header.Get("Expect") != "" {
		// To use the connection again, net/http would send the body even after a response that did not ask for it.
		r.Out.Close = true
	}
	r.Out.URL = &x.url
	if r.Out.Host = r.In.Host; r.Out.Host == "" {
		r.Out.Host = x.url.Host // as net/http has it
	}
}

// watchResponse remembers when the plugin's response breaks off, which ReverseProxy does not tell.
func watchResponse(response *http.Response) error {
	x := exchangeOf(response.Request)
	if response.StatusCode == http.StatusNoContent {
		response.Header.Del("Content-Length") // of a body that the client would wait for
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		x.response.expect(response.ContentLength)
		response.Body = &watchedBody{ReadCloser: response.Body, response: x.response}
	}
	return nil
}

// refuse answers a request that is not sent to the plugin.
func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, x *exchange, refusal *refusal) {
	level := hclog.Warn // another plugin has a mistake, or worse
	if refusal.status != http.StatusBadRequest {
		level = hclog.Debug
	}
	p.options.Logger.Log(level, "Refused a request to the plugin", "hook", x.hook, "path", x.path, "status", refusal.status, "error", refusal.error)
	http.Error(w, http.StatusText(refusal.status), refusal.status)
}

// failed answers a request for which there is no response of the plugin's.
func (p *Proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r)
	if cause := context.Cause(r.Context()); cause != nil {
		err = cause
	}
	var dial *net.OpError
	code := http.StatusBadGateway
	switch {
	case errors.Is(err, errGone):
		return // nobody is there to answer to
	case errors.Is(err, errNoAnswer):
		code = http.StatusGatewayTimeout
	case x.body.short():
		err, code = errNoRequest, http.StatusBadRequest
	case errors.As(err, &dial) && dial.Op == "dial":
		code = http.StatusServiceUnavailable
	}
	p.options.Logger.Log(p.severity(), "A request to the plugin failed", "hook", x.hook, "method", r.Method, "path", x.path, "status", code, "error", err)
	if code == http.StatusServiceUnavailable {
		unavailable(w)
		return
	}
	http.Error(w, http.StatusText(code), code)
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", retryAfter)
	http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
}
