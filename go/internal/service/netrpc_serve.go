package service

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"time"

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

// ErrDeaf says that what a server says cannot be read any more, though it is there and has not said that it has enough.
// It makes no new connection by itself.
var ErrDeaf = errors.New("cannot be read any more")

// quitNotice is how long it takes at most until a server that ends a connection on purpose, or has ended itself, is known
// to have.
const quitNotice = 3 * time.Second

// ServeNetRPC answers the servers that connect until one says that it has had enough, or the listener is closed; or until
// one that had asked for the plugin cannot be understood any more, which is ErrDeaf. plugins returns what a connection
// provides.
func ServeNetRPC(listener net.Listener, plugins func(*ServerLink) goplugin.PluginSet, logger hclog.Logger) error {
	done := make(chan error, 1)
	var once sync.Once
	finish := func(why error) { once.Do(func() { done <- why }) }
	go func() {
		defer finish(nil)
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
	return <-done
}

// serveLink serves a connection as long as it lasts. finish is called when the server has had enough, or cannot be
// understood any more.
func serveLink(link *ServerLink, plugins goplugin.PluginSet, finish func(error)) {
	quit := make(chan struct{})
	over := make(chan struct{})
	go func() {
		select {
		case <-quit:
			finish(nil)
			return
		case <-link.broken:
		case <-over:
			if !link.asked.Load() {
				return // no server that uses the plugin
			}
			link.breaks("what the server says")
		}
		select {
		case <-quit:
			finish(nil)
		case <-time.After(quitNotice):
			finish(fmt.Errorf("%s %w", link.brokenWith, ErrDeaf))
		}
	}()
	// What the process prints goes where it always went, and not over the connection: these are never written to.
	silence, end := io.Pipe()
	server := &goplugin.RPCServer{Plugins: plugins, Stdout: silence, Stderr: silence, DoneCh: quit}
	server.ServeConn(link.Session())
	_ = end.Close() // always nil
	close(over)
}
