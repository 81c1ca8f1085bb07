// Command load makes calls as a Mattermost server would, and answers them, to measure endpoints against each other.
//
//	load client TARGET    call /bench.Echo/Call on TARGET and print the results as JSON
//	load serve TARGET     serve /bench.Echo/Call with grpc-go until standard input ends
//	load netrpc PATH      serve the same over net/rpc and yamux, as a Go plugin does
//	load netrpc-client PATH
//
// Flags: -callers (a list), -seconds, -size, -timeout.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

var (
	callers = flag.String("callers", "1,16,64", "how many callers, one run each")
	seconds = flag.Float64("seconds", 2, "length of a run")
	size    = flag.Int("size", 178, "octets of a message")
	timeout = flag.Duration("timeout", 0, "deadline of each call; 0: none")
)

// Result is one run.
type Result struct {
	Callers   int     `json:"callers"`
	PerSecond float64 `json:"per_second"`
	MedianUs  float64 `json:"median_us"`
	P99Us     float64 `json:"p99_us"`
}

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want a mode and a target, got %q", args)
	}
	switch mode, target := args[0], args[1]; mode {
	case "client":
		return grpcClient(target)
	case "serve":
		return grpcServe(target)
	case "netrpc":
		return netrpcServe(target)
	case "netrpc-client":
		return netrpcClient(target)
	default:
		return fmt.Errorf("unknown mode %q", mode)
	}
}

// octets passes messages through.
type octets struct{}

func (octets) Name() string { return proto.Name }

func (octets) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (octets) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

var _ encoding.CodecV2 = octets{}

func grpcClient(target string) error {
	cc, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStaticStreamWindowSize(8<<20), grpc.WithStaticConnWindowSize(16<<20),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(octets{})))
	if err != nil {
		return fmt.Errorf("client for %s: %w", target, err)
	}
	defer cc.Close()
	return measure(func(request []byte) error {
		ctx := context.Background()
		if *timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, *timeout)
			defer cancel()
		}
		var response []byte
		return cc.Invoke(ctx, "/bench.Echo/Call", &request, &response)
	})
}

func grpcServe(target string) error {
	listener, err := net.Listen("unix", strings.TrimPrefix(target, "unix:"))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(octets{}),
		grpc.StaticStreamWindowSize(8<<20), grpc.StaticConnWindowSize(16<<20))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Echo",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Call",
			Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				var request []byte
				if err := decode(&request); err != nil {
					return nil, err
				}
				return &request, nil
			},
		}},
	}, nil)
	fmt.Println("ready")
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	if err := server.Serve(listener); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// measure runs call with each number of callers.
func measure(call func(request []byte) error) error {
	var results []Result
	for _, text := range strings.Split(*callers, ",") {
		count, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("callers: %w", err)
		}
		if _, err := measureOnce(count, 0.3, call); err != nil { // warm up
			return err
		}
		result, err := measureOnce(count, *seconds, call)
		if err != nil {
			return err
		}
		results = append(results, result)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		return fmt.Errorf("results: %w", err)
	}
	return nil
}

func measureOnce(count int, seconds float64, call func(request []byte) error) (Result, error) {
	took := make([][]time.Duration, count)
	failed := make([]error, count)
	var group sync.WaitGroup
	begin := time.Now()
	end := begin.Add(time.Duration(seconds * float64(time.Second)))
	for caller := range count {
		group.Go(func() {
			request := make([]byte, *size)
			for last := time.Now(); last.Before(end); {
				if err := call(request); err != nil {
					failed[caller] = err
					return
				}
				now := time.Now()
				took[caller] = append(took[caller], now.Sub(last))
				last = now
			}
		})
	}
	group.Wait()
	elapsed := time.Since(begin)
	if err := errors.Join(failed...); err != nil {
		return Result{}, fmt.Errorf("call: %w", err)
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	micro := func(share float64) float64 {
		return float64(all[int(share*float64(len(all)-1))].Nanoseconds()) / 1000
	}
	return Result{count, float64(len(all)) / elapsed.Seconds(), micro(0.5), micro(0.99)}, nil
}
