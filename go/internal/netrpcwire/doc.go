// Package netrpcwire speaks net/rpc over streams that many calls share.
//
// What goes over the wire is net/rpc's: requests and responses in encoding/gob. Its server starts a goroutine for each
// call, whose stack grows anew each time, calls by reflection, and writes each response by itself. [Serve] has
// goroutines that stay and functions that are known, and hands responses to a stream that writes several at once.
// [NewClient] is net/rpc's own client over such a stream.
package netrpcwire
