package service_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

const chunkBytes = 256 << 10

// zeros reads as that many zeros, and counts those that were taken.
type zeros struct {
	left  int64
	taken atomic.Int64
}

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	z.left -= int64(n)
	z.taken.Add(int64(n))
	return n, nil
}

// counted counts what is written to it.
type counted struct{ size atomic.Int64 }

func (c *counted) Write(p []byte) (int, error) {
	c.size.Add(int64(len(p)))
	return len(p), nil
}

// uploadData sends data as long as the server takes it, and returns how much that was.
func uploadData(t *testing.T, client pluginpb.APIClient, data io.Reader, piece int) (int64, *pluginpb.UploadDataResponse) {
	t.Helper()
	stream, err := client.UploadData(context.Background())
	must(t, err)
	must(t, stream.Send(&pluginpb.UploadDataRequest{Part: &pluginpb.UploadDataRequest_Head{Head: &pluginpb.UploadDataRequestHead{}}}))
	var sent int64
	buffer := make([]byte, piece)
	for {
		n, err := data.Read(buffer)
		if err != nil {
			break
		}
		if stream.Send(&pluginpb.UploadDataRequest{Part: &pluginpb.UploadDataRequest_Chunk{Chunk: buffer[:n]}}) != nil {
			break // the server has answered
		}
		sent += int64(n)
	}
	out, err := stream.CloseAndRecv()
	must(t, err)
	return sent, out
}

// busy counts goroutines. Those that wait to serve further calls do not count: the next call may come before the one that
// answered waits again, and then there is one more of them for good.
func busy() (count int, stacks string) {
	all := make([]byte, 4<<20)
	stacks = string(all[:runtime.Stack(all, true)])
	for stack := range strings.SplitSeq(stacks, "\n\n") {
		_, frames, _ := strings.Cut(stack, "\n")
		innermost, _, _ := strings.Cut(frames, "(0x")
		if !strings.HasSuffix(innermost, "netrpcwire.(*workers).run") {
			count++
		}
	}
	return count, stacks
}

// settled waits until there are no more goroutines than before.
func settled(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		now, stacks := busy()
		if now <= before {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before:\n%s", now, before, stacks)
		}
	}
}

func TestAnUploadMayComeInSmallPieces(t *testing.T) {
	const size = 32 << 20
	var received int64
	client := netRPC(t, func(_ string, args ...any) []any {
		// Each read asks for all that there is room for and gets a little of it.
		buffer := make([]byte, 4<<20)
		for {
			n, err := args[1].(io.Reader).Read(buffer)
			received += int64(n)
			if err != nil {
				break
			}
		}
		return []any{&model.FileInfo{Size: received}, nil}
	})
	sent, out := uploadData(t, client, &zeros{left: size}, 200)
	if sent != size || out.GetResult().GetSize() != size {
		t.Errorf("sent %d, received %d", sent, out.GetResult().GetSize())
	}
}

func TestAServerThatHasEnoughOfAnUploadEndsIt(t *testing.T) {
	client := netRPC(t, func(_ string, args ...any) []any {
		if _, err := args[1].(io.Reader).Read(make([]byte, 10)); err != nil {
			t.Error(err)
		}
		return []any{nil, model.NewAppError("UploadData", "enough", nil, "", 400)}
	})
	uploadData(t, client, &zeros{left: 1}, 1) // whatever stays open between calls is open now
	before, _ := busy()
	for range 3 {
		sent, out := uploadData(t, client, &zeros{left: 1 << 40}, chunkBytes)
		if sent > 64<<20 || out.GetError() == nil {
			t.Errorf("sent %d, got %v", sent, out)
		}
	}
	settled(t, before)
}

// fileHook starts a server with a plugin whose FileWillBeUploaded is a gRPC handler.
func fileHook(t *testing.T, handle func(uploadStream) error) plugin.Hooks {
	t.Helper()
	client := uploadTo(t, handle)
	s := startServer(t, nil, nil, func(method string, args ...any) []any {
		if method != "FileWillBeUploaded" {
			return nil
		}
		info, reason := client.FileWillBeUploaded(args[0].(*plugin.Context), args[1].(*model.FileInfo), args[2].(io.Reader), args[3].(io.Writer))
		return []any{info, reason}
	}, []string{"FileWillBeUploaded"})
	return s.hooks
}

// echo sends the file back as it comes.
func echo(stream uploadStream) error {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return sendResult(stream, nil, "")
		}
		if err != nil {
			return err
		}
		if chunk := message.GetChunk(); len(chunk) > 0 {
			if err := sendChunk(stream, chunk); err != nil {
				return err
			}
		}
	}
}

func TestAFileGoesThroughThePluginOverMattermostsRPC(t *testing.T) {
	hooks := fileHook(t, echo)
	for _, size := range []int64{0, 1, 64 << 10, 64<<10 + 1, 200 << 20} {
		var output counted
		info, reason := hooks.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{Name: "n"}, &zeros{left: size}, &output)
		if info == nil || info.Name != "n" || reason != "" || output.size.Load() != size {
			t.Errorf("%d bytes: got %v, %q, %d bytes", size, info, reason, output.size.Load())
		}
	}
}

func TestAPluginThatReadsNoFurtherReleasesTheServer(t *testing.T) {
	hooks := fileHook(t, func(stream uploadStream) error {
		for range 2 { // the head and a chunk
			if _, err := stream.Recv(); err != nil {
				return err
			}
		}
		return sendResult(stream, nil, "enough")
	})
	file := &zeros{left: 1}
	hooks.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{}, file, io.Discard)
	before, _ := busy()
	for range 3 {
		file := &zeros{left: 1 << 40}
		_, reason := hooks.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{}, file, io.Discard)
		if reason != "enough" || file.taken.Load() > 64<<20 {
			t.Errorf("got %q, %d bytes were read", reason, file.taken.Load())
		}
	}
	settled(t, before)
}

// full is a disk without room.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestAServerThatCannotStoreTheReplacementReleasesThePlugin(t *testing.T) {
	ended := make(chan error, 3)
	hooks := fileHook(t, func(stream uploadStream) error {
		chunk := []byte(strings.Repeat("x", 256<<10))
		for {
			if err := sendChunk(stream, chunk); err != nil {
				ended <- err
				return err
			}
		}
	})
	for range 3 {
		_, reason := hooks.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{}, strings.NewReader("x"), &full{1 << 20})
		if reason == "" {
			t.Error("the file was accepted although its replacement was cut off")
		}
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatal("the plugin still writes")
		}
	}
}
