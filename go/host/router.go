package host

import (
	"context"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/host/internal/child"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
)

// router is the connection the hooks are called over. It leads to the process that lives now; while there is none
// it keeps notifications, and lets other calls wait or fail, by their kind.
type router struct {
	log       hclog.Logger
	deadline  func(hook string) (context.Context, context.CancelFunc)
	replacing func() bool // a new process is there and being activated
	pausing   func() bool // it takes long until a new process is started
	ownDoing  func() bool // see errOwnDoing

	// live is the connection of an active process, process that of the newest one, active or not.
	live, process atomic.Pointer[plaincall.Conn]
	// queueing says that notifications go to the queue, also while the process lives: they keep their order.
	queueing atomic.Bool

	arrivals atomic.Uint64 // counts the notifications, for their order
	answers  atomic.Uint64 // counts the hooks that the process answered

	lock       sync.Mutex
	changed    chan struct{} // closed when live or over changes
	over       bool          // no process will ever come
	queue      queue
	delivering bool            // a goroutine delivers the queue
	suspect    *plaincall.Conn // its process may have ended
}

// permissionPatience is how long a hook that asks for permission waits for a new process that is being activated. It
// is short, because what it was asked about does not happen meanwhile.
const permissionPatience = 2 * time.Second

// errRestarting is the failure of a hook that does not wait for a process while there is none.
var errRestarting = status.Error(codes.Unavailable, "the plugin process ended and is being restarted")

// errOwnDoing is the answer to a hook that comes while a restarted plugin is in its OnActivate and calls the API: most
// likely the hook is about what the plugin itself just does there. At the first activation a server does not call the
// hooks of a plugin before OnActivate returned; waiting for it here would be waiting for oneself.
var errOwnDoing = status.Error(codes.FailedPrecondition, "the plugin is being activated")

// Invoke calls a hook.
func (r *router) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	hook := path.Base(method)
	kind := hookKinds[hook]
	var arrival uint64
	if kind == notification {
		arrival = r.arrivals.Add(1)
	}
	for {
		conn, err := r.connection(ctx, kind)
		if conn == nil && err == nil {
			if kept, err := r.keep(arrival, method, args, reply, options); kept || err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		var reached peer.Peer
		err = conn.Invoke(ctx, method, args, reply, append(slices.Clip(options), grpc.WaitForReady(true), grpc.Peer(&reached))...)
		switch {
		case err == nil:
			r.answers.Add(1)
			return nil
		case r.neverSent(conn, &reached, kind):
		case kind == notification && reached.Addr == nil && isDisconnect(err):
			r.doubt(conn)
		default:
			r.failed(conn, kind, hook, err)
			return err
		}
	}
}

// NewStream opens a stream of a hook.
func (r *router) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	kind := hookKinds[path.Base(method)]
	for {
		conn, err := r.connection(ctx, kind)
		if err != nil {
			return nil, err
		}
		var reached peer.Peer
		stream, err := conn.NewStream(ctx, desc, method, append(slices.Clip(options), grpc.WaitForReady(true), grpc.Peer(&reached))...)
		if err == nil || !r.neverSent(conn, &reached, kind) {
			return stream, err
		}
	}
}

// Begin begins a hook that need not wait for a process, and tells whether it has.
func (r *router) Begin(method string, deadline time.Time, args plaincall.Message, then func(data []byte, failure error)) bool {
	conn := r.live.Load()
	if conn == nil {
		return false
	}
	hook := path.Base(method)
	kind := hookKinds[hook]
	if kind == lifecycle || kind == notification && r.queueing.Load() {
		return false
	}
	return conn.Begin(method, deadline, args, func(data []byte, failure error) {
		if failure != nil {
			r.failed(conn, kind, hook, failure)
		} else {
			r.answers.Add(1)
		}
		then(data, failure)
	})
}

// failed notes that a call was in flight when its connection ended. If so has the process, that is about to be noticed;
// until then no notification is sent after this call.
func (r *router) failed(conn *plaincall.Conn, kind hookKind, hook string, failure error) {
	if !isDisconnect(failure) || kind == lifecycle {
		return
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if kind == notification {
		r.queue.losses.lose(hook)
	}
	if status.Code(failure) == codes.Unavailable {
		r.doubtLocked(conn)
	}
}

// doubt keeps notifications back until it is known whether the process of a connection has ended.
func (r *router) doubt(conn *plaincall.Conn) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.doubtLocked(conn)
}

func (r *router) doubtLocked(conn *plaincall.Conn) {
	if r.live.Load() == conn {
		r.suspect = conn
		r.queueing.Store(true)
		r.startDelivery()
	}
}

// isDisconnect tells whether a call failed because its connection ended.
func isDisconnect(failure error) bool {
	switch status.Code(failure) {
	case codes.Unavailable, codes.Canceled:
		return true
	}
	return false
}

// neverSent says that a failed call certainly did not reach the process, because its connection was closed first.
// Only such a call is made again: another one may be what the process died of.
func (r *router) neverSent(conn *plaincall.Conn, reached *peer.Peer, kind hookKind) bool {
	return kind != lifecycle && reached.Addr == nil && r.live.Load() != conn
}

// connection returns the connection for a call, waiting for it where the kind of the hook says so. Without an error
// and a connection the call, a notification, is to be kept.
func (r *router) connection(ctx context.Context, kind hookKind) (*plaincall.Conn, error) {
	switch kind {
	case lifecycle:
		if conn := r.process.Load(); conn != nil {
			return conn, nil
		}
		return nil, status.Error(codes.Unavailable, "the plugin process is not running")
	case notification:
		if conn := r.live.Load(); conn != nil && !r.queueing.Load() {
			return conn, nil
		}
		return nil, nil
	}
	var enough <-chan time.Time
	if kind == permission && r.live.Load() == nil {
		patience := time.NewTimer(permissionPatience)
		defer patience.Stop()
		enough = patience.C
	}
	for {
		r.lock.Lock()
		over, changed := r.over, r.changed
		r.lock.Unlock()
		if conn := r.live.Load(); conn != nil {
			return conn, nil
		}
		switch {
		case over:
			return nil, status.Error(codes.Unavailable, "the plugin is stopped")
		case r.ownDoing():
			return nil, errOwnDoing
		case kind == permission && !r.replacing() || r.pausing():
			return nil, errRestarting
		}
		select {
		case <-changed:
		case <-enough:
			return nil, errRestarting
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
}

// keep puts a notification into the queue. It does not if the process came back meanwhile.
func (r *router) keep(arrival uint64, method string, args, reply any, options []grpc.CallOption) (bool, error) {
	n, err := newNotice(arrival, method, args, reply, options)
	if err != nil {
		return false, err
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	switch {
	case r.over:
		return false, status.Error(codes.Unavailable, "the plugin is stopped")
	case r.live.Load() != nil && !r.queueing.Load():
		return false, nil
	}
	if kept, first := r.queue.add(n); !kept && first {
		r.log.Warn("Too many notifications while the plugin restarts; dropping what comes now", "queue_size", r.queue.limit)
	}
	return true, nil
}

// setProcess names the process that lifecycle hooks go to.
func (r *router) setProcess(conn *plaincall.Conn) { r.process.Store(conn) }

// up lets the hooks through to an active process, first the notifications that waited for it.
func (r *router) up(conn *plaincall.Conn) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.live.Store(conn)
	r.announce()
	r.report("Notifications were lost while the plugin was restarted")
	r.queueing.Store(r.delivering || len(r.queue.waiting) > 0)
	if len(r.queue.waiting) > 0 {
		r.startDelivery()
	}
}

// startDelivery has the queue delivered. The caller holds the lock.
func (r *router) startDelivery() {
	if !r.delivering {
		r.delivering = true
		go r.deliver()
	}
}

// endNotice is how long it takes at most until the end of a process is noticed.
const endNotice = 2 * child.OutputGrace

// report logs how many notifications were lost, if any were. The caller holds the lock.
func (r *router) report(message string) {
	if fields := r.queue.losses.fields(); fields != nil {
		r.log.Warn(message, fields...)
	}
}

// deliver calls the notifications that waited, one after the other in their order, while there is a process. A
// notification leaves the queue when it may have reached the process, so that another end of the process loses nothing
// but that one.
func (r *router) deliver() {
	for {
		r.lock.Lock()
		conn, changed := r.live.Load(), r.changed
		if conn != nil && r.suspect == conn {
			r.suspect = nil
			r.lock.Unlock()
			select {
			case <-changed:
			case <-time.After(endNotice):
			}
			continue
		}
		if conn == nil || len(r.queue.waiting) == 0 {
			r.delivering = false
			if conn != nil {
				r.queueing.Store(false)
			}
			r.lock.Unlock()
			return
		}
		next := r.queue.waiting[0]
		r.lock.Unlock()

		ctx, cancel := r.deadline(next.hook)
		reached, err := next.call(ctx, conn)
		cancel()
		r.lock.Lock()
		switch {
		case err != nil && !reached && mayComeBack(err):
			if isDisconnect(err) {
				r.suspect = conn
			}
			r.lock.Unlock()
			continue
		case isDisconnect(err):
			r.queue.losses.lose(next.hook)
			r.suspect = conn
		}
		r.queue.take(next.arrival)
		r.lock.Unlock()
		if err != nil {
			r.log.Error("A notification that waited for the restart failed", "hook", next.hook, "error", err)
		}
	}
}

// mayComeBack tells whether a call that did not reach the process failed for want of a connection.
func mayComeBack(err error) bool {
	return isDisconnect(err) || status.Code(err) == codes.DeadlineExceeded
}

// down keeps the hooks from a process that ended. It does nothing if another one is in its place.
func (r *router) down(conn *plaincall.Conn) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.process.CompareAndSwap(conn, nil)
	if r.live.CompareAndSwap(conn, nil) {
		r.announce()
	}
}

// end says that no process will come any more, and logs how many notifications were still waiting.
func (r *router) end() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.live.Store(nil)
	r.process.Store(nil)
	r.over = true
	r.queue.clear()
	r.report("The plugin stopped before it got all notifications")
	r.announce()
}

// wake has the calls that wait look again whether they are to.
func (r *router) wake() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.announce()
}

// announce wakes the calls that wait for a change. The caller holds the lock.
func (r *router) announce() {
	close(r.changed)
	r.changed = make(chan struct{})
}
