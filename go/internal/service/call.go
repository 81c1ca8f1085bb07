package service

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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

// Unary describes a method of S.
func Unary[S, Request, Response any, P message[Request], Q message[Response]](name string, method func(S, context.Context, *Request) (*Response, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(server any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := &struct {
			envelope
			request Request
		}{}
		in.message = P(&in.request)
		if err := decode(&in.envelope); err != nil {
			return nil, err
		}
		foreign, err := in.open()
		if err != nil {
			return nil, status.Errorf(codes.Internal, "the request of %s cannot be read: %v", name, err)
		}
		handle := func(ctx context.Context, request any) (any, error) {
			out, err := method(server.(S), ctx, request.(*Request))
			if err != nil {
				return nil, err
			}
			if foreign {
				return foreignMessage(Q(out)), nil
			}
			return out, nil
		}
		if intercept == nil {
			return handle(ctx, &in.request)
		}
		path, _ := grpc.Method(ctx)
		return intercept(ctx, &in.request, &grpc.UnaryServerInfo{Server: server, FullMethod: path}, handle)
	}}
}

// ServerStream describes a method with a stream of responses.
func ServerStream[S, Request, Response any](name string, method func(S, *Request, grpc.ServerStreamingServer[Response]) error) grpc.StreamDesc {
	return grpc.StreamDesc{StreamName: name, ServerStreams: true, Handler: func(server any, stream grpc.ServerStream) error {
		in, open := new(Request), &openStream{ServerStream: stream}
		if err := open.RecvMsg(in); err != nil {
			return err
		}
		return method(server.(S), in, &grpc.GenericServerStream[Request, Response]{ServerStream: open})
	}}
}

// ClientStream describes a method with a stream of requests.
func ClientStream[S, Request, Response any](name string, method func(S, grpc.ClientStreamingServer[Request, Response]) error) grpc.StreamDesc {
	return grpc.StreamDesc{StreamName: name, ClientStreams: true, Handler: func(server any, stream grpc.ServerStream) error {
		return method(server.(S), &grpc.GenericServerStream[Request, Response]{ServerStream: &openStream{ServerStream: stream}})
	}}
}

// BidiStream describes a method with streams both ways.
func BidiStream[S, Request, Response any](name string, method func(S, grpc.BidiStreamingServer[Request, Response]) error) grpc.StreamDesc {
	return grpc.StreamDesc{StreamName: name, ServerStreams: true, ClientStreams: true, Handler: func(server any, stream grpc.ServerStream) error {
		return method(server.(S), &grpc.GenericServerStream[Request, Response]{ServerStream: &openStream{ServerStream: stream}})
	}}
}
