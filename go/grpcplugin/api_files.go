package grpcplugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mattermost/mattermost/server/public/model"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// The methods of plugin.API that carry content: it streams.

// upload sends the head and then what the reader has, and returns the answer.
func upload[Request, Response any](open func(context.Context, ...grpc.CallOption) (grpc.ClientStreamingClient[Request, Response], error),
	head *Request, chunk func([]byte) *Request, reader io.Reader,
) (*Response, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := open(ctx)
	if err != nil {
		return nil, err
	}
	sent := stream.Send(head)
	buffer := make([]byte, chunkSize)
	for sent == nil {
		n, err := io.ReadFull(reader, buffer)
		if n > 0 {
			sent = stream.Send(chunk(buffer[:n]))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read what is to be sent: %w", err)
		}
	}
	// A stream that takes no more has its answer or its status, which CloseAndRecv returns.
	return stream.CloseAndRecv()
}

// InstallPlugin installs a plugin from a bundle.
func (a *apiClient) InstallPlugin(file io.Reader, replace bool) (*model.Manifest, *model.AppError) {
	head := &pluginpb.InstallPluginRequestHead{Replace: replace}
	out, err := upload(a.stub.InstallPlugin, &pluginpb.InstallPluginRequest{Part: &pluginpb.InstallPluginRequest_Head{Head: head}},
		func(chunk []byte) *pluginpb.InstallPluginRequest {
			return &pluginpb.InstallPluginRequest{Part: &pluginpb.InstallPluginRequest_Chunk{Chunk: chunk}}
		}, file)
	if err != nil {
		return nil, appError("InstallPlugin", err)
	}
	return convert.ManifestFromProto(out.Result), convert.AppErrorFromProto(out.Error)
}

// UploadData adds data to an upload session.
func (a *apiClient) UploadData(us *model.UploadSession, rd io.Reader) (*model.FileInfo, error) {
	head := &pluginpb.UploadDataRequestHead{UploadSession: convert.UploadSessionToProto(us)}
	out, err := upload(a.stub.UploadData, &pluginpb.UploadDataRequest{Part: &pluginpb.UploadDataRequest_Head{Head: head}},
		func(chunk []byte) *pluginpb.UploadDataRequest {
			return &pluginpb.UploadDataRequest{Part: &pluginpb.UploadDataRequest_Chunk{Chunk: chunk}}
		}, rd)
	if err != nil {
		return nil, callError("UploadData", err)
	}
	return convert.FileInfoFromProto(out.Result), convert.ErrorFromProto(out.Error)
}

// UploadFile uploads a file to a channel.
func (a *apiClient) UploadFile(data []byte, channelID, filename string) (*model.FileInfo, *model.AppError) {
	head := &pluginpb.UploadFileRequestHead{ChannelId: channelID, Filename: filename}
	out, err := upload(a.stub.UploadFile, &pluginpb.UploadFileRequest{Part: &pluginpb.UploadFileRequest_Head{Head: head}},
		func(chunk []byte) *pluginpb.UploadFileRequest {
			return &pluginpb.UploadFileRequest{Part: &pluginpb.UploadFileRequest_Chunk{Chunk: chunk}}
		}, bytes.NewReader(data))
	if err != nil {
		return nil, appError("UploadFile", err)
	}
	return convert.FileInfoFromProto(out.Result), convert.AppErrorFromProto(out.Error)
}

// ReceiveSharedChannelAttachmentSyncMsg hands over a file of a shared channel.
func (a *apiClient) ReceiveSharedChannelAttachmentSyncMsg(remoteID, channelID string, fi *model.FileInfo, data io.Reader) (*model.FileInfo, error) {
	head := &pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequestHead{RemoteId: remoteID, ChannelId: channelID, FileInfo: convert.FileInfoToProto(fi)}
	out, err := upload(a.stub.ReceiveSharedChannelAttachmentSyncMsg,
		&pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest{Part: &pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest_Head{Head: head}},
		func(chunk []byte) *pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest {
			return &pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest{
				Part: &pluginpb.ReceiveSharedChannelAttachmentSyncMsgRequest_Chunk{Chunk: chunk},
			}
		}, data)
	if err != nil {
		return nil, callError("ReceiveSharedChannelAttachmentSyncMsg", err)
	}
	return convert.FileInfoFromProto(out.Result), convert.ErrorFromProto(out.Error)
}

// download joins the chunks of a stream. head is called with each message that has one.
func download[Response any, P interface {
	*Response
	GetChunk() []byte
}](stream grpc.ServerStreamingClient[Response], head func(P)) ([]byte, error) {
	var data []byte
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		head(message)
		data = append(data, P(message).GetChunk()...)
	}
}

// GetFile returns the content of a file.
func (a *apiClient) GetFile(fileID string) ([]byte, *model.AppError) {
	var failure *model.AppError
	stream, err := a.stub.GetFile(context.Background(), &pluginpb.GetFileRequest{FileId: fileID})
	if err != nil {
		return nil, appError("GetFile", err)
	}
	data, err := download(stream, func(message *pluginpb.GetFileResponse) {
		if head := message.GetHead(); head != nil {
			failure = convert.AppErrorFromProto(head.Error)
		}
	})
	if err != nil {
		return nil, appError("GetFile", err)
	}
	return data, failure
}

// ReadFile returns the content of a file by its path in the file store.
func (a *apiClient) ReadFile(path string) ([]byte, *model.AppError) {
	var failure *model.AppError
	stream, err := a.stub.ReadFile(context.Background(), &pluginpb.ReadFileRequest{Path: path})
	if err != nil {
		return nil, appError("ReadFile", err)
	}
	data, err := download(stream, func(message *pluginpb.ReadFileResponse) {
		if head := message.GetHead(); head != nil {
			failure = convert.AppErrorFromProto(head.Error)
		}
	})
	if err != nil {
		return nil, appError("ReadFile", err)
	}
	return data, failure
}
