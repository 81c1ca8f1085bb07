package service

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// Codec returns the codec of ServerOptions, for servers that are not grpc-go's, and for their clients.
func Codec() encoding.CodecV2 { return newCodec() }

// ServerOptions are the options a gRPC server of the services of this package needs.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(newCodec()),
		// Goroutines that are there already have stacks that need not grow for each call: a tenth of its cost.
		grpc.NumStreamWorkers(streamWorkers),
	}
}

// streamWorkers is for how many calls at once there is a goroutine ready; more calls get new ones.
const streamWorkers = 32

// codec carries the messages of package convert, and those of protobuf as gRPC's own codec does: go-plugin's services
// have the same server.
type codec struct {
	encoding.CodecV2
}

func newCodec() codec {
	return codec{encoding.GetCodecV2(encodingproto.Name)}
}

// Name is empty, which leaves the content type of the messages at the default.
func (codec) Name() string { return "" }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	switch v := v.(type) {
	case convert.Message:
		return mem.BufferSlice{mem.SliceBuffer(v.Append(nil))}, nil
	case sentChunk:
		return v.marshal(), nil
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch v := v.(type) {
	case convert.Message:
		return v.Parse(data.Materialize()) // which keeps them
	case *receivedPart:
		return v.unmarshal(data)
	}
	return c.CodecV2.Unmarshal(data, v)
}

// WithCodec returns a connection whose calls use the Codec.
func WithCodec(cc grpc.ClientConnInterface) grpc.ClientConnInterface {
	return codecConn{cc, []grpc.CallOption{grpc.ForceCodecV2(newCodec())}}
}

// codecConn is what WithCodec returns.
type codecConn struct {
	grpc.ClientConnInterface
	options []grpc.CallOption
}

// Invoke implements grpc.ClientConnInterface.
func (c codecConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return c.ClientConnInterface.Invoke(ctx, method, args, reply, c.with(opts)...)
}

// NewStream implements grpc.ClientConnInterface.
func (c codecConn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.ClientConnInterface.NewStream(ctx, desc, method, c.with(opts)...)
}

func (c codecConn) with(opts []grpc.CallOption) []grpc.CallOption {
	if len(opts) == 0 {
		return c.options
	}
	return append(opts, c.options...)
}
