package service

import (
	"context"
	"sync/atomic"

	"github.com/mattermost/mattermost/server/public/plugin"
)

// sessionDriver is the plugin.Driver of one gRPC call: that of the server, used as a session allows it.
type sessionDriver struct {
	session  *DriverSession
	ctx      context.Context
	target   plugin.Driver
	done     func() error
	givenUp  error // the caller left while a call was under way
	panicked any
}

func (d *sessionDriver) failure() error {
	if d.givenUp != nil {
		return d.givenUp
	}
	return d.done()
}

// on runs a call that concerns an open id, alone on its connection. Without such an id it returns the given error. If
// the caller leaves before the call was begun, it is not made; if it leaves meanwhile, the connection is closed.
func on[R any](d *sessionDriver, kind kind, id string, unknown error, call func(conn *openConn) (R, error)) (R, error) {
	var none R
	conn := d.session.find(kind, id)
	if conn == nil {
		return none, unknown
	}
	var result R
	var err error
	finished := make(chan struct{})
	var decided atomic.Bool // by whoever is first: the call is made, or not
	go func() {
		defer close(finished)
		conn.take()
		defer conn.lock.Unlock()
		if !decided.CompareAndSwap(false, true) {
			return
		}
		defer func() { d.panicked = recover() }()
		if conn.closed || d.session.find(kind, id) != conn {
			err = unknown
			return
		}
		result, err = call(conn)
	}()
	select {
	case <-finished:
		if d.panicked != nil {
			panic(d.panicked)
		}
		return result, err
	case <-d.ctx.Done():
		d.givenUp = d.ctx.Err()
		if !decided.CompareAndSwap(false, true) {
			// What was begun goes on in the server; then nobody knows what state the connection is in.
			go d.session.abandon(conn)
		}
		return none, d.ctx.Err()
	}
}

// nothing is the result of calls that have none.
type nothing = struct{}
