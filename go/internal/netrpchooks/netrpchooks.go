// Package netrpchooks makes Mattermost's own net/rpc side of a plugin available to a host that is not part of
// Mattermost's plugin package.
//
// That package has all that a host needs for a plugin over net/rpc (the client of the hooks, the servers of API and
// database driver), as a go-plugin plugin; but it hands it to its own supervisor only, and its fields have no
// exported names. Writing it all again would be the one way to make it differ from a server's. In Mattermost's own
// package the same takes no reflection: there the fields are just set.
package netrpchooks

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
)

// Hooks are what the plugin of New dispenses.
type Hooks interface {
	plugin.Hooks
	plugin.HooksWithRPCErr
}

// New returns the go-plugin plugin with which a host talks to a plugin over net/rpc, and offers it an API and a
// driver (nil: none).
func New(api plugin.API, driver plugin.Driver, log *mlog.Logger) (goplugin.Plugin, error) {
	original, err := mattermosts()
	if err != nil {
		return nil, err
	}
	kind := reflect.TypeOf(original)
	if kind.Kind() != reflect.Pointer || kind.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("a plugin of Mattermost's package is a %T, not a pointer to a struct", original)
	}
	made := reflect.New(kind.Elem())
	for name, value := range map[string]reflect.Value{
		"apiImpl":    reflect.ValueOf(&api).Elem(),
		"driverImpl": reflect.ValueOf(&driver).Elem(),
		"log":        reflect.ValueOf(&log).Elem(),
	} {
		field, err := settable(made, name, value.Type())
		if err != nil {
			return nil, err
		}
		field.Set(value)
	}
	return made.Interface().(goplugin.Plugin), nil
}

// Serving returns what is done when the servers of API and driver, which began with OnActivate, have ended. hooks is
// what the plugin of New dispensed.
func Serving(hooks any) (*sync.WaitGroup, error) {
	pointer := reflect.ValueOf(hooks)
	if pointer.Kind() != reflect.Pointer || pointer.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%T is not the client of the hooks of Mattermost's plugin package", hooks)
	}
	field, err := settable(pointer, "doneWg", reflect.TypeFor[sync.WaitGroup]())
	if err != nil {
		return nil, err
	}
	return field.Addr().Interface().(*sync.WaitGroup), nil
}

// settable returns a field of the struct that pointer points to, as one that can be set.
func settable(pointer reflect.Value, name string, kind reflect.Type) (reflect.Value, error) {
	field := pointer.Elem().FieldByName(name)
	if !field.IsValid() || field.Type() != kind {
		return reflect.Value{}, fmt.Errorf("%s has no field %s of type %s: the pinned "+
			"github.com/mattermost/mattermost/server/public is another than this package knows", pointer.Type(), name, kind)
	}
	return reflect.NewAt(kind, unsafe.Pointer(field.UnsafeAddr())).Elem(), nil
}

var errSeen = errors.New("this is enough")

// mattermosts returns the plugin that Mattermost's package would serve, without serving it: an option of ClientMain
// sees it, and its error ends ClientMain, by a panic.
func mattermosts() (found goplugin.Plugin, err error) {
	defer func() {
		if cause := recover(); cause != nil && found == nil {
			err = fmt.Errorf("look into Mattermost's plugin package: %v", cause)
		}
	}()
	plugin.ClientMain(&plugin.MattermostPlugin{}, func(config *goplugin.ServeConfig) error {
		found = config.Plugins[handshake.Hooks]
		return errSeen
	})
	return nil, errors.New("the ClientMain of Mattermost goes on after the error of an option")
}
