package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/deadline"
)

// HooksOptions says how a HooksClient deals with a plugin.
type HooksOptions struct {
	// Deadline is how long a call of the hook may take; 0 means as long as it likes. nil: no hook has a deadline.
	Deadline func(hook string) time.Duration

	// OnFailure is asked when a call of a hook that can refuse something fails: the plugin raised, did not answer
	// in time or is gone. err is a *HookError. nil: Allow. Failures of other hooks need no decision: an error is
	// returned where the hook has an error result and logged where it has none.
	OnFailure func(hook string, err error) Decision

	// Activation provides what OnActivate tells the plugin. nil: the plugin reaches no API.
	Activation func() (Activation, error)

	// HTTP serves what ServeHTTP and ServeMetrics are asked for. nil: 501.
	HTTP HTTPProxy

	// Logger gets a line for each failed call. nil: hclog.Default().
	Logger hclog.Logger
}

// Activation is what a plugin learns when it is activated.
type Activation struct {
	// APIBrokerID and DriverBrokerID are ids of go-plugin's broker under which the services wait for the plugin;
	// 0 means that the service is not offered.
	APIBrokerID, DriverBrokerID uint32
	// ServerVersion is the version of the Mattermost server, "" if it is not known.
	ServerVersion string
}

// HTTPProxy hands requests of the two HTTP hooks to the plugin.
type HTTPProxy interface {
	ServeHTTP(c *plugin.Context, w http.ResponseWriter, r *http.Request)
	ServeMetrics(c *plugin.Context, w http.ResponseWriter, r *http.Request)
}

// Decision is what happens to a message, a login, ... about which the plugin could not be asked.
type Decision struct {
	reason string // "" allows
}

// Allow lets it pass unchanged, as if the plugin had not implemented the hook.
var Allow = Decision{}

// Reject refuses it. The reason is shown to the user.
func Reject(reason string) Decision {
	if reason == "" {
		// An empty reason is how Mattermost's hooks spell "allowed".
		reason = "the plugin that decides about this is not available"
	}
	return Decision{reason: reason}
}

// HookError says that a call of a hook failed, as opposed to an error which the hook returned.
type HookError struct {
	Hook string
	// Code is Internal when the hook raised, DeadlineExceeded when it took too long, Unavailable when the process
	// is gone.
	Code    codes.Code
	Message string
}

// Error says which hook failed and how.
func (e *HookError) Error() string {
	return fmt.Sprintf("the plugin's hook %s failed (%s): %s", e.Hook, e.Code, e.Message)
}

// HooksClient is the plugin.Hooks of a plugin process that serves gRPC. It behaves like Mattermost's own client for
// Go plugins: a hook that the plugin does not implement is answered here.
type HooksClient struct {
	conn     grpc.ClientConnInterface
	beginner Beginner // nil: the connection is none
	options  HooksOptions
	log      hclog.Logger
	state    *hooksState
	failure  *callFailure // of the one call that this is for, see reporting
}

// hooksState is what is known of the plugin.
type hooksState struct {
	implemented [plugin.TotalHooksID]atomic.Bool
	active      atomic.Bool
}

var (
	_ plugin.Hooks           = (*HooksClient)(nil)
	_ plugin.HooksWithRPCErr = (*HooksClient)(nil)
)

// hooksPath is what the names of the methods follow.
const hooksPath = "/mattermost.plugin.v1.Hooks/"

// NewHooksClient returns the hooks of the plugin at the other end of the connection. No hook but OnActivate is
// called before Implemented or SetImplemented said that the plugin has it.
func NewHooksClient(cc grpc.ClientConnInterface, options HooksOptions) *HooksClient {
	beginner, _ := cc.(Beginner)
	return &HooksClient{
		conn:     WithCodec(cc),
		beginner: beginner,
		options:  options,
		log:      loggerOr(options.Logger),
		state:    &hooksState{},
	}
}

// Implemented asks the plugin which hooks it implements, and remembers the answer.
func (h *HooksClient) Implemented() ([]string, error) {
	ctx, cancel := h.context("Implemented")
	defer cancel()
	out, err := Call[convert.ImplementedResponse](ctx, h.conn, hooksPath+"Implemented", &convert.ImplementedRequest{})
	if err != nil {
		return nil, h.failed("Implemented", err)
	}
	h.SetImplemented(out.Result)
	return out.Result, out.Error
}

// SetImplemented says which hooks the plugin implements. Names that are no hooks are ignored.
func (h *HooksClient) SetImplemented(names []string) {
	for name, id := range hookIDs {
		h.state.implemented[id].Store(slices.Contains(names, name))
	}
}

// OnActivate activates the plugin, which connects to the API, runs its OnConfigurationChange and then OnActivate.
// Other than Mattermost's own client it is strict: a call that failed is an error, so the plugin is not active.
func (h *HooksClient) OnActivate() error {
	in := &convert.OnActivateRequest{}
	if h.options.Activation != nil {
		activation, err := h.options.Activation()
		if err != nil {
			return fmt.Errorf("offer the API to the plugin: %w", err)
		}
		in.ApiBrokerId = activation.APIBrokerID
		in.DriverBrokerId = activation.DriverBrokerID
		in.ServerVersion = activation.ServerVersion
	}
	ctx, cancel := h.context("OnActivate")
	defer cancel()
	out, err := Call[convert.OnActivateResponse](ctx, h.conn, hooksPath+"OnActivate", in)
	if err != nil {
		return h.failed("OnActivate", err)
	}
	if out.Error != nil {
		return out.Error
	}
	h.state.active.Store(true)
	return nil
}

// OnConfigurationChange tells the plugin that its configuration may have changed. Before OnActivate nothing is
// sent: the plugin runs the hook once by itself, as soon as it has the API.
func (h *HooksClient) OnConfigurationChange() error {
	if !h.state.active.Load() || !h.has(plugin.OnConfigurationChangeID) {
		return nil
	}
	ctx, cancel := h.context("OnConfigurationChange")
	defer cancel()
	out, err := Call[convert.OnConfigurationChangeResponse](ctx, h.conn, hooksPath+"OnConfigurationChange", &convert.OnConfigurationChangeRequest{})
	if err != nil {
		return h.failed("OnConfigurationChange", err)
	}
	return out.Error
}

// ServeHTTP answers a request to the plugin's path of the server.
func (h *HooksClient) ServeHTTP(c *plugin.Context, w http.ResponseWriter, r *http.Request) {
	switch {
	case !h.has(plugin.ServeHTTPID):
		http.NotFound(w, r)
	case h.options.HTTP == nil:
		h.noProxy("ServeHTTP", w)
	default:
		h.options.HTTP.ServeHTTP(c, w, r)
	}
}

// ServeMetrics answers a request to the plugin's path of the server's metrics listener.
func (h *HooksClient) ServeMetrics(c *plugin.Context, w http.ResponseWriter, r *http.Request) {
	switch {
	case !h.has(plugin.ServeMetricsID):
		http.NotFound(w, r)
	case h.options.HTTP == nil:
		h.noProxy("ServeMetrics", w)
	default:
		h.options.HTTP.ServeMetrics(c, w, r)
	}
}

func (h *HooksClient) noProxy(hook string, w http.ResponseWriter) {
	h.log.Error("The plugin implements a hook that this host cannot call", "hook", hook)
	http.Error(w, "This host does not pass HTTP requests to the plugin ("+hook+").", http.StatusNotImplemented)
}

func (h *HooksClient) has(id int) bool {
	return h.state.implemented[id].Load()
}

// context is what a call of the hook runs in.
func (h *HooksClient) context(hook string) (context.Context, context.CancelFunc) {
	if limit := h.limit(hook); limit > 0 {
		ctx := deadline.After(limit)
		return ctx, func() { ctx.End(context.Canceled) }
	}
	return context.Background(), func() {}
}

// limit is how long a call of the hook may take; 0: as long as it likes.
func (h *HooksClient) limit(hook string) time.Duration {
	if h.options.Deadline == nil {
		return 0
	}
	return h.options.Deadline(hook)
}

// failed logs a failed call and returns what it is to the caller of the hook.
func (h *HooksClient) failed(hook string, err error) *HookError {
	state := status.Convert(err)
	failure := &HookError{Hook: hook, Code: state.Code(), Message: state.Message()}
	h.failure.set(failure)
	h.log.Error("A call of a hook failed", "hook", hook, "code", failure.Code.String(), "error", failure.Message)
	return failure
}

// refused logs a failed call of a hook that can refuse something. It returns the reason, "" to let it pass.
func (h *HooksClient) refused(hook string, err error) string {
	failure := h.failed(hook, err)
	if h.options.OnFailure == nil || h.failure != nil {
		return ""
	}
	return h.options.OnFailure(hook, failure).reason
}

// refusal is refused for a hook that refuses by an error.
func (h *HooksClient) refusal(hook string, err error) error {
	if reason := h.refused(hook, err); reason != "" {
		return errors.New(reason)
	}
	return nil
}

// appError is failed for a hook with an AppError, which the user sees: ExecuteCommand.
func (h *HooksClient) appError(hook string, err error) *model.AppError {
	failure := h.failed(hook, err)
	return &model.AppError{
		Id:              "plugin.hook_failed",
		Message:         "The plugin could not do this. The server's log says why.",
		SkipTranslation: true, // the server knows no translation of this id
		DetailedError:   failure.Error(),
		StatusCode:      http.StatusInternalServerError,
		Where:           hook,
	}
}
