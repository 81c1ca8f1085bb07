package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"strings"

	"github.com/hashicorp/yamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// MinimumVersionKey is the trailing metadata of an UNIMPLEMENTED status: the oldest server that has the method.
const MinimumVersionKey = "mattermost-minimum-version"

// ErrUnavailable says that the Mattermost server behind a plugin.API cannot be reached (any more).
var ErrUnavailable = errors.New("the Mattermost server cannot be reached")

// NotSupportedError says that the Mattermost server is too old to have a method.
type NotSupportedError struct {
	// Method is the Go name of the API or Driver method.
	Method string
	// MinimumVersion is the first server version that has it, "" where Mattermost's documentation names none.
	MinimumVersion string
}

// Error says which server would do.
func (e *NotSupportedError) Error() string {
	if e.MinimumVersion == "" {
		return fmt.Sprintf("this Mattermost server has no %s", e.Method)
	}
	return fmt.Sprintf("this Mattermost server has no %s: it needs version %s or later", e.Method, e.MinimumVersion)
}

// statusOf turns a failure of the transport behind a plugin.API into the gRPC status that says so.
func statusOf(ctx context.Context, err error) error {
	var missing *NotSupportedError
	switch {
	case errors.As(err, &missing):
		if missing.MinimumVersion != "" {
			// Fails only outside of a gRPC handler, where nobody reads the trailers.
			_ = grpc.SetTrailer(ctx, metadata.Pairs(MinimumVersionKey, missing.MinimumVersion))
		}
		return status.Error(codes.Unimplemented, err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return status.FromContextError(err).Err()
	case errors.Is(err, ErrUnavailable):
		return status.Error(codes.Unavailable, err.Error())
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, err.Error())
}

// classify names the failure of a net/rpc call of a method.
func classify(method, minimumVersion string, err error) error {
	var remote rpc.ServerError
	if errors.As(err, &remote) {
		text := string(remote)
		// The server lacks the method altogether, or has the glue for it but no implementation.
		if strings.HasPrefix(text, "rpc: can't find method ") || strings.HasPrefix(text, "rpc: can't find service ") ||
			strings.Contains(text, " called but not implemented") {
			return &NotSupportedError{Method: method, MinimumVersion: minimumVersion}
		}
		return fmt.Errorf("%s: %w", method, err)
	}
	if isDisconnect(err) {
		return fmt.Errorf("%s: %w: %w", method, ErrUnavailable, err)
	}
	// What is left are values that gob cannot encode here or decode here.
	return fmt.Errorf("%s: %w", method, err)
}

// isDisconnect tells whether a net/rpc call failed because the connection is gone.
func isDisconnect(err error) bool {
	var network net.Error
	return errors.Is(err, rpc.ErrShutdown) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, yamux.ErrSessionShutdown) || errors.Is(err, yamux.ErrStreamClosed) ||
		errors.Is(err, yamux.ErrConnectionReset) || errors.As(err, &network)
}
