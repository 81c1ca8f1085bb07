package host

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/peers"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// apiServer serves API or Driver to a plugin process.
type apiServer interface {
	grpc.ServiceRegistrar
	Serve(listener net.Listener) error
	Stop()
}

// serve offers a service to the process and returns the broker's id of it.
func (p *process) serve(register func(grpc.ServiceRegistrar)) (uint32, error) {
	id := p.broker.NextId()
	listener, err := p.broker.Accept(id)
	if err != nil {
		return 0, fmt.Errorf("listen for the plugin: %w", err)
	}
	server, err := p.newServer()
	if err != nil {
		return 0, errors.Join(err, listener.Close())
	}
	register(server)
	p.lock.Lock()
	p.servers = append(p.servers, server)
	p.lock.Unlock()
	p.serving.Go(func() {
		if err := server.Serve(peers.Own(listener, "the server's API", peers.NoGroup, p.log)); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			p.log.Error("Serving the plugin failed", "error", err)
		}
	})
	return id, nil
}

// newServer returns a server that counts the calls under way.
func (p *process) newServer() (apiServer, error) {
	options := append(service.ServerOptions(),
		grpc.MaxRecvMsgSize(math.MaxInt32),
		grpc.MaxSendMsgSize(math.MaxInt32),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
		grpc.UnaryInterceptor(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			p.calls.Add(1)
			defer p.calls.Add(-1)
			return handle(ctx, in)
		}),
		grpc.StreamInterceptor(func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			p.calls.Add(1)
			defer p.calls.Add(-1)
			return handle(service, stream)
		}),
	)
	if p.config.TLSConfig != nil {
		return grpc.NewServer(append(options, grpc.Creds(credentials.NewTLS(p.config.TLSConfig)))...), nil
	}
	return plaincall.NewServer(grpc.NewServer(options...), service.Codec(), &p.calls)
}
