package service

import (
	"context"
	"slices"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
)

// onward is a method of the API whose calls are passed on to the server.
type onward struct {
	desc  grpc.MethodDesc // waits for the answer
	begin func(s *apiServer, call *plaincall.ServerCall) bool
}

// passOn describes a method. arguments makes what Mattermost's RPC is called with of a request, response that of its reply.
func passOn[Request, Args, Returns, Response any, P message[Request], Q message[Response]](name string, arguments func(*Request) *Args, response func(*Returns) *Response) onward {
	method := netRPCName(name)
	return onward{
		desc: Unary[*apiServer, Request, Response, P, Q](name, func(s *apiServer, ctx context.Context, in *Request) (out *Response, err error) {
			defer s.rescue(name, &err)
			calls, returns := s.netRPC.begin(ctx), new(Returns)
			if !calls.call(name, arguments(in), returns) {
				return nil, statusOf(ctx, calls.failure)
			}
			return response(returns), nil
		}),
		begin: func(s *apiServer, call *plaincall.ServerCall) (begun bool) {
			defer func() {
				if cause := recover(); cause != nil {
					call.Answer(nil, s.panicked(name, cause))
					begun = true
				}
			}()
			in, returns := new(Request), new(Returns)
			if call.Parse(P(in)) != nil {
				return false // the other way says what is wrong
			}
			args := arguments(in)
			makeGobSafe(args)
			return s.netRPC.calls.Begin(method, args, returns, func(failure error) {
				if failure != nil {
					call.Answer(nil, statusOf(call.Context(), classify(name, apiVersions[name], failure)))
					return
				}
				call.Answer(Q(response(returns)), nil)
			})
		},
	}
}

// Register registers the API service with a server that has the Codec. Calls are passed on without a goroutine that waits
// for each, where the server and the connection allow it. A nil logger is hclog.Default().
func (n *NetRPCAPI) Register(registrar grpc.ServiceRegistrar, log hclog.Logger) {
	served := &apiServer{server: server[plugin.API]{begin: n.Begin, log: loggerOr(log)}, netRPC: n}
	waiting := map[string]grpc.MethodDesc{}
	for _, passed := range passedOn {
		waiting[passed.desc.MethodName] = passed.desc
	}
	desc := apiService
	desc.Methods = slices.Clone(desc.Methods)
	for i, method := range desc.Methods {
		if passed, ok := waiting[method.MethodName]; ok {
			desc.Methods[i] = passed
		}
	}
	registrar.RegisterService(&desc, served)
	forwarder, ok := registrar.(*plaincall.Server)
	if !ok || n.calls == nil {
		return
	}
	for _, passed := range passedOn {
		forwarder.Forward("/"+desc.ServiceName+"/"+passed.desc.MethodName, func(call *plaincall.ServerCall) bool {
			return passed.begin(served, call)
		})
	}
}
