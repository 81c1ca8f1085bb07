// Package grpcplugin runs a Mattermost plugin written in Go over gRPC instead of net/rpc.
//
// A plugin is the same struct as ever: it embeds plugin.MattermostPlugin and has the hooks it wants as methods. Its
// main function calls [ClientMain] of this package where it called that of server/public/plugin:
//
//	func main() { grpcplugin.ClientMain(&MyPlugin{}) }
//
// The host must offer gRPC: package host does, a Mattermost server as it is does not.
//
// [Plugin] is the same for go-plugin's own Serve. What plugin.API returns, and to whom a hook's results go, is as over
// net/rpc, but for two things: a call of the API that did not reach the server is an error where the method has one to
// return, and files and HTTP stream with flow control.
//
// One line per method is generated from schema/model.json (files *_gen.go).
package grpcplugin
