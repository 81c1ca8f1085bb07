package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"os/user"
	"runtime"
	"strconv"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/peers"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// serve answers the server until it has enough of the plugin, or cannot be understood any more. configure returns what is served on a connection; link is
// nil where go-plugin alone does it.
func serve(logger hclog.Logger, configure func(link *service.ServerLink) *goplugin.ServeConfig) error {
	if isUnusual() {
		config := configure(nil)
		config.Logger = logger
		goplugin.Serve(config)
		return nil
	}
	group, err := socketGroup()
	if err != nil {
		return err
	}
	listener, err := listen(os.Getenv(handshake.SocketDirVariable), group)
	if err != nil {
		return fmt.Errorf("listen for the server: %w", err)
	}
	defer listener.Close()                               // nothing is left to be done about an error
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // which is for the server alone
	if _, err := fmt.Println(handshake.Line(listener.Addr())); err != nil {
		return fmt.Errorf("answer the server's handshake: %w", err)
	}
	return service.ServeNetRPC(peers.Own(listener, "the bridge", group, logger),
		func(link *service.ServerLink) goplugin.PluginSet { return configure(link).Plugins }, logger)
}

// listen listens on a socket in a directory. That may be the server's choice, and hold sockets of others, also of bridges
// that were killed: the name is one that nothing has. A group other than peers.NoGroup may connect, too.
func listen(dir string, group int) (net.Listener, error) {
	file, err := os.CreateTemp(dir, "plugin")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(file.Close(), os.Remove(file.Name())); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", file.Name())
	if err != nil || group == peers.NoGroup {
		return listener, err
	}
	if err := errors.Join(os.Chown(file.Name(), -1, group), os.Chmod(file.Name(), 0o660)); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// socketGroup is the group that the server wants its socket to be of, by number or name; peers.NoGroup if it wants none.
func socketGroup() (int, error) {
	name := os.Getenv(goplugin.EnvUnixSocketGroup)
	if name == "" {
		return peers.NoGroup, nil
	}
	if number, err := strconv.Atoi(name); err == nil {
		return number, nil
	}
	found, err := user.LookupGroup(name)
	if err != nil {
		return 0, fmt.Errorf("find the group of %s: %w", goplugin.EnvUnixSocketGroup, err)
	}
	return strconv.Atoi(found.Gid)
}

// isUnusual tells whether the server asks for something that is go-plugin's business: who connects proves by a
// certificate that it is the server.
func isUnusual() bool { return os.Getenv("PLUGIN_CLIENT_CERT") != "" || runtime.GOOS == "windows" }
