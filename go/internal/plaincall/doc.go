// Package plaincall calls gRPC methods of one request and one response, with a fraction of the work that grpc-go does
// for a call. It is for hooks, where the host's share is most of what a call costs.
//
// It speaks gRPC over HTTP/2 to any server, over a connection of its own beside the one of grpc-go. Whatever is not
// plain goes over that: streams, metadata, messages too large for one frame, a peer that has no room. Its wire format
// is the general one but for three choices that a client is free to make: header fields are literals, so that a block
// can be a constant; a deadline of many seconds is announced in whole seconds, rounded up, for the same reason; and the
// server is allowed no dynamic table, so that a response block means the same whenever it comes.
package plaincall
