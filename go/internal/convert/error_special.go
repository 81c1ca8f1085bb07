package convert

import (
	"database/sql"
	"database/sql/driver"
	"io"

	"github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// sentinels are the errors that callers compare by identity, in the order of their numbers: those Mattermost's own
// RPC gives them, from 1.
var sentinels = [...]error{
	io.EOF,
	sql.ErrNoRows,
	sql.ErrConnDone,
	sql.ErrTxDone,
	driver.ErrSkip,
	driver.ErrBadConn,
	driver.ErrRemoveArgument,
}

// Sentinel returns the error that was sent by number, and the given one if it was not.
func Sentinel(err error) error {
	numbered, ok := err.(*plugin.ErrorString)
	if ok && numbered != nil && numbered.Code >= 1 && numbered.Code <= len(sentinels) {
		return sentinels[numbered.Code-1]
	}
	return err
}

// ErrorToProto takes an error to its message. What is neither an AppError nor an error of the database keeps its
// text only, as over Mattermost's own RPC.
func ErrorToProto(in error) *pluginpb.Error {
	switch err := in.(type) {
	case nil:
		return nil
	case *model.AppError:
		if err == nil {
			return nil
		}
		return &pluginpb.Error{Kind: &pluginpb.Error_AppError{AppError: AppErrorToProto(err)}}
	case *pq.Error:
		if err == nil {
			return nil
		}
		return &pluginpb.Error{Kind: &pluginpb.Error_PqError{PqError: PqErrorToProto(err)}}
	case *plugin.ErrorString:
		if err == nil {
			return nil
		}
		return errorString(err)
	case plugin.ErrorString:
		return errorString(&err)
	}
	plain := &plugin.ErrorString{Err: in.Error()}
	for i, sentinel := range sentinels {
		if in == sentinel { // identity is the point: a wrapped one must keep its text
			plain.Code = i + 1
		}
	}
	return errorString(plain)
}

func errorString(in *plugin.ErrorString) *pluginpb.Error {
	return &pluginpb.Error{Kind: &pluginpb.Error_ErrorString{ErrorString: ErrorStringToProto(in)}}
}

// ErrorFromProto is the way back of ErrorToProto.
func ErrorFromProto(in *pluginpb.Error) error {
	switch kind := in.GetKind().(type) {
	case *pluginpb.Error_AppError:
		return AppErrorFromProto(kind.AppError)
	case *pluginpb.Error_PqError:
		return PqErrorFromProto(kind.PqError)
	case *pluginpb.Error_ErrorString:
		return Sentinel(ErrorStringFromProto(kind.ErrorString))
	}
	return nil
}
