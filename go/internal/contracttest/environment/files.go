package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// fileHook is the hook that reads one file and writes another.
const fileHook = "FileWillBeUploaded"

// fileSize is more than a message of a stream carries.
const fileSize = 1 << 20

// fileCall is one call of the hook: what it was given, what it returned and what was written.
type fileCall struct {
	seed     uint64
	content  []byte
	returned []any
	output   bytes.Buffer
}

func examineFile(hooks plugin.Hooks, seed uint64) (*fileCall, error) {
	method, ok := reflect.TypeFor[plugin.Hooks]().MethodByName(fileHook)
	if !ok {
		return nil, fmt.Errorf("there is no hook %s", fileHook)
	}
	if want := reflect.TypeFor[func(*plugin.Context, *model.FileInfo, io.Reader, io.Writer) (*model.FileInfo, string)](); method.Type != want {
		return nil, fmt.Errorf("%s has another signature than %v", fileHook, want)
	}
	f := &fileCall{seed: seed, content: make([]byte, fileSize)}
	for i := range f.content {
		f.content[i] = byte(i ^ i>>8)
	}
	c, info := f.arguments()
	result, reason := hooks.FileWillBeUploaded(c, info, bytes.NewReader(f.content), &f.output)
	f.returned = []any{result, reason}
	return f, nil
}

// arguments makes the same ones each time.
func (f *fileCall) arguments() (*plugin.Context, *model.FileInfo) {
	filler := contracttest.NewFiller(int64(f.seed), false)
	c, info := &plugin.Context{}, &model.FileInfo{}
	filler.Fill(c)
	filler.Fill(info)
	return c, info
}

// play is playHook for this hook.
func (f *fileCall) play(note note) ([]string, error) {
	method := descriptor("Hooks", fileHook)
	parsed, err := parse(method.Output(), note.Response)
	if err != nil {
		return nil, err
	}
	got, err := parse(method.Input(), note.Request)
	if err != nil {
		return nil, err
	}
	player := &filePlayer{written: note.Written, response: parsed.(*pluginpb.FileWillBeUploadedResponse)}
	conn, stop, err := connection(func(served *grpc.Server) { pluginpb.RegisterHooksServer(served, player) })
	if err != nil {
		return nil, err
	}
	defer stop()
	client := service.NewHooksClient(conn, service.HooksOptions{Logger: hclog.NewNullLogger()})
	client.SetImplemented([]string{fileHook})
	var output bytes.Buffer
	c, info := f.arguments()
	result, reason := client.FileWillBeUploaded(c, info, bytes.NewReader(f.content), &output)

	differences := append([]string{}, differ("arguments", player.request, got)...)
	_, info = f.arguments()
	want, err := asReturned(fileHook, []reflect.Value{{}, reflect.ValueOf(info)}, []any{result, reason})
	if err != nil {
		return nil, err
	}
	differences = append(differences, contracttest.Diff(want, f.returned)...)
	if !bytes.Equal(note.Content, f.content) {
		differences = append(differences, fmt.Sprintf("file: the plugin read %d bytes, which are not the %d given", len(note.Content), len(f.content)))
	}
	if !bytes.Equal(f.output.Bytes(), note.Written) || !bytes.Equal(output.Bytes(), note.Written) {
		differences = append(differences, fmt.Sprintf("output: the plugin wrote %d bytes, which are not the %d that arrived", len(note.Written), f.output.Len()))
	}
	return differences, nil
}

// filePlayer is a plugin that writes and returns what it is told to.
type filePlayer struct {
	pluginpb.UnimplementedHooksServer
	request  proto.Message
	written  []byte
	response *pluginpb.FileWillBeUploadedResponse
}

// FileWillBeUploaded implements the service.
func (p *filePlayer) FileWillBeUploaded(stream grpc.BidiStreamingServer[pluginpb.FileWillBeUploadedRequest, pluginpb.FileWillBeUploadedResponse]) error {
	head, err := stream.Recv()
	if err != nil {
		return err
	}
	p.request = head
	for err == nil {
		_, err = stream.Recv()
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	if len(p.written) > 0 {
		chunk := &pluginpb.FileWillBeUploadedResponse_Chunk{Chunk: p.written}
		if err := stream.Send(&pluginpb.FileWillBeUploadedResponse{Part: chunk}); err != nil {
			return err
		}
	}
	return stream.Send(p.response)
}
