package service_test

import (
	"context"
	"fmt"
	"path"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// inProcess is a connection to a service in this process, without goroutines. Its messages are encoded as on any other.
type inProcess struct {
	grpc.ClientConnInterface // of streams, which it has none
	methods                  map[string]grpc.MethodDesc
	server                   any
}

// RegisterService implements grpc.ServiceRegistrar.
func (p *inProcess) RegisterService(desc *grpc.ServiceDesc, server any) {
	p.methods, p.server = map[string]grpc.MethodDesc{}, server
	for _, method := range desc.Methods {
		p.methods[method.MethodName] = method
	}
}

// Invoke implements grpc.ClientConnInterface.
func (p *inProcess) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	found, ok := p.methods[path.Base(method)]
	if !ok {
		return fmt.Errorf("there is no %s", method)
	}
	out, err := found.Handler(p.server, ctx, func(in any) error {
		data, err := proto.Marshal(args.(proto.Message))
		if err != nil {
			return err
		}
		return in.(convert.Message).Parse(data)
	}, nil)
	if err != nil {
		return err
	}
	return proto.Unmarshal(out.(convert.Message).Append(nil), reply.(proto.Message))
}
