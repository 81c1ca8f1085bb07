package service

import (
	"fmt"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpchttp"
)

// netRPCHooks adds what NetRPCHooks has from Mattermost's server to a list of implemented hooks of our own.
// Replies that may hold a value gob refuses are made safe for it.
type netRPCHooks struct {
	NetRPCHooks
	implemented func() ([]string, error)
	broker      *goplugin.MuxBroker
	link        *ServerLink // nil: net/rpc and yamux do all
	http        HTTPProxy
}

// NewNetRPCHooks wraps Mattermost's net/rpc server of the hooks, which is what Server of its go-plugin plugin
// "hooks" returns. Everything goes to that server but the question which hooks are implemented: for it every method
// of the Go value it serves is implemented, whereas here the plugin process decides.
//
// HTTP requests are answered past that server where they can be, over streams of the broker: see netrpchttp.
//
// Where there is a link, hooks are served, and the server's API and database driver called, past net/rpc's server. Then
// client, if it is not nil, has to be the one that the served Go value calls: hooks are begun over its connection.
//
// net/rpc finds the methods of the result by reflection, so embedding the interface is enough to serve them.
func NewNetRPCHooks(server any, broker *goplugin.MuxBroker, link *ServerLink, client *HooksClient, http HTTPProxy, implemented func() ([]string, error)) (any, error) {
	hooks, err := hooksOf(server)
	if err != nil {
		return nil, err
	}
	served := &netRPCHooks{NetRPCHooks: hooks, implemented: implemented, broker: broker, link: link, http: http}
	if link == nil {
		return served, nil
	}
	methods := netRPCMethods(served)
	if client != nil {
		if err := begunHooks(methods, client, broker); err != nil {
			return nil, err
		}
	}
	link.expectHooks(broker, methods)
	return served, nil
}

// hooksOf returns Mattermost's net/rpc server of the hooks.
func hooksOf(server any) (NetRPCHooks, error) {
	hooks, ok := server.(NetRPCHooks)
	if !ok {
		return nil, fmt.Errorf("%T is not the net/rpc server of the hooks that this version of "+
			"github.com/mattermost/mattermost/server/public has", server)
	}
	return hooks, nil
}

// OnActivate tells the plugin that it is used from now on, and how it reaches the server.
func (n *netRPCHooks) OnActivate(args *plugin.Z_OnActivateArgs, returns *plugin.Z_OnActivateReturns) error {
	if n.link != nil {
		n.link.expectClients(args)
	}
	return n.NetRPCHooks.OnActivate(args, returns)
}

// ServeHTTP answers a request to the plugin's path of the server.
func (n *netRPCHooks) ServeHTTP(args *plugin.Z_ServeHTTPArgs, returns *struct{}) error {
	if !netrpchttp.Suits(args.Request) {
		return n.NetRPCHooks.ServeHTTP(args, returns)
	}
	return netrpchttp.Serve(n.broker, args.ResponseWriterStream, args.RequestBodyStream, args.Context, args.Request, n.http.ServeHTTP)
}

// ServeMetrics answers a request to the plugin's path of the server's metrics listener.
func (n *netRPCHooks) ServeMetrics(args *plugin.Z_ServeMetricsArgs, returns *struct{}) error {
	if !netrpchttp.Suits(args.Request) {
		return n.NetRPCHooks.ServeMetrics(args, returns)
	}
	return netrpchttp.Serve(n.broker, args.ResponseWriterStream, args.RequestBodyStream, args.Context, args.Request, n.http.ServeMetrics)
}

// Implemented replies with the names of the hooks that are implemented.
func (n *netRPCHooks) Implemented(_ struct{}, reply *[]string) error {
	names, err := n.implemented()
	if err != nil {
		return err // its text becomes the status of the plugin
	}
	*reply = names
	return nil
}

// HookNames returns the names of all hooks, in the order of plugin.Hooks.
func HookNames() []string {
	return append([]string(nil), hookNames...)
}

// HookID returns the number that Mattermost gives a hook; false if there is no such hook.
func HookID(hook string) (int, bool) {
	id, ok := hookIDs[hook]
	return id, ok
}

// IsNotification tells whether a hook has no result: nobody waits for what the plugin says.
func IsNotification(hook string) bool {
	return notifications[hook]
}
