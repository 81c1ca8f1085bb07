package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpcstream"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/patience"
)

// FileWillBeUploaded is invoked when a file is uploaded, but before it is committed to backing store. The file goes
// to the plugin as it is read, what the plugin writes comes back meanwhile.
func (h *HooksClient) FileWillBeUploaded(c *plugin.Context, info *model.FileInfo, file io.Reader, output io.Writer) (*model.FileInfo, string) {
	if !h.has(plugin.FileWillBeUploadedID) {
		return info, ""
	}
	replacement := &countingWriter{Writer: output}
	out, err := h.exchangeFile(c, info, netrpcstream.NewReader(file), replacement)
	if err != nil {
		reason := h.refused("FileWillBeUploaded", err)
		if reason == "" && replacement.written > 0 {
			// What was written cannot be taken back, and half a replacement is not the file unchanged.
			reason = "the plugin failed while it replaced the file"
		}
		return info, reason
	}
	if out.Result == nil && out.RejectionReason == "" {
		return info, ""
	}
	return convert.Merged(info, out.Result, convert.MergeFileInfo), out.RejectionReason
}

var (
	errOutputClosed = errors.New("the server takes no replacement of the file any more")
	errNothingMoves = status.Error(codes.DeadlineExceeded, "the plugin neither read nor wrote anything for too long")
)

type fileExchange = grpc.BidiStreamingClient[convert.FileWillBeUploadedRequest, convert.FileWillBeUploadedResponse]

// exchangeFile runs the stream of the hook. When it returns, neither file nor output is used any more.
//
// The deadline of the hook is for each step of the plugin, not for the whole, which is as slow as the upload.
func (h *HooksClient) exchangeFile(c *plugin.Context, info *model.FileInfo, file io.Reader, output *countingWriter) (*convert.FileWillBeUploadedResponseHead, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var limit time.Duration
	if h.options.Deadline != nil {
		limit = h.options.Deadline("FileWillBeUploaded")
	}
	patience := patience.New(limit, func() { cancel(errNothingMoves) })
	defer patience.End()
	stream, err := OpenStream[convert.FileWillBeUploadedRequest, convert.FileWillBeUploadedResponse](ctx, h.conn,
		grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, hooksPath+"FileWillBeUploaded")
	if err != nil {
		return nil, err
	}
	if conn, ok := output.Writer.(net.Conn); ok {
		// Nothing is ever sent this way, so reading ends with the connection: the server has failed to store the
		// replacement, and writing more would wait for somebody to take it.
		go func() {
			_, _ = io.Copy(io.Discard, conn)
			cancel(errOutputClosed)
			_ = conn.Close() // and so ends a write that waits
		}()
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if err := sendFile(stream, c, info, &heldReader{file, patience}); err != nil {
			cancel(err)
		}
	}()
	out, err := receiveFile(stream, &heldWriter{output, patience})
	cancel(nil)
	<-sent
	if cause := context.Cause(ctx); status.Code(err) == codes.Canceled && !errors.Is(cause, context.Canceled) {
		err = cause // why the stream was cancelled, which says more than that it was
	}
	return out, err
}

// sendFile sends the head and the file. That the plugin does not want (all of) it is no error.
func sendFile(stream fileExchange, c *plugin.Context, info *model.FileInfo, file io.Reader) error {
	head := &convert.FileWillBeUploadedRequestHead{Context: c, Info: info}
	if stream.Send(&convert.FileWillBeUploadedRequest{Head: head}) != nil {
		return nil // the stream is over; receiving says why
	}
	readErr, sendErr := copyChunks(func(p []byte) (int, error) { return fill(file, p) }, stream.SendMsg)
	if readErr != nil {
		return fmt.Errorf("read the uploaded file: %w", readErr)
	}
	if sendErr == nil {
		// Fails only when the stream is over.
		_ = stream.CloseSend()
	}
	return nil
}

// fill reads until the buffer is full: a message costs the same whether it is large or small. Unlike io.ReadFull it
// returns the error of the reader as it is.
func fill(reader io.Reader, buffer []byte) (int, error) {
	n := 0
	for n < len(buffer) {
		more, err := reader.Read(buffer[n:])
		n += more
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// receiveFile writes what the plugin sends to output and returns the head, which comes last.
func receiveFile(stream fileExchange, output io.Writer) (*convert.FileWillBeUploadedResponseHead, error) {
	message := &convert.FileWillBeUploadedResponse{}
	received := receivedPart{message: message}
	var head *convert.FileWillBeUploadedResponseHead
	for {
		err := stream.RecvMsg(&received)
		if errors.Is(err, io.EOF) {
			if head == nil {
				return nil, errors.New("the stream ended without the hook's result")
			}
			return head, nil
		}
		if err != nil {
			return nil, err
		}
		if !received.isChunk {
			if message.Head != nil {
				head = message.Head
			}
			*message = convert.FileWillBeUploadedResponse{}
			continue
		}
		if _, err := output.Write(received.chunk); err != nil {
			return nil, fmt.Errorf("write the replacement of the file: %w", err)
		}
	}
}

// heldReader reads from the server, for which the plugin has to wait.
type heldReader struct {
	io.Reader
	patience *patience.Patience
}

// Read implements io.Reader.
func (r *heldReader) Read(p []byte) (int, error) {
	r.patience.Hold()
	defer r.patience.Resume()
	return r.Reader.Read(p)
}

// heldWriter writes to the server, likewise.
type heldWriter struct {
	io.Writer
	patience *patience.Patience
}

// Write implements io.Writer.
func (w *heldWriter) Write(p []byte) (int, error) {
	w.patience.Hold()
	defer w.patience.Resume()
	return w.Writer.Write(p)
}

// countingWriter knows whether anything was written.
type countingWriter struct {
	io.Writer
	written int
}

// Write implements io.Writer.
func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.written += n
	return n, err
}
