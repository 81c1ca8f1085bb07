package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/host"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// The test binary is also the plugin most tests run: a gRPC plugin written with go-plugin, so that this package is
// tested against another implementation than the SDK. peerVariable holds the directory it keeps its notes in.
const peerVariable = "HOST_TEST_PEER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(peerVariable); dir != "" {
		servePeer(dir)
		return
	}
	status := m.Run()
	if err := removePrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// peerLaunch runs the peer in a new directory.
func peerLaunch(t *testing.T) (host.Launch, *notes) {
	t.Helper()
	dir := t.TempDir()
	settings := host.DefaultSettings()
	settings.StartTimeout = patience
	settings.StuckTimeout = 0
	return host.Launch{
		PluginID: "com.example.peer",
		Bundle:   dir,
		Program:  os.Args[0],
		Env:      []string{peerVariable + "=" + dir},
		Settings: settings,
	}, &notes{dir}
}

// notes are files through which a test and its peer tell each other something.
type notes struct{ dir string }

// add appends a line.
func (n *notes) add(name, line string) {
	file, err := os.OpenFile(filepath.Join(n.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintln(file, line); err != nil {
		panic(err)
	}
}

// lines returns what was added.
func (n *notes) lines(name string) []string {
	raw, err := os.ReadFile(filepath.Join(n.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		panic(err)
	}
	end := bytes.LastIndexByte(raw, '\n') // what follows is being written
	if end < 0 {
		return nil
	}
	return strings.Split(string(raw[:end]), "\n")
}

func (n *notes) has(name string) bool {
	_, err := os.Stat(filepath.Join(n.dir, name))
	return err == nil
}

// remove takes back what was added.
func (n *notes) remove(name string) {
	if err := os.Remove(filepath.Join(n.dir, name)); err != nil {
		panic(err)
	}
}

// peerHooks is what the peer does. Files in its directory ask for misbehaviour.
type peerHooks struct {
	pluginpb.UnimplementedHooksServer
	notes  *notes
	broker *goplugin.GRPCBroker
	stderr io.Writer // the process's own: go-plugin puts another one into os.Stderr
}

func (p *peerHooks) Implemented(context.Context, *pluginpb.ImplementedRequest) (*pluginpb.ImplementedResponse, error) {
	if p.notes.has("implemented-hangs") {
		p.notes.add("asked", "")
		select {}
	}
	if p.notes.has("implemented-dies") {
		fmt.Fprintln(p.stderr, "no more memory")
		os.Exit(5)
	}
	return &pluginpb.ImplementedResponse{Result: []string{
		"OnDeactivate", "OnConfigurationChange", "MessageWillBePosted", "MessageHasBeenPosted", "ExecuteCommand",
	}}, nil
}

// OnActivate calls the API, if there is one, and notes the answer.
func (p *peerHooks) OnActivate(ctx context.Context, in *pluginpb.OnActivateRequest) (*pluginpb.OnActivateResponse, error) {
	if p.notes.has("activate-dies-holding-on") {
		p.leaveHolder()
	}
	if p.notes.has("activate-dies") || p.notes.has("activate-dies-holding-on") {
		fmt.Fprintln(p.stderr, "dying in OnActivate")
		os.Exit(7)
	}
	if p.notes.has("activate-hangs") {
		p.notes.add("hanging", "")
		select {}
	}
	if p.notes.has("activate-slowly") {
		p.notes.add("activating", "")
		time.Sleep(300 * time.Millisecond)
	}
	if p.notes.has("activate-fails") {
		return &pluginpb.OnActivateResponse{Error: &pluginpb.Error{Kind: &pluginpb.Error_ErrorString{ErrorString: &pluginpb.ErrorString{Err: "no licence"}}}}, nil
	}
	if in.GetApiBrokerId() != 0 {
		conn, err := p.broker.Dial(in.GetApiBrokerId())
		if err != nil {
			return nil, err
		}
		api := pluginpb.NewAPIClient(conn)
		answer, err := api.GetServerVersion(ctx, &pluginpb.GetServerVersionRequest{})
		if err != nil {
			return nil, err
		}
		p.notes.add("activated", in.GetServerVersion()+" "+answer.GetResult())
	} else {
		p.notes.add("activated", "no API")
	}
	return &pluginpb.OnActivateResponse{}, nil
}

func (p *peerHooks) OnDeactivate(context.Context, *pluginpb.OnDeactivateRequest) (*pluginpb.OnDeactivateResponse, error) {
	p.notes.add("deactivated", "")
	if p.notes.has("deactivate-dies") {
		fmt.Fprintln(p.stderr, "dying in OnDeactivate")
		os.Exit(6)
	}
	return &pluginpb.OnDeactivateResponse{}, nil
}

func (p *peerHooks) OnConfigurationChange(context.Context, *pluginpb.OnConfigurationChangeRequest) (*pluginpb.OnConfigurationChangeResponse, error) {
	p.notes.add("configuration", "")
	if p.notes.has("configuration-fails") {
		return &pluginpb.OnConfigurationChangeResponse{Error: &pluginpb.Error{Kind: &pluginpb.Error_ErrorString{ErrorString: &pluginpb.ErrorString{Err: "a bad setting"}}}}, nil
	}
	return &pluginpb.OnConfigurationChangeResponse{}, nil
}

// MessageWillBePosted appends the process id to the message.
func (p *peerHooks) MessageWillBePosted(ctx context.Context, in *pluginpb.MessageWillBePostedRequest) (*pluginpb.MessageWillBePostedResponse, error) {
	switch in.GetPost().GetMessage() {
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "die":
		p.die()
	case "complain":
		fmt.Fprintln(p.stderr, "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nLookupError: an old trouble")
		go p.exitLater()
	}
	post := in.GetPost()
	post.Message = fmt.Sprintf("%s %d", post.GetMessage(), os.Getpid())
	return &pluginpb.MessageWillBePostedResponse{Result: post}, nil
}

// MessageHasBeenPosted notes the message.
func (p *peerHooks) MessageHasBeenPosted(_ context.Context, in *pluginpb.MessageHasBeenPostedRequest) (*pluginpb.MessageHasBeenPostedResponse, error) {
	p.notes.add("posted", in.GetPost().GetMessage())
	if in.GetPost().GetMessage() == "die" {
		p.die()
	}
	return &pluginpb.MessageHasBeenPostedResponse{}, nil
}

// ExecuteCommand answers with the process id.
func (p *peerHooks) ExecuteCommand(context.Context, *pluginpb.ExecuteCommandRequest) (*pluginpb.ExecuteCommandResponse, error) {
	return &pluginpb.ExecuteCommandResponse{Result: &pluginpb.CommandResponse{Text: fmt.Sprint(os.Getpid())}}, nil
}

// exitLater ends the process some time after it was asked to, as if nothing had been written lately.
func (p *peerHooks) exitLater() {
	for !p.notes.has("exit-later") {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(3 * time.Second)
	os.Exit(9)
}

// leaveHolder starts a process of another session that keeps the sockets of this one open, until the directory of the
// test is gone.
func (p *peerHooks) leaveHolder() {
	var files []*os.File
	for fd := 3; fd < 64; fd++ {
		if _, err := syscall.Getsockname(fd); err != nil {
			continue
		}
		copied, err := syscall.Dup(fd)
		if err != nil {
			panic(err)
		}
		files = append(files, os.NewFile(uintptr(copied), "held"))
	}
	holder := exec.Command("/bin/sh", "-c", `while [ -d "$0" ]; do sleep 0.1; done`, p.notes.dir)
	holder.ExtraFiles = files
	holder.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := holder.Start(); err != nil {
		panic(err)
	}
}

// die kills the process as the kernel would when it is out of memory.
func (p *peerHooks) die() {
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	select {}
}

// peerPlugin is the peer for go-plugin.
type peerPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	notes  *notes
	stderr io.Writer
}

func (p *peerPlugin) GRPCServer(broker *goplugin.GRPCBroker, server *grpc.Server) error {
	pluginpb.RegisterHooksServer(server, &peerHooks{notes: p.notes, broker: broker, stderr: p.stderr})
	return nil
}

func (p *peerPlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("the peer is a plugin")
}

func servePeer(dir string) {
	n := &notes{dir}
	n.add("started", fmt.Sprint(os.Getpid()))
	if n.has("start-fails") {
		fmt.Fprintln(os.Stderr, "cannot start today")
		os.Exit(3)
	}
	if n.has("start-slowly") {
		time.Sleep(500 * time.Millisecond)
	}
	if n.has("dies-after-handshake") {
		dieAfterHandshake(nil)
	}
	if n.has("dies-before-answering") {
		dieAfterHandshake(func(listener net.Listener) {
			if _, err := listener.Accept(); err != nil {
				panic(err)
			}
		})
	}
	config := &goplugin.ServeConfig{
		HandshakeConfig: handshake.Config,
		Plugins:         goplugin.PluginSet{"hooks": &peerPlugin{notes: n, stderr: os.Stderr}},
		GRPCServer:      goplugin.DefaultGRPCServer,
	}
	if n.has("speaks-netrpc") {
		config.GRPCServer = nil
	}
	goplugin.Serve(config)
}

// dieAfterHandshake says where it listens, waits for something and ends.
func dieAfterHandshake(wait func(net.Listener)) {
	listener, err := net.Listen("unix", filepath.Join(os.Getenv(handshake.SocketDirVariable), "mine"))
	if err != nil {
		panic(err)
	}
	fmt.Printf("1|1|unix|%s|grpc|\n", listener.Addr())
	if wait != nil {
		wait(listener)
	} else {
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "no more memory")
	os.Exit(5)
}
