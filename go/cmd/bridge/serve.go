package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// serve answers the server until it has enough of the plugin. configure returns what is served on a connection; link is
// nil where go-plugin alone does it.
func serve(logger hclog.Logger, configure func(link *service.ServerLink) *goplugin.ServeConfig) error {
	if isUnusual() {
		config := configure(nil)
		config.Logger = logger
		goplugin.Serve(config)
		return nil
	}
	listener, err := listen(os.Getenv(handshake.SocketDirVariable))
	if err != nil {
		return fmt.Errorf("listen for the server: %w", err)
	}
	defer listener.Close()                               // nothing is left to be done about an error
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // which is for the server alone
	if _, err := fmt.Println(handshake.Line(listener.Addr())); err != nil {
		return fmt.Errorf("answer the server's handshake: %w", err)
	}
	service.ServeNetRPC(listener, func(link *service.ServerLink) goplugin.PluginSet { return configure(link).Plugins }, logger)
	return nil
}

// listen listens on a socket in a directory. That may be the server's choice, and hold sockets of others, also of bridges
// that were killed: the name is one that nothing has.
func listen(dir string) (net.Listener, error) {
	file, err := os.CreateTemp(dir, "plugin")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(file.Close(), os.Remove(file.Name())); err != nil {
		return nil, err
	}
	return net.Listen("unix", file.Name())
}

// isUnusual tells whether the server asks for something that is go-plugin's business.
func isUnusual() bool {
	return os.Getenv("PLUGIN_CLIENT_CERT") != "" || os.Getenv("PLUGIN_UNIX_SOCKET_GROUP") != "" || runtime.GOOS == "windows"
}
