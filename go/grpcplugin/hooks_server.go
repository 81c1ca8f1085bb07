package grpcplugin

import (
	"context"
	"fmt"
	"log"
	"os"
	"reflect"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// hooksServer is the Hooks service over the methods that the plugin has.
type hooksServer struct {
	plugin Implementation
	broker *goplugin.GRPCBroker
	http   httpServers
}

// Implemented returns the hooks that the plugin has as methods.
func (s *hooksServer) Implemented(context.Context, *convert.ImplementedRequest) (*convert.ImplementedResponse, error) {
	return &convert.ImplementedResponse{Result: hooksOf(reflect.TypeOf(s.plugin))}, nil
}

// hooksOf returns the hooks that a type has with the signature that plugin.Hooks gives them.
func hooksOf(implementation reflect.Type) []string {
	var names []string
	for hook := range reflect.TypeFor[plugin.Hooks]().Methods() {
		method, ok := implementation.MethodByName(hook.Name)
		if ok && hook.Name != "Implemented" && sameSignature(hook.Type, method.Type) {
			names = append(names, hook.Name)
		}
	}
	return names
}

// sameSignature compares a method of an interface with one of a type, whose first parameter is the receiver.
func sameSignature(hook, method reflect.Type) bool {
	if method.NumIn() != hook.NumIn()+1 || method.NumOut() != hook.NumOut() || method.IsVariadic() != hook.IsVariadic() {
		return false
	}
	for i := range hook.NumIn() {
		if method.In(i+1) != hook.In(i) {
			return false
		}
	}
	for i := range hook.NumOut() {
		if method.Out(i) != hook.Out(i) {
			return false
		}
	}
	return true
}

func notImplemented(hook string) error {
	return status.Errorf(codes.Unimplemented, "the plugin does not implement %s", hook)
}

// OnActivate connects the plugin to the host and tells it its configuration and that it is active.
func (s *hooksServer) OnActivate(_ context.Context, in *convert.OnActivateRequest) (*convert.OnActivateResponse, error) {
	if id := in.ApiBrokerId; id != 0 {
		conn, err := s.dial(id)
		if err != nil {
			return nil, fmt.Errorf("connect to the API: %w", err)
		}
		s.plugin.SetAPI(newAPIClient(conn))
	}
	if id := in.DriverBrokerId; id != 0 {
		conn, err := s.dial(id)
		if err != nil {
			return nil, fmt.Errorf("connect to the database driver: %w", err)
		}
		s.plugin.SetDriver(newDriverClient(conn))
	}
	// go-plugin has put another file into os.Stderr since the standard logger was made.
	log.SetOutput(os.Stderr)
	if hook, ok := s.plugin.(interface{ OnConfigurationChange() error }); ok {
		if err := hook.OnConfigurationChange(); err != nil {
			log.Printf("[ERROR] OnConfigurationChange failed: %v", err)
		}
	}
	out := &convert.OnActivateResponse{}
	if hook, ok := s.plugin.(interface{ OnActivate() error }); ok {
		out.Error = hook.OnActivate()
	}
	return out, nil
}

func (s *hooksServer) dial(id uint32) (*grpc.ClientConn, error) {
	return s.broker.DialWithOptions(id, grpc.WithDefaultCallOptions(grpc.ForceCodecV2(service.Codec())))
}

func (s *hooksServer) close() { s.http.close() }
