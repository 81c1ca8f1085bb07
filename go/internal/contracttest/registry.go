package contracttest

import (
	"reflect"

	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// Type is a type of the contract with its codec.
type Type struct {
	// Name is that of the message.
	Name string
	// New returns a pointer to a zero value of the Go type.
	New func() any
	// Append appends the encoding of what such a pointer points to.
	Append func(b []byte, in any) []byte
	// Parse reads it into such a pointer.
	Parse func(data []byte, out any) error
	// NewProto returns an empty message of package pluginpb.
	NewProto func() proto.Message
}

// Holder holds a value of any type, so that it can be treated as a struct of the contract.
type Holder struct{ Value any }

// ErrorHolder holds an error of any type.
type ErrorHolder struct{ Err error }

// Types returns every struct type of the contract, and the two interfaces in their holders.
func Types() []Type {
	return append(structTypes(),
		Type{
			Name:   "Value",
			New:    func() any { return new(Holder) },
			Append: func(b []byte, in any) []byte { return convert.AppendValue(b, in.(*Holder).Value) },
			Parse: func(data []byte, out any) (err error) {
				out.(*Holder).Value, err = convert.ParseValue(data)
				return err
			},
			NewProto: func() proto.Message { return new(pluginpb.Value) },
		},
		Type{
			Name:   "Error",
			New:    func() any { return new(ErrorHolder) },
			Append: func(b []byte, in any) []byte { return convert.AppendError(b, in.(*ErrorHolder).Err) },
			Parse: func(data []byte, out any) (err error) {
				out.(*ErrorHolder).Err, err = convert.ParseError(data)
				return err
			},
			NewProto: func() proto.Message { return new(pluginpb.Error) },
		},
	)
}

// MessageTypes returns the requests and responses of all methods, where they do not stream.
func MessageTypes() []Type { return messageTypes() }

// PartTypes returns the parts of all streams.
func PartTypes() []Type { return partTypes() }

type protoMessage[P any] interface {
	*P
	proto.Message
}

// entry describes a struct type by its codec.
func entry[P, G any, M protoMessage[P]](add func([]byte, *G) []byte, parse func([]byte, *G) error) Type {
	return Type{
		Name:     reflect.TypeFor[P]().Name(),
		New:      func() any { return new(G) },
		Append:   func(b []byte, in any) []byte { return add(b, in.(*G)) },
		Parse:    func(data []byte, out any) error { return parse(data, out.(*G)) },
		NewProto: func() proto.Message { return M(new(P)) },
	}
}

// messageEntry describes a message of a method.
func messageEntry[P, G any, M protoMessage[P], C interface {
	*G
	convert.Message
}]() Type {
	return entry[P, G, M](
		func(b []byte, in *G) []byte { return C(in).Append(b) },
		func(data []byte, out *G) error { return C(out).Parse(data) })
}

// ToProto returns the message that an encoding is of, for tests that deal in messages. It panics if it is none.
func ToProto[P any, M protoMessage[P]](encoded []byte) M {
	out := M(new(P))
	if err := proto.Unmarshal(encoded, out); err != nil {
		panic(err)
	}
	return out
}

// FromProto reads a message into a new value of the Go type, nil for none. It panics if it cannot be read.
func FromProto[G any](in proto.Message, parse func([]byte, *G) error) *G {
	if !in.ProtoReflect().IsValid() {
		return nil
	}
	out := new(G)
	if err := parse(encoded(in), out); err != nil {
		panic(err)
	}
	return out
}

// ValueFromProto is FromProto for what an interface holds.
func ValueFromProto(in *pluginpb.Value) any {
	out, err := convert.ParseValue(encoded(in))
	if err != nil {
		panic(err)
	}
	return out
}

// ErrorFromProto is FromProto for an error.
func ErrorFromProto(in *pluginpb.Error) error {
	out, err := convert.ParseError(encoded(in))
	if err != nil {
		panic(err)
	}
	return out
}

func encoded(in proto.Message) []byte {
	out, err := proto.Marshal(in)
	if err != nil {
		panic(err)
	}
	return out
}
