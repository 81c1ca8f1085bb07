package service

import (
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// envelope lets a server receive a message with the Codec or with gRPC's own, which is that of a plugin's server unless
// the plugin has chosen another. To gRPC's own codec it is a message of which no field is known: what they are stays.
type envelope struct {
	emptypb.Empty
	message convert.Message
	parsed  bool // the Codec did
}

// Append implements convert.Message.
func (e *envelope) Append(b []byte) []byte { return e.message.Append(b) }

// Parse implements convert.Message.
func (e *envelope) Parse(data []byte) error {
	e.parsed = true
	return e.message.Parse(data)
}

// open reads the message unless that has been done. It tells whether it was there for gRPC's own codec.
func (e *envelope) open() (foreign bool, err error) {
	if e.parsed {
		return false, nil
	}
	return true, e.message.Parse(e.ProtoReflect().GetUnknown())
}

// foreignMessage returns a message for gRPC's own codec.
func foreignMessage(message convert.Message) proto.Message {
	out := new(emptypb.Empty)
	out.ProtoReflect().SetUnknown(protoreflect.RawFields(message.Append(nil)))
	return out
}

// openStream is a stream whose messages come in envelopes.
type openStream struct {
	grpc.ServerStream
	foreign bool // there are no others
}

// RecvMsg implements grpc.ServerStream.
func (s *openStream) RecvMsg(m any) error {
	message, ok := m.(convert.Message)
	if !ok {
		return s.ServerStream.RecvMsg(m)
	}
	in := &envelope{message: message}
	err := s.ServerStream.RecvMsg(in)
	if err == nil {
		s.foreign, err = in.open()
	}
	return err
}

// SendMsg implements grpc.ServerStream.
func (s *openStream) SendMsg(m any) error {
	if message, ok := m.(convert.Message); ok && s.foreign {
		return s.ServerStream.SendMsg(foreignMessage(message))
	}
	return s.ServerStream.SendMsg(m)
}
