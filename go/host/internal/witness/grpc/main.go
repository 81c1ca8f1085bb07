// Command grpc is the witness as a Go plugin over gRPC, served by go-plugin as it is.
package main

import (
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/grpcplugin"
	"github.com/mattermost-plugin/mattermost-plugin/go/host/internal/witness"
)

func main() {
	witness.Start()
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: grpcplugin.Handshake,
		Plugins:         goplugin.PluginSet{"hooks": &grpcplugin.Plugin{Implementation: &witness.Plugin{}}},
		GRPCServer:      goplugin.DefaultGRPCServer,
	})
}
