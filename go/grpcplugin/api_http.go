package grpcplugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

type pluginHTTPStream = grpc.BidiStreamingClient[convert.PluginHTTPRequest, convert.PluginHTTPResponse]

// PluginHTTP asks another plugin. The bodies of request and response stream; the response's is to be closed. nil: the
// request did not reach the plugin, and the log says why.
func (a *apiClient) PluginHTTP(request *http.Request) *http.Response {
	ctx, cancel := context.WithCancelCause(context.Background())
	response, err := a.askPlugin(ctx, cancel, request)
	if err != nil {
		cancel(nil)
		logFailure("PluginHTTP", err)
		return nil
	}
	return response
}

func (a *apiClient) askPlugin(ctx context.Context, cancel context.CancelCauseFunc, request *http.Request) (*http.Response, error) {
	stream, err := service.OpenStream[convert.PluginHTTPRequest, convert.PluginHTTPResponse](ctx, a.conn,
		grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, apiPath+"PluginHTTP")
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&convert.PluginHTTPRequest{Head: requestHead(request)}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	go func() {
		if err := sendBody(stream, request); err != nil {
			cancel(err)
		}
	}()
	first, err := stream.Recv()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, err
	}
	answer := first.Head
	if answer == nil || answer.StatusCode == 0 {
		return nil, errors.New("the server gave no response")
	}
	response := &http.Response{
		StatusCode: answer.StatusCode,
		Status:     fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode)),
		Header:     answer.Header,
		Proto:      request.Proto, ProtoMajor: request.ProtoMajor, ProtoMinor: request.ProtoMinor,
		Request: request,
	}
	if response.Header == nil {
		response.Header = http.Header{}
	}
	response.ContentLength = -1
	if length, err := strconv.ParseInt(response.Header.Get("Content-Length"), 10, 64); err == nil {
		response.ContentLength = length
	}
	response.Body = &responseBody{cancel: cancel, chunkReader: chunkReader{next: func() ([]byte, error) {
		message, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		return message.Chunk, nil
	}}}
	return response, nil
}

// requestHead is all of a request but its body. Whether there is one is what the headers say.
func requestHead(request *http.Request) *convert.PluginHTTPRequestHead {
	head := &convert.PluginHTTPRequestHead{
		Method: request.Method, Url: request.URL.RequestURI(), Host: request.Host, RemoteAddr: request.RemoteAddr,
		Header: make(http.Header, len(request.Header)+1),
	}
	if head.Method == "" {
		head.Method = http.MethodGet
	}
	for name, values := range request.Header {
		head.Header[name] = values
	}
	// As net/http has it, the request's fields say how long the body is.
	delete(head.Header, "Content-Length")
	delete(head.Header, "Transfer-Encoding")
	switch {
	case request.Body == nil || request.Body == http.NoBody:
	case request.ContentLength > 0:
		head.Header["Content-Length"] = []string{strconv.FormatInt(request.ContentLength, 10)}
	default:
		head.Header["Transfer-Encoding"] = []string{"chunked"}
	}
	return head
}

// sendBody sends the body of a request. That nobody wants (all of) it is no error.
func sendBody(stream pluginHTTPStream, request *http.Request) error {
	defer func() { _ = stream.CloseSend() }() // fails only when the stream is over
	if request.Body == nil {
		return nil
	}
	defer request.Body.Close()
	buffer := make([]byte, chunkSize)
	for {
		n, err := request.Body.Read(buffer)
		if n > 0 {
			if stream.Send(&convert.PluginHTTPRequest{Chunk: buffer[:n]}) != nil {
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the body of the request: %w", err)
		}
	}
}

// responseBody is the body of a response, of which as much is fetched as is read.
type responseBody struct {
	chunkReader
	cancel context.CancelCauseFunc
}

// Close says that nobody reads on.
func (b *responseBody) Close() error {
	b.cancel(nil)
	return nil
}
