package service_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// stepTimeout is the deadline of the hook here, step how long a step takes where it is in time.
const (
	stepTimeout = time.Second
	step        = stepTimeout / 5
	steps       = 8 // more than the deadline together
)

// impatient is uploadTo with a deadline. The failure is that of the last call.
func impatient(t *testing.T, handle func(uploadStream) error) (client *service.HooksClient, failure func() *service.HookError) {
	t.Helper()
	var failed *service.HookError
	conn := serve(t, func(s *grpc.Server) { pluginpb.RegisterHooksServer(s, uploads{handle: handle}) })
	client = service.NewHooksClient(conn, service.HooksOptions{
		Logger:   hclog.NewNullLogger(),
		Deadline: func(string) time.Duration { return stepTimeout },
		OnFailure: func(_ string, err error) service.Decision {
			errors.As(err, &failed)
			return service.Allow
		},
	})
	client.SetImplemented([]string{"FileWillBeUploaded"})
	return client, func() *service.HookError { return failed }
}

func TestAPluginThatDoesNothingWithAFileIsNotWaitedForLongerThanItsDeadline(t *testing.T) {
	cases := map[string]struct {
		size    int64
		handle  func(uploadStream) error
		refused bool
	}{
		"reads nothing": {size: 1 << 40, handle: func(stream uploadStream) error {
			<-stream.Context().Done()
			return stream.Context().Err()
		}},
		"has read all": {size: 1 << 20, handle: func(stream uploadStream) error {
			for {
				if _, err := stream.Recv(); err != nil {
					break
				}
			}
			<-stream.Context().Done()
			return stream.Context().Err()
		}},
		"has written half": {size: 1 << 40, refused: true, handle: func(stream uploadStream) error {
			if err := sendChunk(stream, []byte("half")); err != nil {
				return err
			}
			<-stream.Context().Done()
			return stream.Context().Err()
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			client, failure := impatient(t, c.handle)
			client.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{}, strings.NewReader("x"), io.Discard)
			before, _ := busy()
			for range 2 {
				start := time.Now()
				original := &model.FileInfo{Name: "n"}
				info, reason := client.FileWillBeUploaded(&plugin.Context{}, original, &zeros{left: c.size}, io.Discard)
				if info != original || (reason != "") != c.refused {
					t.Errorf("got %v, %q", info, reason)
				}
				if time.Since(start) < stepTimeout {
					t.Error("it was not waited for")
				}
				if failed := failure(); failed == nil || failed.Code != codes.DeadlineExceeded {
					t.Errorf("failed with %v", failed)
				}
			}
			settled(t, before)
		})
	}
}

// slow reads and writes a byte at a time, with a rest before each.
type slow struct{ left, written int }

func (s *slow) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	s.left--
	time.Sleep(2 * stepTimeout / steps)
	p[0] = 'x'
	return 1, nil
}

func (s *slow) Write(p []byte) (int, error) {
	time.Sleep(2 * stepTimeout / steps)
	s.written += len(p)
	return len(p), nil
}

func TestTheDeadlineForAFileIsThatOfEachStepOfThePlugin(t *testing.T) {
	client, failure := impatient(t, func(stream uploadStream) error {
		for range steps {
			time.Sleep(step)
			if err := sendChunk(stream, []byte("x")); err != nil {
				return err
			}
		}
		return sendResult(stream, nil, "")
	})
	var output counted
	client.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{}, strings.NewReader("x"), &output)
	if failed := failure(); failed != nil || output.size.Load() != steps {
		t.Errorf("failed with %v, %d bytes were written", failed, output.size.Load())
	}
}

func TestAPluginMayWaitForTheServer(t *testing.T) {
	client, failure := impatient(t, echo)
	server := &slow{left: steps}
	client.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{}, server, server)
	if failed := failure(); failed != nil || server.written != steps {
		t.Errorf("failed with %v, %d bytes were written", failed, server.written)
	}
}
