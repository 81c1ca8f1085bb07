package grpcplugin

import (
	"errors"
	"io"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// chunkSize is how many bytes a message of a stream carries, as in internal/service.
const chunkSize = 256 << 10

type fileStream = grpc.BidiStreamingServer[convert.FileWillBeUploadedRequest, convert.FileWillBeUploadedResponse]

// FileWillBeUploaded hands the file to the plugin as it comes, and its replacement back as it is written.
func (s *hooksServer) FileWillBeUploaded(stream fileStream) error {
	hook, ok := s.plugin.(interface {
		FileWillBeUploaded(c *plugin.Context, info *model.FileInfo, file io.Reader, output io.Writer) (*model.FileInfo, string)
	})
	if !ok {
		return notImplemented("FileWillBeUploaded")
	}
	first, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err != nil || first.Head == nil {
		return status.Error(codes.InvalidArgument, "the first message of FileWillBeUploaded must be its head")
	}
	file := &chunkReader{next: func() ([]byte, error) {
		message, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		return message.Chunk, nil
	}}
	output := chunkWriter(func(chunk []byte) error {
		return stream.Send(&convert.FileWillBeUploadedResponse{Chunk: chunk})
	})
	info, reason := hook.FileWillBeUploaded(first.Head.Context, first.Head.Info, file, output)
	return stream.Send(&convert.FileWillBeUploadedResponse{
		Head: &convert.FileWillBeUploadedResponseHead{Result: info, RejectionReason: reason},
	})
}

// chunkReader reads what arrives in chunks. A chunk is asked for when the last one is used up.
type chunkReader struct {
	next func() ([]byte, error)
	rest []byte
	err  error
}

// Read implements io.Reader.
func (r *chunkReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 && len(p) > 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.rest, r.err = r.next()
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// chunkWriter sends what is written in chunks.
type chunkWriter func(chunk []byte) error

// Write implements io.Writer.
func (send chunkWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		end := min(written+chunkSize, len(p))
		if err := send(p[written:end]); err != nil {
			return written, err
		}
		written = end
	}
	return written, nil
}
