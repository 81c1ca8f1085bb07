package contracttest

import (
	"reflect"

	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// Type is a type of the contract with its mappers.
type Type struct {
	// Name is that of the message.
	Name string
	// New returns a pointer to a zero value of the Go type.
	New func() any
	// ToProto takes such a pointer to its message.
	ToProto func(any) proto.Message
	// FromProto takes a message to such a pointer.
	FromProto func(proto.Message) any
	// NewProto returns an empty message.
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
			Name:      "Value",
			New:       func() any { return new(Holder) },
			ToProto:   func(in any) proto.Message { return convert.ValueElementToProto(in.(*Holder).Value) },
			FromProto: func(in proto.Message) any { return &Holder{convert.ValueFromProto(in.(*pluginpb.Value))} },
			NewProto:  func() proto.Message { return new(pluginpb.Value) },
		},
		Type{
			Name:      "Error",
			New:       func() any { return new(ErrorHolder) },
			ToProto:   func(in any) proto.Message { return errorToProto(in.(*ErrorHolder).Err) },
			FromProto: func(in proto.Message) any { return &ErrorHolder{convert.ErrorFromProto(in.(*pluginpb.Error))} },
			NewProto:  func() proto.Message { return new(pluginpb.Error) },
		},
	)
}

func errorToProto(err error) *pluginpb.Error {
	if out := convert.ErrorToProto(err); out != nil {
		return out
	}
	return new(pluginpb.Error)
}

// entry describes a struct type by its two mappers.
func entry[G, P any, M interface {
	*P
	proto.Message
}](to func(*G) M, from func(M) *G) Type {
	return Type{
		Name:      reflect.TypeFor[P]().Name(),
		New:       func() any { return new(G) },
		ToProto:   func(in any) proto.Message { return to(in.(*G)) },
		FromProto: func(in proto.Message) any { return from(in.(M)) },
		NewProto:  func() proto.Message { return M(new(P)) },
	}
}
