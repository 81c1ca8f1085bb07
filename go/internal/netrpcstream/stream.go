// Package netrpcstream gets at the stream behind a reader of Mattermost's plugin package.
//
// Over net/rpc a body travels on a stream of its own, and the receiving side gets a reader over it which, each time it
// is called, asks for as many bytes as the caller has room for and returns what has arrived. What it asked for and did
// not get adds up; after some GiB (much earlier where pieces are small) the other side, busy sending or not interested
// in being asked, reads it no more, and both wait for ever. Reading from the stream itself avoids that.
package netrpcstream

import (
	"io"
	"reflect"
	"unsafe"
)

// Of returns the stream behind a reader that Mattermost's plugin package made; nil if it made no such reader.
func Of(reader any) io.ReadWriteCloser {
	pointer := reflect.ValueOf(reader)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() || pointer.Elem().Kind() != reflect.Struct {
		return nil
	}
	kind := pointer.Elem().Type()
	if kind.PkgPath() != "github.com/mattermost/mattermost/server/public/plugin" || kind.Name() != "remoteIOReader" {
		return nil
	}
	field := pointer.Elem().FieldByName("conn")
	if !field.IsValid() {
		return nil
	}
	stream, _ := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Interface().(io.ReadWriteCloser)
	return stream
}
