package service

import (
	"context"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Codec returns the codec of ServerOptions, for servers that are not grpc-go's.
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

// codec is gRPC's own codec for protobuf, but that texts which are no UTF-8 travel too. Go's strings may hold any
// bytes, and some that people control do (a User-Agent, the name of a file), whereas protobuf refuses to encode
// them: such bytes are replaced by U+FFFD, as everything that prints them does.
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
	if chunk, ok := v.(sentChunk); ok {
		return chunk.marshal(), nil
	}
	data, err := c.CodecV2.Marshal(v)
	if err == nil {
		return data, nil
	}
	message, ok := v.(proto.Message)
	if !ok {
		return nil, err
	}
	// A copy, because the message shares its maps and slices with what it was made of.
	valid := proto.Clone(message)
	if !makeValid(valid.ProtoReflect()) {
		return nil, err
	}
	return c.CodecV2.Marshal(valid)
}

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if part, ok := v.(*receivedPart); ok {
		return part.unmarshal(data, c.CodecV2.Unmarshal)
	}
	return c.CodecV2.Unmarshal(data, v)
}

// makeValid replaces what is no UTF-8 in all texts of a message, and tells whether there was any.
func makeValid(message protoreflect.Message) bool {
	changed := false
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			changed = makeMapValid(field, value.Map()) || changed
		case field.IsList():
			changed = makeListValid(field, value.List()) || changed
		case field.Message() != nil:
			changed = makeValid(value.Message()) || changed
		case field.Kind() == protoreflect.StringKind && !utf8.ValidString(value.String()):
			message.Set(field, validText(value.String()))
			changed = true
		}
		return true
	})
	return changed
}

func makeListValid(field protoreflect.FieldDescriptor, list protoreflect.List) bool {
	changed := false
	for i := range list.Len() {
		switch {
		case field.Message() != nil:
			changed = makeValid(list.Get(i).Message()) || changed
		case field.Kind() == protoreflect.StringKind && !utf8.ValidString(list.Get(i).String()):
			list.Set(i, validText(list.Get(i).String()))
			changed = true
		}
	}
	return changed
}

func makeMapValid(field protoreflect.FieldDescriptor, entries protoreflect.Map) bool {
	changed := false
	entries.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		switch {
		case field.MapValue().Message() != nil:
			changed = makeValid(value.Message()) || changed
		case field.MapValue().Kind() == protoreflect.StringKind && !utf8.ValidString(value.String()):
			value = validText(value.String())
			entries.Set(key, value)
			changed = true
		}
		if field.MapKey().Kind() == protoreflect.StringKind && !utf8.ValidString(key.String()) {
			entries.Clear(key)
			entries.Set(protoreflect.MapKey(validText(key.String())), value)
			changed = true
		}
		return true
	})
	return changed
}

func validText(text string) protoreflect.Value {
	return protoreflect.ValueOfString(strings.ToValidUTF8(text, string(utf8.RuneError)))
}

// lenientConn is a connection whose calls use the codec.
type lenientConn struct {
	grpc.ClientConnInterface
	option grpc.CallOption
}

func newLenientConn(cc grpc.ClientConnInterface) lenientConn {
	return lenientConn{cc, grpc.ForceCodecV2(newCodec())}
}

// Invoke implements grpc.ClientConnInterface.
func (l lenientConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return l.ClientConnInterface.Invoke(ctx, method, args, reply, append(opts, l.option)...)
}

// NewStream implements grpc.ClientConnInterface.
func (l lenientConn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return l.ClientConnInterface.NewStream(ctx, desc, method, append(opts, l.option)...)
}
