// Command database serves the Driver service over a PostgreSQL, by the way a plugin's statements take: gRPC, the
// bridge's part, Mattermost's own net/rpc client and server with gob between them, lib/pq. It runs until its standard
// input ends. A line there says what to do meanwhile: "release" ends the session as the end of a plugin process does.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest/serverdb"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

func main() {
	log.SetFlags(0)
	source := flag.String("source", "", "address of the PostgreSQL")
	replica := flag.String("replica", "", "address of a replica, if there is one")
	socket := flag.String("socket", "", "where to serve")
	flag.Parse()
	if err := run(*source, *replica, *socket); err != nil {
		log.Fatal(err)
	}
}

func run(source, replica, socket string) error {
	server, err := serverdb.Open(source)
	if err != nil {
		return err
	}
	defer server.Close()
	if replica != "" {
		if err := server.UseReplica(replica); err != nil {
			return err
		}
	}
	remote, shutdown, err := serverdb.OverRPC(server)
	if err != nil {
		return err
	}
	defer shutdown()
	begin, err := service.NewNetRPCDriver(remote)
	if err != nil {
		return err
	}
	// The current session, so that one can end and the next begin.
	var session atomic.Pointer[service.DriverSession]
	session.Store(service.NewDriverSession(begin, hclog.Default()))
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	grpcServer := grpc.NewServer(append(service.ServerOptions(),
		grpc.StaticStreamWindowSize(8<<20), grpc.StaticConnWindowSize(16<<20),
		grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))...)
	current := func(ctx context.Context) (plugin.Driver, func() error) { return session.Load().Begin(ctx) }
	service.RegisterDriver(grpcServer, current, hclog.Default())
	go func() {
		if err := grpcServer.Serve(listener); err != nil {
			log.Fatal(err)
		}
	}()
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() != "release" {
			return fmt.Errorf("what is %q?", lines.Text())
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		session.Swap(service.NewDriverSession(begin, hclog.Default())).Close(ctx)
		cancel()
		fmt.Println("released")
	}
	grpcServer.Stop()
	return nil
}
