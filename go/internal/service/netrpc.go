package service

import (
	"context"
	"fmt"
	"net/rpc"
	"reflect"

	"github.com/mattermost/mattermost/server/public/plugin"
)

// netRPCCalls are the calls one gRPC call makes through Mattermost's net/rpc client. It remembers the failure of
// the transport, which the signatures of plugin.API have no place for.
type netRPCCalls struct {
	ctx      context.Context
	client   *rpc.Client
	versions map[string]string
	failure  error
}

// call runs one method and tells whether it came back. If not, the values behind returns may still be written to
// by a late answer, so the caller must not look at them.
//
// net/rpc encodes args before Go returns, and cannot cancel: a call whose context ended is abandoned.
func (c *netRPCCalls) call(method string, args, returns any) bool {
	if c.failure != nil {
		return false
	}
	if err := c.ctx.Err(); err != nil {
		c.failure = err
		return false
	}
	makeGobSafe(args)
	call := c.client.Go(netRPCName(method), args, returns, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		if call.Error != nil {
			c.failure = classify(method, c.versions[method], call.Error)
		}
	case <-c.ctx.Done():
		c.failure = c.ctx.Err()
	}
	return c.failure == nil
}

// netRPCName is the name of a method of the API, of the driver or of a hook in net/rpc's requests.
func netRPCName(method string) string { return "Plugin." + method }

func (c *netRPCCalls) err() error {
	return c.failure
}

// netRPCDriver is the plugin.Driver of one gRPC call.
type netRPCDriver struct {
	netRPCCalls
}

// NewNetRPCDriver returns the source of a plugin.Driver, for NewDriverSession, that calls the server behind Mattermost's
// own net/rpc client, which driver must be: what a plugin gets by SetDriver. See NetRPCAPI.
func NewNetRPCDriver(driver plugin.Driver) (func(ctx context.Context) (plugin.Driver, func() error), error) {
	client, err := unexported[rpc.Client](driver, "client")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (plugin.Driver, func() error) {
		calls := &netRPCDriver{netRPCCalls{ctx: ctx, client: client, versions: driverVersions}}
		return calls, calls.err
	}, nil
}

// DirectAPI is the source of a plugin.API for NewAPIServer that lives in this process, so that no transport can
// fail.
func DirectAPI(api plugin.API) func(ctx context.Context) (plugin.API, func() error) {
	return func(context.Context) (plugin.API, func() error) { return api, none }
}

// DirectDriver is DirectAPI for a plugin.Driver.
func DirectDriver(driver plugin.Driver) func(ctx context.Context) (plugin.Driver, func() error) {
	return func(context.Context) (plugin.Driver, func() error) { return driver, none }
}

func none() error { return nil }

// unexported returns the pointer in an unexported field of the struct that value points to.
//
// Mattermost keeps its rpc.Client to itself; the exported argument types of its methods (plugin.Z_...) are what
// makes calling it directly possible. The field is checked here, at start, not at the first call.
func unexported[T any](value any, name string) (*T, error) {
	want := reflect.TypeFor[*T]()
	pointer := reflect.ValueOf(value)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() || pointer.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%T is not the net/rpc client of Mattermost's plugin package", value)
	}
	field := pointer.Elem().FieldByName(name)
	if !field.IsValid() || field.Type() != want {
		return nil, fmt.Errorf("%T has no field %s of type %s: the pinned github.com/mattermost/mattermost/server/public "+
			"keeps its net/rpc client elsewhere", value, name, want)
	}
	if field.IsNil() {
		return nil, fmt.Errorf("the field %s of %T is not set: the plugin is not active", name, value)
	}
	return (*T)(field.UnsafePointer()), nil
}
