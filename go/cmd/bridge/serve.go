package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// serve answers the server until it has enough of the plugin. plugins returns what a connection provides, given what
// Mattermost's own code would; link is nil where go-plugin alone serves the connection.
func serve(implementation any, logger hclog.Logger, plugins func(mattermosts goplugin.Plugin, link *service.ServerLink) goplugin.PluginSet) error {
	config := service.NetRPCConfig(implementation)
	mattermosts := config.Plugins[handshake.Hooks]
	if isUnusual() {
		config.Logger, config.Plugins = logger, plugins(mattermosts, nil)
		goplugin.Serve(config)
		return nil
	}
	// The directory is the server's choice if it has made one, and may hold sockets of others.
	address := filepath.Join(os.Getenv(handshake.SocketDirVariable), fmt.Sprintf("plugin%d", os.Getpid()))
	listener, err := net.Listen("unix", address)
	if err != nil {
		return fmt.Errorf("listen for the server: %w", err)
	}
	defer listener.Close()                               // nothing is left to be done about an error
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // which is for the server alone
	if _, err := fmt.Println(handshake.Line(listener.Addr())); err != nil {
		return fmt.Errorf("answer the server's handshake: %w", err)
	}
	service.ServeNetRPC(listener, func(link *service.ServerLink) goplugin.PluginSet { return plugins(mattermosts, link) }, logger)
	return nil
}

// isUnusual tells whether the server asks for something that is go-plugin's business.
func isUnusual() bool {
	return os.Getenv("PLUGIN_CLIENT_CERT") != "" || os.Getenv("PLUGIN_UNIX_SOCKET_GROUP") != "" || runtime.GOOS == "windows"
}
