package service

import (
	"context"

	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// message is a *T that is a convert.Message.
type message[T any] interface {
	*T
	convert.Message
}

// Call makes a call of one request and one response, over a connection with the Codec.
func Call[Response any, P message[Response]](ctx context.Context, conn grpc.ClientConnInterface, method string, in convert.Message) (*Response, error) {
	out := new(Response)
	if err := conn.Invoke(ctx, method, in, P(out)); err != nil {
		return nil, err
	}
	return out, nil
}

// OpenStream begins a call of a method that streams, likewise.
func OpenStream[Request, Response any](ctx context.Context, conn grpc.ClientConnInterface, desc grpc.StreamDesc, method string) (*grpc.GenericClientStream[Request, Response], error) {
	stream, err := conn.NewStream(ctx, &desc, method)
	if err != nil {
		return nil, err
	}
	return &grpc.GenericClientStream[Request, Response]{ClientStream: stream}, nil
}

// Unary describes a method of S, for a server with the Codec.
func Unary[S, Request, Response any](name string, method func(S, context.Context, *Request) (*Response, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(server any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := new(Request)
		if err := decode(in); err != nil {
			return nil, err
		}
		if intercept == nil {
			return method(server.(S), ctx, in)
		}
		path, _ := grpc.Method(ctx)
		info := &grpc.UnaryServerInfo{Server: server, FullMethod: path}
		return intercept(ctx, in, info, func(ctx context.Context, in any) (any, error) {
			return method(server.(S), ctx, in.(*Request))
		})
	}}
}

// ServerStream describes a method with a stream of responses.
func ServerStream[S, Request, Response any](name string, method func(S, *Request, grpc.ServerStreamingServer[Response]) error) grpc.StreamDesc {
	return grpc.StreamDesc{StreamName: name, ServerStreams: true, Handler: func(server any, stream grpc.ServerStream) error {
		in := new(Request)
		if err := stream.RecvMsg(in); err != nil {
			return err
		}
		return method(server.(S), in, &grpc.GenericServerStream[Request, Response]{ServerStream: stream})
	}}
}

// ClientStream describes a method with a stream of requests.
func ClientStream[S, Request, Response any](name string, method func(S, grpc.ClientStreamingServer[Request, Response]) error) grpc.StreamDesc {
	return grpc.StreamDesc{StreamName: name, ClientStreams: true, Handler: func(server any, stream grpc.ServerStream) error {
		return method(server.(S), &grpc.GenericServerStream[Request, Response]{ServerStream: stream})
	}}
}

// BidiStream describes a method with streams both ways.
func BidiStream[S, Request, Response any](name string, method func(S, grpc.BidiStreamingServer[Request, Response]) error) grpc.StreamDesc {
	return grpc.StreamDesc{StreamName: name, ServerStreams: true, ClientStreams: true, Handler: func(server any, stream grpc.ServerStream) error {
		return method(server.(S), &grpc.GenericServerStream[Request, Response]{ServerStream: stream})
	}}
}
