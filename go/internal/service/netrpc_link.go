package service

import (
	"io"
	"net"
	"net/rpc"
	"reflect"
	"sync"
	"sync/atomic"
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
	hooks  sync.Once   // they are expected
	asked  atomic.Bool // the server has asked for the plugin

	broken     chan struct{} // closed when calls one way or the other cannot be read any more
	breakOnce  sync.Once
	brokenWith string // set before broken is closed: what cannot be read

	lock        sync.Mutex
	api, driver *netrpcwire.Client
}

// NewServerLink returns the link over a socket.
func NewServerLink(socket net.Conn, logger hclog.Logger) *ServerLink {
	return &ServerLink{tap: muxtap.New(socket), logger: logger, broken: make(chan struct{})}
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
func (l *ServerLink) expectHooks(broker *goplugin.MuxBroker, methods map[string]netrpcwire.Method) {
	l.asked.Store(true)
	l.hooks.Do(func() {
		l.tap.Expect(broker.NextId()+1, func(stream *muxtap.Stream) {
			go func() {
				netrpcwire.Serve(stream, methods, l.logger, registered...)
				l.breaks("the server's calls of hooks")
			}()
		})
	})
}

// breaks notes that something can be read no more. The server does not make these streams anew.
func (l *ServerLink) breaks(what string) {
	l.breakOnce.Do(func() {
		l.brokenWith = what
		close(l.broken)
	})
}

// expectClients makes clients of the streams that Mattermost's code is about to dial when the plugin is activated.
func (l *ServerLink) expectClients(args *plugin.Z_OnActivateArgs) {
	l.lock.Lock()
	l.api, l.driver = nil, nil // those of an earlier activation
	l.lock.Unlock()
	expect := func(number uint32, client **netrpcwire.Client, what string) {
		l.tap.ExpectDial(number, func(stream *muxtap.Stream) {
			l.lock.Lock()
			defer l.lock.Unlock()
			made := netrpcwire.NewClient(stream, registered...)
			*client = made
			go func() {
				<-made.Over()
				l.breaks(what)
			}()
		})
	}
	expect(args.APIMuxId, &l.api, "the server's answers to API calls")
	expect(args.DriverMuxId, &l.driver, "the server's answers to calls of the database driver")
}

// UseForAPI has the API that Mattermost's code gives an activated plugin make its calls by this link, and returns what
// NewNetRPCAPI takes in its place.
func (l *ServerLink) UseForAPI(api plugin.API) (plugin.API, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if err := useClient(api, l.api); err != nil || l.api == nil {
		return api, err
	}
	return &linkedAPI{api, l.api}, nil
}

// linkedAPI is Mattermost's client of the API, with what it makes its calls by.
type linkedAPI struct {
	plugin.API
	calls *netrpcwire.Client
}

// UseForDriver has the database driver make its calls by this link.
func (l *ServerLink) UseForDriver(driver plugin.Driver) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	return useClient(driver, l.driver)
}

// useClient exchanges the net/rpc client that Mattermost's client of an API has; nil: it keeps its own.
func useClient(of any, client *netrpcwire.Client) error {
	if client == nil {
		return nil
	}
	if _, err := unexported[rpc.Client](of, "client"); err != nil {
		return err
	}
	field := reflect.ValueOf(of).Elem().FieldByName("client")
	*(**rpc.Client)(unsafe.Pointer(field.UnsafeAddr())) = client.Client
	return nil
}
