package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// codec passes octets through and leaves messages to grpc-go's own.
type codec struct{}

func (codec) Name() string { return proto.Name }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	if octets, ok := v.(*[]byte); ok {
		return mem.BufferSlice{mem.SliceBuffer(*octets)}, nil
	}
	return encoding.GetCodecV2(proto.Name).Marshal(v)
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	if octets, ok := v.(*[]byte); ok {
		*octets = data.Materialize()
		return nil
	}
	return encoding.GetCodecV2(proto.Name).Unmarshal(data, v)
}

func call(ctx context.Context, cc *grpc.ClientConn, method string, request []byte, opts ...grpc.CallOption) ([]byte, error) {
	var response []byte
	err := cc.Invoke(ctx, "/test.Octets/"+method, &request, &response, append(opts, grpc.ForceCodecV2(codec{}))...)
	return response, err
}

func openStream(ctx context.Context, cc *grpc.ClientConn, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	return cc.NewStream(ctx, desc, "/test.Octets/"+method, append(opts, grpc.ForceCodecV2(codec{}))...)
}

func random(size int) []byte {
	octets := make([]byte, size)
	_, _ = rand.Read(octets) // never fails
	return octets
}

func echo(ctx context.Context, cc *grpc.ClientConn, size int, opts ...grpc.CallOption) error {
	request := random(size)
	response, err := call(ctx, cc, "Echo", request, opts...)
	if err != nil {
		return err
	}
	if !bytes.Equal(request, response) {
		return fmt.Errorf("%d octets came back as %d other ones", len(request), len(response))
	}
	return nil
}

var octetCases = map[string]testCase{
	"echo": func(ctx context.Context, cc *grpc.ClientConn) error {
		for _, size := range []int{0, 1, 5, 16378, 16379, 16384, 65530, 65536, 1 << 20} {
			if err := echo(ctx, cc, size); err != nil {
				return fmt.Errorf("size %d: %w", size, err)
			}
		}
		return nil
	},
	"large": func(ctx context.Context, cc *grpc.ClientConn) error { return echo(ctx, cc, 256<<20) },
	"gzip": func(ctx context.Context, cc *grpc.ClientConn) error {
		return echo(ctx, cc, 1<<20, grpc.UseCompressor(gzip.Name))
	},
	"parallel": func(ctx context.Context, cc *grpc.ClientConn) error {
		results := make(chan error)
		for range 64 {
			go func() {
				for range 50 {
					if err := echo(ctx, cc, 3000); err != nil {
						results <- err
						return
					}
				}
				results <- nil
			}()
		}
		var failed error
		for range 64 {
			failed = errors.Join(failed, <-results)
		}
		return failed
	},
	"metadata":  metadataCase,
	"details":   detailsCase,
	"deadline":  deadlineCase,
	"cancel":    cancelCase,
	"streaming": streamingCase,
	"crash": func(ctx context.Context, cc *grpc.ClientConn) error {
		_, err := call(ctx, cc, "Crash", nil)
		if got := status.Convert(err); got.Code() != codes.Internal || strings.Contains(got.Message(), "not for the wire") {
			return fmt.Errorf("got %v", got)
		}
		return nil
	},
}

func metadataCase(ctx context.Context, cc *grpc.ClientConn) error {
	sent := metadata.Pairs("x-text", "a, b", "x-text", "~ c", "x-octets-bin", "\x00\xff\x0a", "x-octets-bin", "")
	var header, trailer metadata.MD
	ctx = metadata.NewOutgoingContext(ctx, sent)
	if _, err := call(ctx, cc, "Metadata", nil, grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
		return err
	}
	for name, got := range map[string]metadata.MD{"header": header, "trailer": trailer} {
		for key, want := range sent {
			if fmt.Sprintf("%q", got[key]) != fmt.Sprintf("%q", want) {
				return fmt.Errorf("%s: %s came back as %q, want %q", name, key, got[key], want)
			}
		}
	}
	return nil
}

func detailsCase(ctx context.Context, cc *grpc.ClientConn) error {
	var trailer metadata.MD
	_, err := call(ctx, cc, "Fail", []byte("5|nothing here: 100% 中文\n"), grpc.Trailer(&trailer))
	got := status.Convert(err)
	// The details name code 5 as well, and their own message, which grpc-go prefers.
	if got.Code() != codes.NotFound || got.Message() != "why" || fmt.Sprint(trailer["x-why"]) != "[because]" {
		return fmt.Errorf("got %v with %v", got, trailer)
	}
	return nil
}

func deadlineCase(ctx context.Context, cc *grpc.ClientConn) error {
	short, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	remaining, err := call(short, cc, "Deadline", nil)
	if err != nil {
		return err
	}
	var seconds float64
	if _, err := fmt.Sscan(string(remaining), &seconds); err != nil || seconds > 60 || seconds < 30 {
		return fmt.Errorf("the server sees %q s of 60 s left", remaining)
	}
	return expectCancelled(ctx, cc, "deadline", codes.DeadlineExceeded, func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Second)
	})
}

func cancelCase(ctx context.Context, cc *grpc.ClientConn) error {
	return expectCancelled(ctx, cc, "cancel", codes.Canceled, func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		return ctx, cancel
	})
}

// expectCancelled makes a call that hangs and wants its handler to hear of its end.
func expectCancelled(
	ctx context.Context, cc *grpc.ClientConn, name string, want codes.Code,
	limit func(context.Context) (context.Context, context.CancelFunc),
) error {
	id := []byte(name + hex.EncodeToString(random(8)))
	limited, cancel := limit(ctx)
	defer cancel()
	if _, err := call(limited, cc, "Hang", id); status.Code(err) != want {
		return fmt.Errorf("got %v, want %v", err, want)
	}
	heard, err := call(ctx, cc, "WasCancelled", id)
	if err != nil {
		return err
	}
	if string(heard) != "yes" {
		return errors.New("the handler did not hear of it")
	}
	return nil
}

func streamingCase(ctx context.Context, cc *grpc.ClientConn) error {
	if err := streamDigest(ctx, cc); err != nil {
		return fmt.Errorf("client streaming: %w", err)
	}
	if err := streamChunks(ctx, cc); err != nil {
		return fmt.Errorf("server streaming: %w", err)
	}
	if err := streamEcho(ctx, cc); err != nil {
		return fmt.Errorf("both ways: %w", err)
	}
	return nil
}

func streamDigest(ctx context.Context, cc *grpc.ClientConn) error {
	stream, err := openStream(ctx, cc, "Digest")
	if err != nil {
		return err
	}
	digest := sha256.New()
	for range 200 {
		chunk := random(50_000)
		digest.Write(chunk)
		if err := stream.SendMsg(&chunk); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var got []byte
	if err := stream.RecvMsg(&got); err != nil {
		return err
	}
	if want := hex.EncodeToString(digest.Sum(nil)); string(got) != want {
		return fmt.Errorf("got %s, want %s", got, want)
	}
	return nil
}

func streamChunks(ctx context.Context, cc *grpc.ClientConn) error {
	stream, err := openStream(ctx, cc, "Chunks")
	if err != nil {
		return err
	}
	request := []byte("300x20000")
	if err := stream.SendMsg(&request); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for number := 0; ; number++ {
		var chunk []byte
		err := stream.RecvMsg(&chunk)
		if errors.Is(err, io.EOF) {
			if number != 300 {
				return fmt.Errorf("%d chunks, want 300", number)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(chunk, fmt.Appendf(nil, "%d|", number)) {
			return fmt.Errorf("chunk %d begins with %q", number, chunk[:5])
		}
	}
}

func streamEcho(ctx context.Context, cc *grpc.ClientConn) error {
	stream, err := openStream(ctx, cc, "EchoAll")
	if err != nil {
		return err
	}
	for range 100 {
		request := random(10_000)
		if err := stream.SendMsg(&request); err != nil {
			return err
		}
		var response []byte
		if err := stream.RecvMsg(&response); err != nil {
			return err
		}
		if !bytes.Equal(request, response) {
			return errors.New("another message came back")
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(new([]byte)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("got %v after the last message, want the end", err)
	}
	return nil
}
