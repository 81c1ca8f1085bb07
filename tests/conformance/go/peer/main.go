// Command peer is grpc-go at the other end of the Python endpoint: as a client that runs interop cases and calls with
// plain octets, and as a server of both.
//
//	peer interop TARGET CASE...   run grpc-go's interop cases against TARGET
//	peer octets TARGET CASE...    run cases over plain octets against TARGET
//	peer serve TARGET             serve grpc-go's interop service and octets on TARGET until standard input ends
//
// TARGET is unix:PATH or HOST:PORT. A client exits with a status other than 0 at the first case that fails.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

const maxMessage = 512 << 20

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want a mode and a target, got %q", args)
	}
	mode, target, cases := args[0], args[1], args[2:]
	switch mode {
	case "serve":
		return serve(target)
	case "interop", "octets":
		table := interopCases
		if mode == "octets" {
			table = octetCases
		}
		return runCases(target, cases, table)
	default:
		return fmt.Errorf("unknown mode %q", mode)
	}
}

type testCase func(ctx context.Context, cc *grpc.ClientConn) error

func runCases(target string, names []string, table map[string]testCase) error {
	cc, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	if err != nil {
		return fmt.Errorf("client for %s: %w", target, err)
	}
	defer cc.Close()
	for _, name := range names {
		run, ok := table[name]
		if !ok {
			return fmt.Errorf("unknown case %q", name)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		err := run(ctx, cc)
		cancel()
		if err != nil {
			return fmt.Errorf("case %s: %w", name, err)
		}
		fmt.Println("ok", name)
	}
	return nil
}

// service makes a case of one of grpc-go's, which end the process when they fail.
func service(do func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption)) testCase {
	return func(ctx context.Context, cc *grpc.ClientConn) error {
		do(ctx, testgrpc.NewTestServiceClient(cc))
		return nil
	}
}

var interopCases = map[string]testCase{
	"empty_unary":                 service(interop.DoEmptyUnaryCall),
	"large_unary":                 service(interop.DoLargeUnaryCall),
	"client_streaming":            service(interop.DoClientStreaming),
	"server_streaming":            service(interop.DoServerStreaming),
	"ping_pong":                   service(interop.DoPingPong),
	"empty_stream":                service(interop.DoEmptyStream),
	"timeout_on_sleeping_server":  service(interop.DoTimeoutOnSleepingServer),
	"cancel_after_begin":          service(interop.DoCancelAfterBegin),
	"cancel_after_first_response": service(interop.DoCancelAfterFirstResponse),
	"status_code_and_message":     service(interop.DoStatusCodeAndMessage),
	"special_status_message":      service(interop.DoSpecialStatusMessage),
	"custom_metadata":             service(interop.DoCustomMetadata),
	"unimplemented_method": func(ctx context.Context, cc *grpc.ClientConn) error {
		interop.DoUnimplementedMethod(ctx, cc)
		return nil
	},
	"unimplemented_service": func(ctx context.Context, cc *grpc.ClientConn) error {
		interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(cc))
		return nil
	},
}

func serve(target string) error {
	network, address := "tcp", target
	if path, ok := strings.CutPrefix(target, "unix:"); ok {
		network, address = "unix", path
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.ForceServerCodecV2(codec{}))
	testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
	server.RegisterService(&octetsService, nil)
	if network == "tcp" {
		target = listener.Addr().String()
	}
	fmt.Println(target)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	if err := server.Serve(listener); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
