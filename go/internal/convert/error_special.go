package convert

import (
	"database/sql"
	"database/sql/driver"
	"io"

	"github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
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

// isNoError tells whether there is no error, although the interface may hold a pointer.
func isNoError(in error) bool {
	switch err := in.(type) {
	case nil:
		return true
	case *model.AppError:
		return err == nil
	case *pq.Error:
		return err == nil
	case *plugin.ErrorString:
		return err == nil
	}
	return false
}

// appendSetError appends the field of an error that there is.
func appendSetError(b []byte, tag uint64, in error) []byte {
	if isNoError(in) {
		return b
	}
	return appendWrapped(b, tag, in, AppendError)
}

// AppendError appends the message of an error. What is neither an AppError nor an error of the database keeps its text
// only, as over Mattermost's own RPC.
func AppendError(b []byte, in error) []byte {
	if isNoError(in) {
		return b
	}
	switch err := in.(type) {
	case *model.AppError:
		return appendMessage(b, errorAppError, err, AppendAppError)
	case *pq.Error:
		return appendMessage(b, errorPqError, err, AppendPqError)
	case *plugin.ErrorString:
		return appendMessage(b, errorErrorString, err, AppendErrorString)
	case plugin.ErrorString:
		return appendMessage(b, errorErrorString, &err, AppendErrorString)
	}
	plain := plugin.ErrorString{Err: in.Error()}
	for i, sentinel := range sentinels {
		if in == sentinel { // identity is the point: a wrapped one must keep its text
			plain.Code = i + 1
		}
	}
	return appendMessage(b, errorErrorString, &plain, AppendErrorString)
}

// ParseError is the way back of AppendError; see Message about data.
func ParseError(data []byte) (error, error) { return parseError(newSource(data)) }

func parseError(in source) (error, error) {
	var kind oneof
	f := in.fields()
	for f.next() {
		switch f.tag {
		case errorAppError, errorPqError, errorErrorString:
			kind.merge(&f, checkError)
		}
	}
	out, err := errorOf(kind)
	f.fail(err)
	return out, f.err
}

func checkError(kind oneof) error {
	_, err := errorOf(kind)
	return err
}

func errorOf(kind oneof) (out, err error) {
	switch kind.tag {
	case errorAppError:
		value := new(model.AppError)
		return value, parseAppError(kind.in, value)
	case errorPqError:
		value := new(pq.Error)
		return value, parsePqError(kind.in, value)
	case errorErrorString:
		value := new(plugin.ErrorString)
		err := parseErrorString(kind.in, value)
		return Sentinel(value), err
	}
	return nil, nil
}
