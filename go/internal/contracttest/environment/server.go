package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"reflect"
	"slices"
	"sync"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
)

var apiType = reflect.TypeFor[plugin.API]()

// server plays the server's API: it remembers the arguments of every call and answers with values that the seed, the
// method and the outcome decide.
type server struct {
	seed uint64

	lock    sync.Mutex
	outcome string // "": the plugin is not examined yet; "value", "error"
	calls   map[string][][]any
}

// examine forgets all calls and says how the next ones end.
func (s *server) examine(outcome string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.outcome, s.calls = outcome, map[string][][]any{}
}

func (s *server) seen(method string) [][]any {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.calls[method]
}

// call is the function behind every API method.
func (s *server) call(method string, args ...any) []any {
	args = drained(args)
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.outcome == "" {
		// While the plugin is being activated.
		if method == "GetServerVersion" {
			return []any{model.CurrentVersion}
		}
		return nil
	}
	s.calls[method] = append(s.calls[method], args)
	return s.results(method, args)
}

// drained replaces the readers among arguments by what they read.
func drained(args []any) []any {
	out := slices.Clone(args)
	for i, arg := range out {
		if reader, ok := arg.(io.Reader); ok {
			data, err := io.ReadAll(reader)
			if err != nil {
				data = fmt.Appendf(data, "(cut off: %v)", err)
			}
			out[i] = data
		}
	}
	return out
}

func (s *server) results(method string, args []any) []any {
	declared, ok := apiType.MethodByName(method)
	if !ok {
		panic(fmt.Sprintf("the API has no %s", method))
	}
	hash := fnv.New64()
	_, _ = hash.Write([]byte(method))
	filler := contracttest.NewFiller(int64(s.seed^hash.Sum64()), false)
	if method == "LoadPluginConfiguration" {
		return []any{loadConfiguration(args[0])}
	}
	if s.outcome == "error" && unencoded[method] {
		return []any{nil, filled(filler, appErrorType).Interface()}
	}
	return outcomes(filler, declared.Type, s.outcome == "error")
}

// unencoded are methods whose error Mattermost's RPC sends as it is. What is not registered with gob would end the
// connection; a server returns nothing but *model.AppError there.
var unencoded = map[string]bool{"UploadData": true, "ReceiveSharedChannelAttachmentSyncMsg": true}

var (
	appErrorType = reflect.TypeFor[*model.AppError]()
	errorType    = reflect.TypeFor[error]()
)

// outcomes returns results of a method: either all but the error, or the error alone.
func outcomes(filler *contracttest.Filler, method reflect.Type, failing bool) []any {
	results := make([]any, method.NumOut())
	for i := range results {
		t := method.Out(i)
		isError := t == appErrorType || t == errorType
		hasError := method.Out(len(results)-1) == appErrorType || method.Out(len(results)-1) == errorType
		if isError == (failing && hasError) {
			results[i] = filled(filler, t).Interface()
		} else {
			results[i] = reflect.Zero(t).Interface()
		}
	}
	return results
}

// filled returns a value of a type with all of its fields set.
func filled(filler *contracttest.Filler, t reflect.Type) reflect.Value {
	target := reflect.New(t)
	filler.Fill(target.Interface())
	return target.Elem()
}

// loadConfiguration writes a configuration where the caller wants it, as the server does.
func loadConfiguration(dest any) error {
	return json.Unmarshal([]byte(`{"words": ["a", "b"], "limit": 3, "nested": {"on": true, "none": null}}`), dest)
}
