package service

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// NetRPCConfig returns what Mattermost's plugin.ClientMain would have go-plugin serve.
func NetRPCConfig(implementation any) *goplugin.ServeConfig {
	found := make(chan *goplugin.ServeConfig)
	go plugin.ClientMain(implementation, func(config *goplugin.ServeConfig) error {
		found <- config
		runtime.Goexit() // this is all there was to be done
		return nil
	})
	return <-found
}

// ServeNetRPC answers the servers that connect until one says that it has had enough, or the listener is closed.
// plugins returns what a connection provides.
func ServeNetRPC(listener net.Listener, plugins func(*ServerLink) goplugin.PluginSet, logger hclog.Logger) {
	done := make(chan struct{})
	finish := sync.OnceFunc(func() { close(done) })
	go func() {
		defer finish()
		for {
			socket, err := listener.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					logger.Error("Cannot take connections of the server", "error", err)
				}
				return
			}
			link := NewServerLink(socket, logger)
			go serveLink(link, plugins(link), finish)
		}
	}()
	<-done
}

// serveLink serves a connection as long as it lasts. finish is called when the server has had enough.
func serveLink(link *ServerLink, plugins goplugin.PluginSet, finish func()) {
	quit := make(chan struct{})
	over := make(chan struct{})
	go func() {
		select {
		case <-quit:
			finish()
		case <-over:
		}
	}()
	// What the process prints goes where it always went, and not over the connection: these are never written to.
	silence, end := io.Pipe()
	server := &goplugin.RPCServer{Plugins: plugins, Stdout: silence, Stderr: silence, DoneCh: quit}
	server.ServeConn(link.Session())
	_ = end.Close() // always nil
	close(over)
}
