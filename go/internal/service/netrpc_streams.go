package service

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// The methods of plugin.API that take a reader. Mattermost's client sends the bytes over a stream of its broker:
// the server writes the number of bytes it would like as a varint, the client answers with that many.

func (a *netRPCAPI) InstallPlugin(file io.Reader, replace bool) (*model.Manifest, *model.AppError) {
	returns := &plugin.Z_InstallPluginReturns{}
	args := &plugin.Z_InstallPluginArgs{PluginStreamID: a.serve(file), B: replace}
	if !a.call("InstallPlugin", args, returns) {
		return nil, nil
	}
	return returns.A, returns.B
}

func (a *netRPCAPI) UploadData(us *model.UploadSession, rd io.Reader) (*model.FileInfo, error) {
	returns := &plugin.Z_UploadDataReturns{}
	args := &plugin.Z_UploadDataArgs{A: us, PluginStreamID: a.serve(rd)}
	if !a.call("UploadData", args, returns) {
		return nil, nil
	}
	return returns.A, returns.B
}

func (a *netRPCAPI) ReceiveSharedChannelAttachmentSyncMsg(remoteID, channelID string, fi *model.FileInfo, data io.Reader) (*model.FileInfo, error) {
	returns := &plugin.Z_ReceiveSharedChannelAttachmentSyncMsgReturns{}
	args := &plugin.Z_ReceiveSharedChannelAttachmentSyncMsgArgs{
		A: remoteID, B: channelID, C: fi, DataStreamID: a.serve(data),
	}
	if !a.call("ReceiveSharedChannelAttachmentSyncMsg", args, returns) {
		return nil, nil
	}
	return returns.A, returns.B
}

// serve offers the reader to the server under the returned id. It ends when the server closes the stream, or after
// the broker's 5 seconds if the server never opens it.
func (a *netRPCAPI) serve(reader io.Reader) uint32 {
	id := a.broker.NextId()
	go func() {
		// Without a connection the server cannot read: the call then fails there, and its error arrives here.
		if stream, err := a.broker.Accept(id); err == nil {
			serveReader(reader, stream)
		}
	}()
	return id
}

func serveReader(reader io.Reader, stream io.ReadWriteCloser) {
	defer stream.Close()
	wishes := bufio.NewReader(stream)
	chunk := make([]byte, 32*1024)
	for {
		wanted, err := binary.ReadVarint(wishes)
		if err != nil {
			return // the server has all it wants
		}
		sent, err := io.CopyBuffer(onlyWriter{stream}, io.LimitReader(reader, wanted), chunk)
		if err != nil || sent < wanted {
			return // closing the stream is how the server learns of the end
		}
	}
}

// onlyWriter hides what else a stream can do, so that io.CopyBuffer uses the buffer it is given.
type onlyWriter struct{ io.Writer }
