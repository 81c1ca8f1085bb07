package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// cancelled names the calls whose handlers heard of their end.
var cancelled sync.Map

// octetsService is what the Python servers under test serve as well.
var octetsService = grpc.ServiceDesc{
	ServiceName: "test.Octets",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		method("Echo", func(_ context.Context, request []byte) ([]byte, error) { return request, nil }),
		method("Metadata", func(ctx context.Context, _ []byte) ([]byte, error) {
			received, _ := metadata.FromIncomingContext(ctx)
			sentBack := metadata.MD{}
			for key, values := range received {
				if key[0] == 'x' {
					sentBack[key] = values
				}
			}
			if err := grpc.SendHeader(ctx, sentBack); err != nil {
				return nil, err
			}
			return nil, grpc.SetTrailer(ctx, sentBack)
		}),
		method("Fail", func(ctx context.Context, _ []byte) ([]byte, error) {
			if err := grpc.SetTrailer(ctx, metadata.Pairs("x-why", "because")); err != nil {
				return nil, err
			}
			return nil, status.ErrorProto(&spb.Status{Code: int32(codes.NotFound), Message: "nothing here: 100% 中文\n"})
		}),
		method("Deadline", func(ctx context.Context, _ []byte) ([]byte, error) {
			deadline, ok := ctx.Deadline()
			if !ok {
				return []byte("none"), nil
			}
			return fmt.Appendf(nil, "%.3f", time.Until(deadline).Seconds()), nil
		}),
		method("Hang", func(ctx context.Context, id []byte) ([]byte, error) {
			select {
			case <-ctx.Done():
				cancelled.Store(string(id), true)
				return nil, ctx.Err()
			case <-time.After(time.Minute):
				return []byte("never cancelled"), nil
			}
		}),
		method("WasCancelled", func(_ context.Context, id []byte) ([]byte, error) {
			for range 3000 {
				if _, ok := cancelled.Load(string(id)); ok {
					return []byte("yes"), nil
				}
				time.Sleep(10 * time.Millisecond)
			}
			return []byte("no"), nil
		}),
	},
	Streams: []grpc.StreamDesc{
		{StreamName: "Digest", ClientStreams: true, Handler: digestHandler},
		{StreamName: "Chunks", ServerStreams: true, Handler: chunksHandler},
		{StreamName: "EchoAll", ClientStreams: true, ServerStreams: true, Handler: echoAllHandler},
	},
}

func method(name string, handle func(context.Context, []byte) ([]byte, error)) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var request []byte
			if err := decode(&request); err != nil {
				return nil, err
			}
			response, err := handle(ctx, request)
			if err != nil {
				return nil, err
			}
			return &response, nil
		},
	}
}

func digestHandler(_ any, stream grpc.ServerStream) error {
	digest := sha256.New()
	for {
		var chunk []byte
		err := stream.RecvMsg(&chunk)
		if errors.Is(err, io.EOF) {
			response := []byte(hex.EncodeToString(digest.Sum(nil)))
			return stream.SendMsg(&response)
		}
		if err != nil {
			return err
		}
		digest.Write(chunk)
	}
}

func chunksHandler(_ any, stream grpc.ServerStream) error {
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	var count, size int
	if _, err := fmt.Fscanf(bytes.NewReader(request), "%dx%d", &count, &size); err != nil {
		return fmt.Errorf("request %q: %w", request, err)
	}
	for number := range count {
		chunk := append(fmt.Appendf(nil, "%d|", number), make([]byte, size)...)
		if err := stream.SendMsg(&chunk); err != nil {
			return err
		}
	}
	return nil
}

func echoAllHandler(_ any, stream grpc.ServerStream) error {
	for {
		var message []byte
		err := stream.RecvMsg(&message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
}
