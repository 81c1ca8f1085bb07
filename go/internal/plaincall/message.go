package plaincall

import (
	"fmt"

	"google.golang.org/protobuf/proto"
)

// Message is a request or a response that encodes itself. What else is called with has to be a message of protobuf.
type Message interface {
	// Append appends the encoding of the message.
	Append(b []byte) []byte
	// Parse reads it, into a message that is its zero value, and may keep data.
	Parse(data []byte) error
}

// encodes tells whether a message can be appended.
func encodes(message any) bool {
	switch message.(type) {
	case Message, proto.Message:
		return true
	}
	return false
}

// appendMessage appends the encoding of a message.
func appendMessage(b []byte, message any) ([]byte, error) {
	switch message := message.(type) {
	case Message:
		return message.Append(b), nil
	case proto.Message:
		return proto.MarshalOptions{}.MarshalAppend(b, message)
	}
	return nil, fmt.Errorf("%T is no message", message)
}

// parseMessage reads a message from data, which nobody else uses any more.
func parseMessage(data []byte, message any) error {
	switch message := message.(type) {
	case Message:
		return message.Parse(data)
	case proto.Message:
		return proto.Unmarshal(data, message)
	}
	return fmt.Errorf("%T is no message", message)
}
