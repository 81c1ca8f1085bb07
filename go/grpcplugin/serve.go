package grpcplugin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// Handshake is how hosts and plugins recognise each other, for a ServeConfig.
var Handshake = handshake.Config

// Implementation is a plugin: a struct that embeds plugin.MattermostPlugin. A hook is a method with the name and the
// signature that plugin.Hooks gives it; those that are not there are not called.
type Implementation interface {
	SetAPI(api plugin.API)
	SetDriver(driver plugin.Driver)
}

// ClientMain serves the plugin until its host has enough of it. It is the main function of a plugin. Options change
// how it is served, as those of server/public/plugin do (plugin.WithTestContext, ...).
func ClientMain(implementation Implementation, options ...func(config *goplugin.ServeConfig) error) {
	served := &Plugin{Implementation: implementation}
	config := &goplugin.ServeConfig{
		HandshakeConfig: Handshake,
		Plugins:         goplugin.PluginSet{handshake.Hooks: served},
		GRPCServer:      Server,
	}
	for _, option := range options {
		if err := option(config); err != nil {
			fmt.Fprintf(os.Stderr, "cannot serve the plugin: %v\n", err)
			os.Exit(1)
		}
	}
	implementation.SetAPI(nil)
	implementation.SetDriver(nil)
	goplugin.Serve(config)
	served.close()
}

// Server is goplugin.DefaultGRPCServer without its limit of 4 MiB for a message, for the GRPCServer of a ServeConfig.
func Server(options []grpc.ServerOption) *grpc.Server {
	options = append(options, service.ServerOptions()...)
	return goplugin.DefaultGRPCServer(append(options, grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32)))
}

// Plugin is an Implementation as go-plugin's Serve wants it, under the name "hooks".
type Plugin struct {
	goplugin.NetRPCUnsupportedPlugin
	Implementation Implementation

	servers []*hooksServer
}

var _ goplugin.GRPCPlugin = (*Plugin)(nil)

// GRPCServer registers the hooks.
func (p *Plugin) GRPCServer(broker *goplugin.GRPCBroker, server *grpc.Server) error {
	hooks := &hooksServer{plugin: p.Implementation, broker: broker}
	p.servers = append(p.servers, hooks)
	server.RegisterService(&hooksService, hooks)
	return nil
}

// GRPCClient is for hosts; package host is one.
func (p *Plugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("package grpcplugin hosts no plugins: package host does")
}

// close ends what the hooks began.
func (p *Plugin) close() {
	for _, server := range p.servers {
		server.close()
	}
}
