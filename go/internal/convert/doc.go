// Package convert takes the Go types of Mattermost's plugin contract to their protobuf messages and back.
//
// For every struct T there are TToProto and TFromProto (nil in, nil out) and TInto, which fills a T in place: a T
// may hold a mutex and must then not be copied. They are generated, straight-line code without reflection.
//
// Slices, maps and pointers are shared between both sides wherever their Go types allow it: a message is encoded or
// dropped before anyone could change it. An empty slice or map equals a nil one on the wire, as it does for gob.
//
// What the schema has no rule for is written by hand, in the files *_special.go.
package convert
