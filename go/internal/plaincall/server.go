package plaincall

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/test/bufconn"
)

// Server serves plain calls by itself and passes all others on to a server of grpc-go: those that stream, have metadata
// or name a method that is not there.
type Server struct {
	general  *grpc.Server
	codec    encoding.CodecV2
	underWay *atomic.Int64 // counts plain calls
	methods  map[string]*method

	inside *bufconn.Listener // where the general server listens
	onward *grpc.ClientConn  // to there

	jobs    chan *ServerCall // to workers that are idle
	stop    chan struct{}
	serving sync.WaitGroup
	idle    chan struct{} // a place for each idle worker
	watch   watch

	lock      sync.Mutex
	stopped   bool
	listeners map[net.Listener]bool
	links     map[*serverLink]bool
}

// method is a plain one.
type method struct {
	implementation any
	handler        grpc.MethodHandler
	begin          func(*ServerCall) bool // nil: it is not forwarded
	duration       duration
}

// maxIdle is how many workers wait for calls. A worker's stack has grown to what a call needs, which saves a tenth of
// the call.
const maxIdle = 256

// NewServer returns a server.
//
// The general server must be new; its services are to be registered with the returned one. codec encodes and decodes
// messages that protobuf itself refuses. underWay counts the plain calls that are being handled.
func NewServer(general *grpc.Server, codec encoding.CodecV2, underWay *atomic.Int64) (*Server, error) {
	s := &Server{
		general: general, codec: codec, underWay: underWay, methods: map[string]*method{},
		inside: bufconn.Listen(1 << 20), jobs: make(chan *ServerCall), stop: make(chan struct{}),
		idle: make(chan struct{}, maxIdle), listeners: map[net.Listener]bool{}, links: map[*serverLink]bool{},
	}
	onward, err := grpc.NewClient("passthrough:inside",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return s.inside.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(octetsCodec{}), grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)),
		grpc.WithDisableRetry())
	if err != nil {
		return nil, fmt.Errorf("connect to the general server: %w", err)
	}
	s.onward = onward
	return s, nil
}

// RegisterService registers a service, before Serve.
func (s *Server) RegisterService(desc *grpc.ServiceDesc, implementation any) {
	s.general.RegisterService(desc, implementation)
	for _, item := range desc.Methods {
		s.methods["/"+desc.ServiceName+"/"+item.MethodName] = &method{implementation: implementation, handler: item.Handler}
	}
}

// Forward has calls of a registered method begun where they are read, while others of their connection are under way:
// for methods whose answers come from elsewhere, so that no goroutine need wait for each. begin must not wait, and
// returns false if it has done nothing: the method's handler does it then. Otherwise Answer is to be called, once. Calls
// that come alone are the handler's as well. Forward is called before Serve.
func (s *Server) Forward(path string, begin func(*ServerCall) bool) { s.methods[path].begin = begin }

// Serve serves the connections of a listener, which have to be sockets of the system, until Stop, and returns nil then.
func (s *Server) Serve(listener net.Listener) error {
	s.lock.Lock()
	if s.stopped {
		s.lock.Unlock()
		return listener.Close()
	}
	if len(s.listeners) == 0 {
		s.serving.Go(func() { _ = s.general.Serve(s.inside) }) // ends with Stop, and only then
	}
	s.listeners[listener] = true
	s.lock.Unlock()
	for {
		socket, err := listener.Accept()
		if err != nil {
			s.lock.Lock()
			defer s.lock.Unlock()
			if s.stopped || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		if err := s.accept(socket); err != nil {
			return fmt.Errorf("accept: %w", err)
		}
	}
}

func (s *Server) accept(socket net.Conn) error {
	link, err := newServerLink(s, socket)
	if err != nil {
		return err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.stopped {
		return link.socket.Close()
	}
	s.links[link] = true
	s.serving.Go(link.serve)
	return nil
}

// forget drops a link that has ended.
func (s *Server) forget(link *serverLink) {
	s.lock.Lock()
	defer s.lock.Unlock()
	delete(s.links, link)
}

// Stop closes all connections, cancels what runs and waits for it to end.
func (s *Server) Stop() {
	s.lock.Lock()
	if s.stopped {
		s.lock.Unlock()
		return
	}
	s.stopped = true
	for listener := range s.listeners {
		_ = listener.Close()
	}
	for link := range s.links {
		breakOff(link.socket)
	}
	s.lock.Unlock()
	close(s.stop)
	_ = s.onward.Close()
	s.general.Stop()
	s.serving.Wait()
}

// run has a call handled on a goroutine of its own.
func (s *Server) run(call *ServerCall) {
	select {
	case s.jobs <- call:
	default:
		s.serving.Go(func() { s.work(call) })
	}
}

func (s *Server) work(call *ServerCall) {
	for {
		call.handle()
		select {
		case s.idle <- struct{}{}:
		default:
			return
		}
		select {
		case call = <-s.jobs:
			<-s.idle
		case <-s.stop:
			<-s.idle
			return
		}
	}
}
