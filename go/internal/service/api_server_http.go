package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
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

// pluginRequest returns the request for a head, with the body that follows it.
func pluginRequest(head *convert.PluginHTTPRequestHead, body io.Reader) (*http.Request, error) {
	target, err := url.Parse(head.Url)
	if err != nil {
		return nil, fmt.Errorf("the URL of a request to a plugin: %w", err)
	}
	request := &http.Request{
		Method: head.Method, URL: target, Host: head.Host, RemoteAddr: head.RemoteAddr,
		Header: make(http.Header, len(head.Header)),
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	for name, values := range head.Header {
		for _, value := range values {
			request.Header.Add(name, value)
		}
	}
	length, err := strconv.ParseInt(request.Header.Get("Content-Length"), 10, 64)
	if err != nil {
		length = -1
	}
	// The head is that of a request to be sent: whether it has a body is what its headers say.
	if chunked := request.Header.Get("Transfer-Encoding") != ""; chunked || length > 0 {
		request.Body, request.ContentLength = io.NopCloser(body), length
	}
	request.Header.Del("Transfer-Encoding")
	return request, nil
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
