package service

import (
	"io"
	"net"
	"net/rpc"
	"reflect"
	"sync"
	"unsafe"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/muxtap"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpcwire"
)

// ServerLink is the connection that a Mattermost server has made to a plugin. It carries the calls of hooks, of the API
// and of the database driver past the connection's yamux session and net/rpc's server. Everything else on it is
// go-plugin's, as these calls are where the server does not begin them as go-plugin does.
type ServerLink struct {
	tap    *muxtap.Tap
	logger hclog.Logger
	hooks  sync.Once // they are expected

	lock        sync.Mutex
	api, driver *rpc.Client
}

// NewServerLink returns the link over a socket.
func NewServerLink(socket net.Conn, logger hclog.Logger) *ServerLink {
	return &ServerLink{tap: muxtap.New(socket), logger: logger}
}

// Session is the connection for go-plugin to serve.
func (l *ServerLink) Session() io.ReadWriteCloser { return l.tap }

// registered are values of the types that Mattermost's plugin package registers with gob: what an interface may hold.
var registered = []any{
	[]any{}, map[string]any{}, []*model.MessageAttachment{}, &model.AppError{}, &pq.Error{}, &plugin.ErrorString{},
	&model.AutocompleteDynamicListArg{}, &model.AutocompleteStaticListArg{}, &model.AutocompleteTextArg{}, &model.PreviewPost{},
	model.PropertyOptions[*model.PluginPropertyOption]{}, []model.PropertyOwner{},
	// And gob itself, of those that need a description.
	[]bool{}, []int{}, []int8{}, []int16{}, []int32{}, []int64{}, []uint{}, []uint16{}, []uint32{}, []uint64{}, []uintptr{},
	[]float32{}, []float64{}, []complex64{}, []complex128{}, []string{},
}

// expectHooks serves hooks on the stream that go-plugin is about to offer for them. It is called while go-plugin
// dispenses the plugin, which takes the broker's next number when that is done. If that is done twice at a time, one of
// the two may have the other's number, and serves the same plugin; the other one, and all later ones, are go-plugin's: by
// then, uploads take numbers too.
func (l *ServerLink) expectHooks(broker *goplugin.MuxBroker, hooks NetRPCHooks) {
	l.hooks.Do(func() {
		l.tap.Expect(broker.NextId()+1, func(stream *muxtap.Stream) {
			go netrpcwire.Serve(stream, netRPCMethods(hooks), l.logger, registered...)
		})
	})
}

// expectClients makes clients of the streams that Mattermost's code is about to dial when the plugin is activated.
func (l *ServerLink) expectClients(args *plugin.Z_OnActivateArgs) {
	l.lock.Lock()
	l.api, l.driver = nil, nil // those of an earlier activation
	l.lock.Unlock()
	expect := func(number uint32, client **rpc.Client) {
		l.tap.ExpectDial(number, func(stream *muxtap.Stream) {
			l.lock.Lock()
			defer l.lock.Unlock()
			*client = netrpcwire.NewClient(stream, registered...)
		})
	}
	expect(args.APIMuxId, &l.api)
	expect(args.DriverMuxId, &l.driver)
}

// UseForAPI has the API that Mattermost's code gives an activated plugin make its calls by this link.
func (l *ServerLink) UseForAPI(api plugin.API) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	return useClient(api, l.api)
}

// UseForDriver is UseForAPI for the database driver.
func (l *ServerLink) UseForDriver(driver plugin.Driver) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	return useClient(driver, l.driver)
}

// useClient exchanges the net/rpc client that Mattermost's client of an API has; nil: it keeps its own.
func useClient(of any, client *rpc.Client) error {
	if client == nil {
		return nil
	}
	if _, err := unexported[rpc.Client](of, "client"); err != nil {
		return err
	}
	field := reflect.ValueOf(of).Elem().FieldByName("client")
	*(**rpc.Client)(unsafe.Pointer(field.UnsafeAddr())) = client
	return nil
}
