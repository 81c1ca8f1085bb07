package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/mattermost/mattermost/server/public/plugin"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpcheck"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpcstream"
)

// PluginHTTP asks another plugin. The bodies of request and response are streams, at the same time as far as the
// server lets them be.
func (s *apiServer) PluginHTTP(stream grpc.BidiStreamingServer[convert.PluginHTTPRequest, convert.PluginHTTPResponse]) error {
	return run(stream.Context(), &s.server, "PluginHTTP", func(target plugin.API, done func() error) error {
		first, err := stream.Recv()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || first.Head == nil {
			return status.Error(codes.InvalidArgument, "the first message of PluginHTTP must be its head")
		}
		request, err := pluginRequest(first.Head, newChunkReader(&convert.PluginHTTPRequest{}, stream.RecvMsg))
		if err != nil {
			return status.Error(codes.InvalidArgument, err.Error())
		}
		response, err := s.askPlugin(stream.Context(), target, request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		// A caller that has enough ends the stream, which must end what is read for it.
		defer context.AfterFunc(stream.Context(), func() { response.Body.Close() })()
		if failure := done(); failure != nil {
			return failure
		}
		return sendResponse(stream, response)
	})
}

// pluginRequest returns the request for a head, with the body that follows it. What is no HTTP is refused: the head is
// from a process that need not use an SDK, and the server checks nothing.
func pluginRequest(head *convert.PluginHTTPRequestHead, body io.Reader) (*http.Request, error) {
	target, err := pluginURL(head.Url)
	if err != nil {
		return nil, err
	}
	request := &http.Request{
		Method: cmp.Or(head.Method, http.MethodGet), URL: target, Host: head.Host, RemoteAddr: head.RemoteAddr,
		Header: make(http.Header, len(head.Header)),
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	for name, values := range head.Header {
		for _, value := range values {
			request.Header.Add(name, value)
		}
	}
	if !httpguts.ValidHeaderFieldValue(request.RemoteAddr) {
		return nil, errors.New("the remote address of a request contains a control character")
	}
	length, err := httpcheck.BodyLength(request.Header)
	err = cmp.Or(err, httpcheck.Method(request.Method), httpcheck.Host(request.Host), httpcheck.Header(request.Header))
	if err != nil {
		return nil, fmt.Errorf("a request to a plugin: %w", err)
	}
	// The head is that of a request to be sent: whether it has a body is what its headers say.
	if chunked := request.Header.Get("Transfer-Encoding") != ""; chunked || length > 0 {
		request.Body, request.ContentLength = io.NopCloser(body), length
	}
	request.Header.Del("Transfer-Encoding")
	return request, nil
}

// pluginURL returns the URL with which the server is asked for a path of a plugin, as "/com.example.other/path?query".
//
// The server takes the path, unescaped, apart, parses what follows the plugin's id as a URL, and does not look at the
// error: a percent sign in the path, or a control character, would end its process, and a question mark the path. So
// it gets a path that is, unescaped, still the escaped one.
func pluginURL(text string) (*url.URL, error) {
	asked, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the URL of a request to a plugin: %w", err)
	}
	// The server would leave out what it cannot read.
	if _, err := url.ParseQuery(asked.RawQuery); err != nil {
		return nil, fmt.Errorf("the query of a request to a plugin: %w", err)
	}
	id, path, found := strings.Cut(strings.TrimPrefix(asked.EscapedPath(), "/"), "/")
	if !found {
		return asked, nil // the server answers that there is no path
	}
	if rest, double := strings.CutPrefix(path, "/"); double {
		path = "%2F" + rest // two slashes would begin a host
	}
	return &url.URL{Path: "/" + id + "/" + path, RawQuery: asked.RawQuery}, nil
}

// askPlugin is PluginHTTP of an API that cannot be interrupted. A response that comes too late is closed.
func (s *apiServer) askPlugin(ctx context.Context, api plugin.API, request *http.Request) (*http.Response, error) {
	answered := make(chan *http.Response, 1)
	go func() {
		var response *http.Response
		var panicked error
		defer func() { answered <- response }()
		defer s.rescue("PluginHTTP", &panicked) // which logs it
		response = api.PluginHTTP(request)
	}()
	select {
	case response := <-answered:
		if response == nil || response.Body == nil || response.StatusCode == 0 {
			if response != nil && response.Body != nil {
				response.Body.Close()
			}
			return nil, status.Error(codes.Unavailable, "the server did not hand the request to the plugin; its log says why")
		}
		if conn := netrpcstream.Of(response.Body); conn != nil {
			response.Body = conn
		}
		return response, nil
	case <-ctx.Done():
		go func() {
			if response := <-answered; response != nil && response.Body != nil {
				response.Body.Close()
			}
		}()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// sendResponse sends the head and then the body as it comes.
func sendResponse(stream grpc.BidiStreamingServer[convert.PluginHTTPRequest, convert.PluginHTTPResponse], response *http.Response) error {
	head := &convert.PluginHTTPResponseHead{StatusCode: response.StatusCode, Header: response.Header}
	if err := stream.Send(&convert.PluginHTTPResponse{Head: head}); err != nil {
		return err
	}
	readErr, err := copyChunks(response.Body.Read, stream.SendMsg)
	if readErr != nil {
		return status.Errorf(codes.Unavailable, "the plugin's response broke off: %v", readErr)
	}
	return err
}
