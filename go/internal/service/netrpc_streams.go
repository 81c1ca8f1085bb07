package service

import (
	"io"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// The methods of plugin.API that take a reader. Mattermost's client sends the bytes over a stream of its broker:
// the server writes the number of bytes it would like as a varint, the client answers with bytes.

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

// serveReader sends what it reads for as long as the server takes it. How much the server asks for is of no interest:
// its reader asks anew at each call, also for what it asked for before and is on its way. Were the wishes read only
// when all before them are fulfilled, they would fill their side of the stream, and both sides would wait for ever.
func serveReader(reader io.Reader, stream io.ReadWriteCloser) {
	defer stream.Close()
	go func() {
		// Ends when the server closes the stream, because it has all it wants or has failed; then so does the copy.
		_, _ = io.Copy(io.Discard, stream)
		_ = stream.Close()
	}()
	// An error of the reader cannot be told: closing the stream is all that the server learns of the end.
	_, _ = io.CopyBuffer(onlyWriter{stream}, onlyReader{reader}, make([]byte, chunkSize))
}

// onlyWriter hides what else a stream can do, so that io.CopyBuffer uses the buffer it is given.
type onlyWriter struct{ io.Writer }

// onlyReader hides what else a reader can do, likewise.
type onlyReader struct{ io.Reader }
