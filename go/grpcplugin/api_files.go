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
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// The methods of plugin.API that carry content: it streams.

// upload sends the head and then what the reader has, and returns the answer.
func upload[Response, H any, P convert.Head[H]](conn grpc.ClientConnInterface, method string, head *H, reader io.Reader) (*Response, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := service.OpenStream[convert.Part[H, P], Response](ctx, conn, grpc.StreamDesc{ClientStreams: true}, apiPath+method)
	if err != nil {
		return nil, err
	}
	sent := stream.Send(&convert.Part[H, P]{Head: head})
	buffer := make([]byte, chunkSize)
	for sent == nil {
		n, err := io.ReadFull(reader, buffer)
		if n > 0 {
			sent = stream.Send(&convert.Part[H, P]{Chunk: buffer[:n]})
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
	out, err := upload[convert.InstallPluginResponse](a.conn, "InstallPlugin", &convert.InstallPluginRequestHead{Replace: replace}, file)
	if err != nil {
		return nil, appError("InstallPlugin", err)
	}
	return out.Result, out.Error
}

// UploadData adds data to an upload session.
func (a *apiClient) UploadData(us *model.UploadSession, rd io.Reader) (*model.FileInfo, error) {
	out, err := upload[convert.UploadDataResponse](a.conn, "UploadData", &convert.UploadDataRequestHead{UploadSession: us}, rd)
	if err != nil {
		return nil, callError("UploadData", err)
	}
	return out.Result, out.Error
}

// UploadFile uploads a file to a channel.
func (a *apiClient) UploadFile(data []byte, channelID, filename string) (*model.FileInfo, *model.AppError) {
	head := &convert.UploadFileRequestHead{ChannelId: channelID, Filename: filename}
	out, err := upload[convert.UploadFileResponse](a.conn, "UploadFile", head, bytes.NewReader(data))
	if err != nil {
		return nil, appError("UploadFile", err)
	}
	return out.Result, out.Error
}

// ReceiveSharedChannelAttachmentSyncMsg hands over a file of a shared channel.
func (a *apiClient) ReceiveSharedChannelAttachmentSyncMsg(remoteID, channelID string, fi *model.FileInfo, data io.Reader) (*model.FileInfo, error) {
	head := &convert.ReceiveSharedChannelAttachmentSyncMsgRequestHead{RemoteId: remoteID, ChannelId: channelID, FileInfo: fi}
	out, err := upload[convert.ReceiveSharedChannelAttachmentSyncMsgResponse](a.conn, "ReceiveSharedChannelAttachmentSyncMsg", head, data)
	if err != nil {
		return nil, callError("ReceiveSharedChannelAttachmentSyncMsg", err)
	}
	return out.Result, out.Error
}

// download joins the chunks of a stream, and returns the newest head of its messages, nil if there was none.
func download[H any, P convert.Head[H]](conn grpc.ClientConnInterface, method string, in convert.Message) ([]byte, *H, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := service.OpenStream[convert.Message, convert.Part[H, P]](ctx, conn, grpc.StreamDesc{ServerStreams: true}, apiPath+method)
	if err != nil {
		return nil, nil, err
	}
	if err := stream.SendMsg(in); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, nil, err
	}
	var data []byte
	var head *H
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return data, head, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if message.Head != nil {
			head = message.Head
		}
		data = append(data, message.Chunk...)
	}
}

// GetFile returns the content of a file.
func (a *apiClient) GetFile(fileID string) ([]byte, *model.AppError) {
	data, head, err := download[convert.GetFileResponseHead](a.conn, "GetFile", &convert.GetFileRequest{FileId: fileID})
	if err != nil {
		return nil, appError("GetFile", err)
	}
	if head == nil {
		return data, nil
	}
	return data, head.Error
}

// ReadFile returns the content of a file by its path in the file store.
func (a *apiClient) ReadFile(path string) ([]byte, *model.AppError) {
	data, head, err := download[convert.ReadFileResponseHead](a.conn, "ReadFile", &convert.ReadFileRequest{Path: path})
	if err != nil {
		return nil, appError("ReadFile", err)
	}
	if head == nil {
		return data, nil
	}
	return data, head.Error
}
