package service

import (
	"errors"
	"io"

	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// upload runs a method whose request is a stream: it receives the head and hands the rest on as a reader.
func upload[H, Res any, P convert.Head[H]](s *apiServer, method string, stream grpc.ClientStreamingServer[convert.Part[H, P], Res], call func(plugin.API, *H, io.Reader) (*Res, error)) error {
	return run(stream.Context(), &s.server, method, func(target plugin.API, done func() error) error {
		first, err := stream.Recv()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || first.Head == nil {
			return status.Errorf(codes.InvalidArgument, "the first message of %s must be its head", method)
		}
		reply, err := call(target, first.Head, newChunkReader(new(convert.Part[H, P]), stream.RecvMsg))
		if failure := done(); failure != nil {
			return failure
		}
		if err != nil {
			return err
		}
		return stream.SendAndClose(reply)
	})
}

func (s *apiServer) InstallPlugin(stream grpc.ClientStreamingServer[convert.InstallPluginRequest, convert.InstallPluginResponse]) error {
	return upload(s, "InstallPlugin", stream, func(target plugin.API, head *convert.InstallPluginRequestHead, file io.Reader) (*convert.InstallPluginResponse, error) {
		result, err := target.InstallPlugin(file, head.Replace)
		return &convert.InstallPluginResponse{
			Result: result,
			Error:  err,
		}, nil
	})
}

func (s *apiServer) UploadData(stream grpc.ClientStreamingServer[convert.UploadDataRequest, convert.UploadDataResponse]) error {
	return upload(s, "UploadData", stream, func(target plugin.API, head *convert.UploadDataRequestHead, data io.Reader) (*convert.UploadDataResponse, error) {
		result, err := target.UploadData(head.UploadSession, data)
		return &convert.UploadDataResponse{
			Result: result,
			Error:  err,
		}, nil
	})
}

func (s *apiServer) ReceiveSharedChannelAttachmentSyncMsg(stream grpc.ClientStreamingServer[convert.ReceiveSharedChannelAttachmentSyncMsgRequest, convert.ReceiveSharedChannelAttachmentSyncMsgResponse]) error {
	return upload(s, "ReceiveSharedChannelAttachmentSyncMsg", stream, func(target plugin.API, head *convert.ReceiveSharedChannelAttachmentSyncMsgRequestHead, data io.Reader) (*convert.ReceiveSharedChannelAttachmentSyncMsgResponse, error) {
		result, err := target.ReceiveSharedChannelAttachmentSyncMsg(head.RemoteId, head.ChannelId, head.FileInfo, data)
		return &convert.ReceiveSharedChannelAttachmentSyncMsgResponse{
			Result: result,
			Error:  err,
		}, nil
	})
}

func (s *apiServer) UploadFile(stream grpc.ClientStreamingServer[convert.UploadFileRequest, convert.UploadFileResponse]) error {
	return upload(s, "UploadFile", stream, func(target plugin.API, head *convert.UploadFileRequestHead, reader io.Reader) (*convert.UploadFileResponse, error) {
		// plugin.API has no reader here: UploadData is the way for what does not fit into memory.
		data, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		result, appErr := target.UploadFile(data, head.ChannelId, head.Filename)
		return &convert.UploadFileResponse{
			Result: result,
			Error:  appErr,
		}, nil
	})
}

func (s *apiServer) GetFile(in *convert.GetFileRequest, stream grpc.ServerStreamingServer[convert.GetFileResponse]) error {
	return run(stream.Context(), &s.server, "GetFile", func(target plugin.API, done func() error) error {
		data, appErr := target.GetFile(in.FileId)
		if failure := done(); failure != nil {
			return failure
		}
		head := &convert.GetFileResponseHead{Error: appErr}
		if err := stream.Send(&convert.GetFileResponse{Head: head}); err != nil {
			return err
		}
		return sendChunks(data, stream.SendMsg)
	})
}

func (s *apiServer) ReadFile(in *convert.ReadFileRequest, stream grpc.ServerStreamingServer[convert.ReadFileResponse]) error {
	return run(stream.Context(), &s.server, "ReadFile", func(target plugin.API, done func() error) error {
		data, appErr := target.ReadFile(in.Path)
		if failure := done(); failure != nil {
			return failure
		}
		head := &convert.ReadFileResponseHead{Error: appErr}
		if err := stream.Send(&convert.ReadFileResponse{Head: head}); err != nil {
			return err
		}
		return sendChunks(data, stream.SendMsg)
	})
}
