// Package convert takes the Go types of Mattermost's plugin contract to protobuf's encoding and back, without a message
// in between.
//
// For every struct T there are AppendT, which appends its encoding to a slice, and ParseT, which reads it into a T that
// is there, because a T may hold a mutex. The request and the response of every method are structs of this package,
// which do both themselves, see [Message]. All of it is generated, straight-line code without reflection.
//
// What is written is what protobuf's own encoder would write for the message, and what is read means what its decoder
// would take it for: what has its zero value is left out, unknown fields are skipped, of a field that comes twice the
// last one counts or, of messages, both together. An empty slice or map equals a nil one, as it does for gob. A text
// that is no UTF-8 travels with U+FFFD in the place of what is not: Go's strings may hold any bytes, and some that
// people control do (a User-Agent, the name of a file), whereas protobuf refuses them.
//
// What the schema has no rule for is written by hand, in the files *_special.go.
package convert
