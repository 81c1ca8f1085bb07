package service

import (
	"errors"
	"io"

	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// upload runs a method whose request is a stream: it receives the head and hands the rest on as a reader.
func upload[H, Req, Res any, P interface {
	*Req
	proto.Message
	GetHead() *H
}](s *apiServer, method string, stream grpc.ClientStreamingServer[Req, Res], call func(plugin.API, *H, io.Reader) (*Res, error)) error {
	return run(stream.Context(), &s.server, method, func(target plugin.API, done func() error) error {
		first, err := stream.Recv()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || P(first).GetHead() == nil {
			return status.Errorf(codes.InvalidArgument, "the first message of %s must be its head", method)
		}
		reply, err := call(target, P(first).GetHead(), newChunkReader(P(new(Req)), stream.RecvMsg))
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
		return sendChunks(data, stream.SendMsg)
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
		return sendChunks(data, stream.SendMsg)
	})
}
