package service

import (
	"errors"
	"fmt"
	"io"

	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// chunkSize is how many bytes a message of a stream carries: enough to make the cost per message small, little
// enough for many streams to share a connection.
const chunkSize = 256 * 1024

// part is a message of a stream: a head or a chunk.
type part interface {
	GetChunk() []byte
}

// chunkReader reads the chunks of a stream. The next message is asked for when the last one is used up, so gRPC's
// flow control stops the sender while nobody reads.
type chunkReader[P part] struct {
	receive func() (P, error)
	rest    []byte
	err     error
}

// Read implements io.Reader.
func (r *chunkReader[P]) Read(p []byte) (int, error) {
	for len(r.rest) == 0 && len(p) > 0 {
		if r.err != nil {
			return 0, r.err
		}
		message, err := r.receive()
		if err != nil {
			r.err = err // io.EOF after the last chunk
			continue
		}
		r.rest = message.GetChunk()
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// sendChunks splits data into the chunks of a stream.
func sendChunks(data []byte, send func(chunk []byte) error) error {
	for len(data) > 0 {
		n := min(len(data), chunkSize)
		if err := send(data[:n]); err != nil {
			return fmt.Errorf("send a chunk: %w", err)
		}
		data = data[n:]
	}
	return nil
}

// upload runs a method whose request is a stream: it receives the head and hands the rest on as a reader.
func upload[H, Req, Res any, P interface {
	*Req
	part
	GetHead() *H
}](s *apiServer, method string, stream grpc.ClientStreamingServer[Req, Res], call func(plugin.API, *H, io.Reader) (*Res, error)) error {
	return run(stream.Context(), &s.server, method, func(target plugin.API, done func() error) error {
		receive := func() (P, error) {
			message, err := stream.Recv()
			return P(message), err
		}
		first, err := receive()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || first.GetHead() == nil {
			return status.Errorf(codes.InvalidArgument, "the first message of %s must be its head", method)
		}
		reply, err := call(target, first.GetHead(), &chunkReader[P]{receive: receive})
		if failure := done(); failure != nil {
			return failure
		}
		if err != nil {
			return err
		}
		return stream.SendAndClose(reply)
	})
}

func (s *apiServer) InstallPlugin(stream grpc.ClientStreamingServer[pluginpb.InstallPluginRequest, pluginpb.InstallPluginResponse]) error {
	return upload(s, "InstallPlugin", stream, func(target plugin.API, head *pluginpb.InstallPluginRequestHead, file io.Reader) (*pluginpb.InstallPluginResponse, error) {
		result, err := target.InstallPlugin(file, head.Replace)
		return &pluginpb.InstallPluginResponse{
			Result: convert.ManifestToProto(result),
			Error:  convert.AppErrorToProto(err),
		}, nil
	})
}

func (s *apiServer) UploadData(stream grpc.ClientStreamingServer[pluginpb.UploadDataRequest, pluginpb.UploadDataResponse]) error {
	return upload(s, "UploadData", stream, func(target plugin.API, head *pluginpb.UploadDataRequestHead, data io.Reader) (*pluginpb.UploadDataResponse, error) {
		result, err := target.UploadData(convert.UploadSessionFromProto(head.UploadSession), data)
		return &pluginpb.UploadDataResponse{
			Result: convert.FileInfoToProto(result),
			Error:  convert.ErrorToProto(err),
		}, nil
	})
}

func (s *apiServer) ReceiveSharedChannelAttachmentSyncMsg(stream grpc.ClientStreamingServer[pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest, pluginpb.ReceiveSharedChannelAttachmentSyncMsgResponse]) error {
	return upload(s, "ReceiveSharedChannelAttachmentSyncMsg", stream, func(target plugin.API, head *pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequestHead, data io.Reader) (*pluginpb.ReceiveSharedChannelAttachmentSyncMsgResponse, error) {
		result, err := target.ReceiveSharedChannelAttachmentSyncMsg(head.RemoteId, head.ChannelId, convert.FileInfoFromProto(head.FileInfo), data)
		return &pluginpb.ReceiveSharedChannelAttachmentSyncMsgResponse{
			Result: convert.FileInfoToProto(result),
			Error:  convert.ErrorToProto(err),
		}, nil
	})
}

func (s *apiServer) UploadFile(stream grpc.ClientStreamingServer[pluginpb.UploadFileRequest, pluginpb.UploadFileResponse]) error {
	return upload(s, "UploadFile", stream, func(target plugin.API, head *pluginpb.UploadFileRequestHead, reader io.Reader) (*pluginpb.UploadFileResponse, error) {
		// plugin.API has no reader here: UploadData is the way for what does not fit into memory.
		data, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		result, appErr := target.UploadFile(data, head.ChannelId, head.Filename)
		return &pluginpb.UploadFileResponse{
			Result: convert.FileInfoToProto(result),
			Error:  convert.AppErrorToProto(appErr),
		}, nil
	})
}

func (s *apiServer) GetFile(in *pluginpb.GetFileRequest, stream grpc.ServerStreamingServer[pluginpb.GetFileResponse]) error {
	return run(stream.Context(), &s.server, "GetFile", func(target plugin.API, done func() error) error {
		data, appErr := target.GetFile(in.FileId)
		if failure := done(); failure != nil {
			return failure
		}
		head := &pluginpb.GetFileResponseHead{Error: convert.AppErrorToProto(appErr)}
		if err := stream.Send(&pluginpb.GetFileResponse{Part: &pluginpb.GetFileResponse_Head{Head: head}}); err != nil {
			return err
		}
		return sendChunks(data, func(chunk []byte) error {
			return stream.Send(&pluginpb.GetFileResponse{Part: &pluginpb.GetFileResponse_Chunk{Chunk: chunk}})
		})
	})
}

func (s *apiServer) ReadFile(in *pluginpb.ReadFileRequest, stream grpc.ServerStreamingServer[pluginpb.ReadFileResponse]) error {
	return run(stream.Context(), &s.server, "ReadFile", func(target plugin.API, done func() error) error {
		data, appErr := target.ReadFile(in.Path)
		if failure := done(); failure != nil {
			return failure
		}
		head := &pluginpb.ReadFileResponseHead{Error: convert.AppErrorToProto(appErr)}
		if err := stream.Send(&pluginpb.ReadFileResponse{Part: &pluginpb.ReadFileResponse_Head{Head: head}}); err != nil {
			return err
		}
		return sendChunks(data, func(chunk []byte) error {
			return stream.Send(&pluginpb.ReadFileResponse{Part: &pluginpb.ReadFileResponse_Chunk{Chunk: chunk}})
		})
	})
}
