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

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
)

// router is the connection the hooks are called over. It leads to the process that lives now; while there is none
// it keeps notifications, and lets other calls wait or fail, by their kind.
type router struct {
	log       hclog.Logger
	queueSize int
	deadline  func(hook string) (context.Context, context.CancelFunc)
	replacing func() bool // a new process is there and being activated
	ownDoing  func() bool // see errOwnDoing

	// live is the connection of an active process, process that of the newest one, active or not.
	live, process atomic.Pointer[plaincall.Conn]
	// queueing says that notifications go to the queue, also while the process lives: they keep their order.
	queueing atomic.Bool

	lock    sync.Mutex
	changed chan struct{} // closed when live or over changes
	over    bool          // no process will ever come
	queue   []notice
	dropped int
}

// notice is a notification that waits for the process.
type notice struct {
	method string
	args   any
	reply  any
}

// permissionPatience is how long a hook that asks for permission waits for a new process that is being activated. It
// is short, because what it was asked about does not happen meanwhile.
const permissionPatience = 2 * time.Second

// errRestarting is the failure of a hook that asks for permission while there is no process.
var errRestarting = status.Error(codes.Unavailable, "the plugin process ended and is being restarted")

// errOwnDoing is the answer to a hook that comes while a restarted plugin is in its OnActivate and calls the API: most
// likely the hook is about what the plugin itself just does there. At the first activation a server does not call the
// hooks of a plugin before OnActivate returned; waiting for it here would be waiting for oneself.
var errOwnDoing = status.Error(codes.FailedPrecondition, "the plugin is being activated")

// Invoke calls a hook.
func (r *router) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	kind := hookKinds[path.Base(method)]
	for {
		conn, err := r.connection(ctx, kind)
		if conn == nil && err == nil {
			if kept, err := r.keep(method, args, reply); kept || err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		var reached peer.Peer
		err = conn.Invoke(ctx, method, args, reply, append(slices.Clip(options), grpc.WaitForReady(true), grpc.Peer(&reached))...)
		if err == nil || !r.neverSent(conn, &reached, kind) {
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
	switch hookKinds[path.Base(method)] {
	case lifecycle:
		return false
	case notification:
		if r.queueing.Load() {
			return false
		}
	}
	return conn.Begin(method, deadline, args, then)
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
		case kind == permission && !r.replacing():
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
func (r *router) keep(method string, args, reply any) (bool, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	switch {
	case r.over:
		return false, status.Error(codes.Unavailable, "the plugin is stopped")
	case r.live.Load() != nil && !r.queueing.Load():
		return false, nil
	case len(r.queue) >= r.queueSize:
		if r.dropped == 0 {
			r.log.Warn("Too many notifications while the plugin restarts; dropping what comes now", "queue_size", r.queueSize)
		}
		r.dropped++
		return true, nil
	}
	r.queue = append(r.queue, notice{method, args, reply})
	return true, nil
}

// setProcess names the process that lifecycle hooks go to.
func (r *router) setProcess(conn *plaincall.Conn) { r.process.Store(conn) }

// up lets the hooks through to an active process, first the notifications that waited for it.
func (r *router) up(conn *plaincall.Conn) {
	r.lock.Lock()
	waiting := len(r.queue) > 0
	r.queueing.Store(waiting)
	r.live.Store(conn)
	r.announce()
	if r.dropped > 0 {
		r.log.Warn("Notifications were dropped while the plugin was restarted", "dropped", r.dropped)
		r.dropped = 0
	}
	r.lock.Unlock()
	if waiting {
		go r.deliver(conn)
	}
}

// deliver calls the notifications that waited, one after the other in their order.
func (r *router) deliver(conn *plaincall.Conn) {
	for {
		r.lock.Lock()
		if r.live.Load() != conn {
			r.lock.Unlock()
			return
		}
		if len(r.queue) == 0 {
			r.queue = nil
			r.queueing.Store(false)
			r.lock.Unlock()
			return
		}
		next := r.queue[0]
		r.queue = r.queue[1:]
		r.lock.Unlock()

		hook := path.Base(next.method)
		ctx, cancel := r.deadline(hook)
		var reached peer.Peer
		err := conn.Invoke(ctx, next.method, next.args, next.reply, grpc.WaitForReady(true), grpc.Peer(&reached))
		cancel()
		if err != nil && r.neverSent(conn, &reached, notification) {
			r.lock.Lock()
			r.queue = append([]notice{next}, r.queue...)
			r.lock.Unlock()
			return
		}
		if err != nil {
			r.log.Error("A notification that waited for the restart failed", "hook", hook, "error", err)
		}
	}
}

// down keeps the hooks from a process that ended.
func (r *router) down() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.live.Store(nil)
	r.process.Store(nil)
	r.announce()
}

// end says that no process will come any more. It returns how many notifications were still waiting.
func (r *router) end() int {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.live.Store(nil)
	r.process.Store(nil)
	r.over = true
	lost := len(r.queue) + r.dropped
	r.queue, r.dropped = nil, 0
	r.announce()
	return lost
}

// announce wakes the calls that wait for a change. The caller holds the lock.
func (r *router) announce() {
	close(r.changed)
	r.changed = make(chan struct{})
}
