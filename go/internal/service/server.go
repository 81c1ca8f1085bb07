package service

import (
	"context"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// begin provides what a gRPC server of this package calls, for one call: the interface value and a
// function that, called after the method ran, reports a failure of the transport behind it. The value may be nil
// while there is nothing to call; the function then says why.
type begin[T any] func(ctx context.Context) (T, func() error)

// server is the core of APIServer and DriverServer.
type server[T any] struct {
	begin begin[T]
	log   hclog.Logger
}

// invoke runs one unary call: it obtains the implementation, survives its panics and reports its transport.
func invoke[T, R any](ctx context.Context, s *server[T], method string, call func(T) *R) (reply *R, err error) {
	defer s.rescue(method, &err)
	target, done := s.begin(ctx)
	if any(target) == nil {
		return nil, absent(ctx, done)
	}
	reply = call(target)
	if failure := done(); failure != nil {
		return nil, statusOf(ctx, failure)
	}
	return reply, nil
}

// run is invoke for a streaming call, whose body sends its replies itself.
func run[T any](ctx context.Context, s *server[T], method string, call func(T, func() error) error) (err error) {
	defer s.rescue(method, &err)
	target, done := s.begin(ctx)
	if any(target) == nil {
		return absent(ctx, done)
	}
	return call(target, func() error {
		if failure := done(); failure != nil {
			return statusOf(ctx, failure)
		}
		return nil
	})
}

// absent is the status of a call for which there is no implementation yet.
func absent(ctx context.Context, done func() error) error {
	if done != nil {
		if failure := done(); failure != nil {
			return statusOf(ctx, failure)
		}
	}
	return status.Error(codes.Unavailable, "the Mattermost server offers this only while the plugin is active")
}

// rescue turns a panic of the called method into an INTERNAL status: a defect in one method of the host must not
// take the other plugins or, in the bridge, this plugin down.
func (s *server[T]) rescue(method string, err *error) {
	if cause := recover(); cause != nil {
		*err = s.panicked(method, cause)
	}
}

// panicked reports a panic.
func (s *server[T]) panicked(method string, cause any) error {
	s.log.Error("The host panicked in a call of the plugin", "method", method, "panic", cause,
		"stack", string(debug.Stack()))
	return status.Errorf(codes.Internal, "the host failed in %s; its log says why", method)
}

// loggerOr returns the logger, or hclog's default for nil.
func loggerOr(log hclog.Logger) hclog.Logger {
	if log == nil {
		return hclog.Default()
	}
	return log
}
