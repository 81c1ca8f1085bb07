package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// DriverSession is what one plugin process has open in the database. The server behind a plugin.Driver believes what
// it is told: an id that is not open panics there, two calls at once on one connection race, a connection that is
// closed inside a transaction goes back into its pool with it, and nothing is released when a process dies that the
// server does not know of. So this is kept right here.
type DriverSession struct {
	begin begin[plugin.Driver]
	log   hclog.Logger

	lock  sync.Mutex
	ended bool
	owner map[handle]*openConn
}

// handle is an id with what it is of: another kind of thing under it would be a panic of the server, too.
type handle struct {
	kind kind
	id   string
}

type kind int

const (
	aConn kind = iota
	aTransaction
	aStatement
	someRows
)

// NewDriverSession returns an empty session over a source of drivers, as NewDriverServer takes it.
func NewDriverSession(begin func(ctx context.Context) (plugin.Driver, func() error), log hclog.Logger) *DriverSession {
	return &DriverSession{begin: begin, log: loggerOr(log), owner: map[handle]*openConn{}}
}

// Begin is the source of drivers for NewDriverServer.
func (s *DriverSession) Begin(ctx context.Context) (plugin.Driver, func() error) {
	// A call that is given up goes on in the server, so it is waited for here, whoever else has left.
	target, done := s.begin(context.WithoutCancel(ctx))
	if target == nil {
		return nil, done
	}
	d := &sessionDriver{session: s, ctx: ctx, target: target, done: done}
	return d, d.failure
}

// Close releases everything that is open: transactions are rolled back. It returns when that is done or ctx ends;
// what takes longer goes on.
func (s *DriverSession) Close(ctx context.Context) {
	s.lock.Lock()
	s.ended = true
	var conns []*openConn
	for handle, conn := range s.owner {
		if handle.kind == aConn {
			conns = append(conns, conn)
		}
	}
	s.lock.Unlock()
	var closing sync.WaitGroup
	for _, conn := range conns {
		closing.Go(func() { s.abandon(conn) })
	}
	finished := make(chan struct{})
	go func() { closing.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-ctx.Done():
		s.log.Warn("Database connections of the plugin are still busy", "connections", len(conns))
	}
}

// abandon closes a connection nobody asks for any more. A statement that still runs there is canceled.
func (s *DriverSession) abandon(conn *openConn) {
	impatience := time.AfterFunc(briefly, func() { s.interrupt(conn) })
	conn.take()
	impatience.Stop()
	defer conn.lock.Unlock()
	target, done := s.begin(context.Background())
	if target == nil || conn.closed {
		return
	}
	err := s.closeConn(target, conn)
	if failure := done(); failure != nil {
		err = failure
	}
	if err != nil && !errors.Is(err, ErrUnavailable) {
		s.log.Warn("Closing a database connection of the plugin failed", "error", err)
	}
}

// adopt keeps a new connection, unless the session has ended.
func (s *DriverSession) adopt(conn *openConn) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if !s.ended {
		s.owner[handle{aConn, conn.id}] = conn
	}
	return !s.ended
}

func (s *DriverSession) own(kind kind, id string, conn *openConn) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.owner[handle{kind, id}] = conn
}

func (s *DriverSession) disown(kind kind, id string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	delete(s.owner, handle{kind, id})
}

// forget disowns a connection with all that is open on it.
func (s *DriverSession) forget(conn *openConn) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for handle, owner := range s.owner {
		if owner == conn {
			delete(s.owner, handle)
		}
	}
}

func (s *DriverSession) find(kind kind, id string) *openConn {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.owner[handle{kind, id}]
}
