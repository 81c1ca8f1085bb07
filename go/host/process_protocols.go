package host

import (
	"context"
	"errors"
	"net/rpc"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// hooksPlugin is what go-plugin knows of a plugin: how to connect to its hooks over either protocol.
type hooksPlugin struct {
	netrpc goplugin.Plugin // nil: net/rpc is not offered
}

var (
	_ goplugin.Plugin     = (*hooksPlugin)(nil)
	_ goplugin.GRPCPlugin = (*hooksPlugin)(nil)
)

// connection is what a gRPC plugin is dispensed as.
type connection struct {
	conn   *grpc.ClientConn
	broker *goplugin.GRPCBroker
}

var errHost = errors.New("package host serves no plugins")

// Server is for the plugin's side.
func (*hooksPlugin) Server(*goplugin.MuxBroker) (any, error) { return nil, errHost }

// GRPCServer is for the plugin's side, too.
func (*hooksPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return errHost }

// Client returns Mattermost's own client of the hooks.
func (p *hooksPlugin) Client(broker *goplugin.MuxBroker, client *rpc.Client) (any, error) {
	if p.netrpc == nil {
		return nil, errors.New("this host does not take plugins over net/rpc")
	}
	return p.netrpc.Client(broker, client)
}

// GRPCClient returns the connection as it is.
func (*hooksPlugin) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &connection{conn: conn, broker: broker}, nil
}
