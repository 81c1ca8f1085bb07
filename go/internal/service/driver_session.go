package service

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// resetSession gives a connection back as it was: it goes into the pool that the server itself uses. It is what
// DISCARD ALL does, without forgetting the prepared statements, which may be the server's.
const resetSession = "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *; " +
	"SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"

// beginsTransaction finds statements that begin a transaction the driver does not know of. One too many costs a
// warning in PostgreSQL's log, one too few would leave the server a connection inside a transaction.
var beginsTransaction = regexp.MustCompile(`(?i)\b(begin|start\s+transaction)\b`)

// timeTypes are the types whose values lib/pq makes a time.Time, which gob does not carry inside an interface: a row
// with one would end the connection between server and plugin.
var timeTypes = []string{"DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ"}

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

// openConn is an open connection. What is behind its lock is used by one call at a time.
type openConn struct {
	id string

	lock         sync.Mutex
	closed       bool
	transactions []string
	statements   []string
	rows         map[string]*openRows
	ownBegin     bool // a statement may have begun a transaction
}

// openRows are rows with the columns of the result set they are at.
type openRows struct {
	described    bool
	names, types []string
}

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

// abandon closes a connection nobody asks for any more.
func (s *DriverSession) abandon(conn *openConn) {
	conn.lock.Lock()
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

// closeConn ends what is open on a connection, in the order PostgreSQL's protocol asks for, and the connection.
func (s *DriverSession) closeConn(target plugin.Driver, conn *openConn) error {
	conn.closed = true
	var problems []error
	for id := range conn.rows {
		problems = append(problems, target.RowsClose(id))
	}
	for _, id := range conn.statements {
		problems = append(problems, target.StmtClose(id))
	}
	for _, id := range conn.transactions {
		problems = append(problems, target.TxRollback(id))
	}
	reset := resetSession
	if conn.ownBegin {
		reset = "ROLLBACK; " + reset
	}
	_, err := target.ConnExec(conn.id, reset, nil)
	// Each of these may fail because the connection is broken, which the server's pool will notice.
	if err := errors.Join(append(problems, err)...); err != nil {
		s.log.Debug("Cleaning a database connection of the plugin failed", "error", err)
	}
	s.lock.Lock()
	for handle, owner := range s.owner {
		if owner == conn {
			delete(s.owner, handle)
		}
	}
	s.lock.Unlock()
	return target.ConnClose(conn.id)
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

func (s *DriverSession) find(kind kind, id string) *openConn {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.owner[handle{kind, id}]
}

// sessionDriver is the plugin.Driver of one gRPC call.
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

// on runs a call that concerns an open id, alone on its connection. Without such an id it returns the given error.
func on[R any](d *sessionDriver, kind kind, id string, unknown error, call func(conn *openConn) (R, error)) (R, error) {
	var none R
	conn := d.session.find(kind, id)
	if conn == nil {
		return none, unknown
	}
	var result R
	var err error
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		conn.lock.Lock()
		defer conn.lock.Unlock()
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
		// The statement goes on in the server; then nobody knows what state the connection is in.
		go d.session.abandon(conn)
		return none, d.ctx.Err()
	}
}

// nothing is the result of calls that have none.
type nothing = struct{}

func (d *sessionDriver) Conn(isMaster bool) (string, error) {
	id, err := d.target.Conn(isMaster)
	if err != nil || d.done() != nil {
		return "", err
	}
	conn := &openConn{id: id, rows: map[string]*openRows{}}
	d.session.lock.Lock()
	ended := d.session.ended
	if !ended {
		d.session.owner[handle{aConn, id}] = conn
	}
	d.session.lock.Unlock()
	if ended {
		return "", errors.Join(driver.ErrBadConn, d.target.ConnClose(id))
	}
	return id, nil
}

func (d *sessionDriver) ConnPing(connID string) error {
	_, err := on(d, aConn, connID, driver.ErrBadConn, func(conn *openConn) (nothing, error) {
		d.endRows(conn)
		return nothing{}, d.target.ConnPing(connID)
	})
	return err
}

func (d *sessionDriver) ConnClose(connID string) error {
	_, err := on(d, aConn, connID, sql.ErrConnDone, func(conn *openConn) (nothing, error) {
		return nothing{}, d.session.closeConn(d.target, conn)
	})
	return err
}

func (d *sessionDriver) ConnQuery(connID, q string, args []driver.NamedValue) (string, error) {
	return on(d, aConn, connID, driver.ErrBadConn, func(conn *openConn) (string, error) {
		conn.noteBegin(q)
		d.endRows(conn)
		id, err := d.target.ConnQuery(connID, q, args)
		return d.openedRows(conn, id, err)
	})
}

func (d *sessionDriver) ConnExec(connID, q string, args []driver.NamedValue) (plugin.ResultContainer, error) {
	return on(d, aConn, connID, driver.ErrBadConn, func(conn *openConn) (plugin.ResultContainer, error) {
		conn.noteBegin(q)
		d.endRows(conn)
		return d.target.ConnExec(connID, q, args)
	})
}

// endRows ends what is left of earlier rows: PostgreSQL's protocol has one result at a time, and lib/pq would take
// their remains for the answer to the next statement.
func (d *sessionDriver) endRows(conn *openConn) {
	for id := range conn.rows {
		delete(conn.rows, id)
		d.session.disown(someRows, id)
		if err := d.target.RowsClose(id); err != nil {
			d.session.log.Debug("Closing rows of the plugin failed", "error", err)
		}
	}
}

func (c *openConn) noteBegin(q string) {
	c.ownBegin = c.ownBegin || beginsTransaction.MatchString(q)
}

// openedRows keeps the id of new rows.
func (d *sessionDriver) openedRows(conn *openConn, id string, err error) (string, error) {
	if err == nil && d.done() == nil {
		conn.rows[id] = &openRows{}
		d.session.own(someRows, id, conn)
	}
	return id, err
}

func (d *sessionDriver) Tx(connID string, opts driver.TxOptions) (string, error) {
	return on(d, aConn, connID, driver.ErrBadConn, func(conn *openConn) (string, error) {
		d.endRows(conn)
		id, err := d.target.Tx(connID, opts)
		if err == nil && d.done() == nil {
			conn.transactions = append(conn.transactions, id)
			d.session.own(aTransaction, id, conn)
		}
		return id, err
	})
}

func (d *sessionDriver) TxCommit(txID string) error {
	return d.endTransaction(txID, d.target.TxCommit)
}

func (d *sessionDriver) TxRollback(txID string) error {
	return d.endTransaction(txID, d.target.TxRollback)
}

func (d *sessionDriver) endTransaction(txID string, end func(string) error) error {
	_, err := on(d, aTransaction, txID, sql.ErrTxDone, func(conn *openConn) (nothing, error) {
		conn.transactions = slices.DeleteFunc(conn.transactions, func(id string) bool { return id == txID })
		d.session.disown(aTransaction, txID)
		d.endRows(conn)
		return nothing{}, end(txID)
	})
	return err
}

func (d *sessionDriver) Stmt(connID, q string) (string, error) {
	return on(d, aConn, connID, driver.ErrBadConn, func(conn *openConn) (string, error) {
		conn.noteBegin(q)
		d.endRows(conn)
		id, err := d.target.Stmt(connID, q)
		if err == nil && d.done() == nil {
			conn.statements = append(conn.statements, id)
			d.session.own(aStatement, id, conn)
		}
		return id, err
	})
}

func (d *sessionDriver) StmtClose(stID string) error {
	_, err := on(d, aStatement, stID, driver.ErrBadConn, func(conn *openConn) (nothing, error) {
		conn.statements = slices.DeleteFunc(conn.statements, func(id string) bool { return id == stID })
		d.session.disown(aStatement, stID)
		d.endRows(conn)
		return nothing{}, d.target.StmtClose(stID)
	})
	return err
}

func (d *sessionDriver) StmtNumInput(stID string) int {
	count, _ := on(d, aStatement, stID, nil, func(*openConn) (int, error) { return d.target.StmtNumInput(stID), nil })
	return count
}

func (d *sessionDriver) StmtQuery(stID string, args []driver.NamedValue) (string, error) {
	return on(d, aStatement, stID, driver.ErrBadConn, func(conn *openConn) (string, error) {
		d.endRows(conn)
		id, err := d.target.StmtQuery(stID, args)
		return d.openedRows(conn, id, err)
	})
}

func (d *sessionDriver) StmtExec(stID string, args []driver.NamedValue) (plugin.ResultContainer, error) {
	return on(d, aStatement, stID, driver.ErrBadConn, func(conn *openConn) (plugin.ResultContainer, error) {
		d.endRows(conn)
		return d.target.StmtExec(stID, args)
	})
}

func (d *sessionDriver) RowsColumns(rowsID string) []string {
	names, _ := on(d, someRows, rowsID, nil, func(*openConn) ([]string, error) { return d.target.RowsColumns(rowsID), nil })
	return names
}

func (d *sessionDriver) RowsClose(rowsID string) error {
	_, err := on(d, someRows, rowsID, driver.ErrBadConn, func(conn *openConn) (nothing, error) {
		delete(conn.rows, rowsID)
		d.session.disown(someRows, rowsID)
		return nothing{}, d.target.RowsClose(rowsID)
	})
	return err
}

// RowsNext refuses columns whose values would end the connection to the server.
func (d *sessionDriver) RowsNext(rowsID string, dest []driver.Value) error {
	_, err := on(d, someRows, rowsID, driver.ErrBadConn, func(conn *openConn) (nothing, error) {
		rows := conn.rows[rowsID]
		if err := d.describe(rowsID, rows); err != nil {
			return nothing{}, err
		}
		for i, name := range rows.types[:min(len(dest), len(rows.types))] {
			if slices.Contains(timeTypes, name) {
				return nothing{}, fmt.Errorf("column %d (%s) is of type %s, whose values Mattermost's RPC does not carry; "+
					"cast it to text", i+1, rows.names[i], strings.ToLower(name))
			}
		}
		return nothing{}, d.target.RowsNext(rowsID, dest)
	})
	return err
}

func (d *sessionDriver) RowsHasNextResultSet(rowsID string) bool {
	has, _ := on(d, someRows, rowsID, nil, func(*openConn) (bool, error) { return d.target.RowsHasNextResultSet(rowsID), nil })
	return has
}

func (d *sessionDriver) RowsNextResultSet(rowsID string) error {
	_, err := on(d, someRows, rowsID, driver.ErrBadConn, func(conn *openConn) (nothing, error) {
		conn.rows[rowsID] = &openRows{}
		return nothing{}, d.target.RowsNextResultSet(rowsID)
	})
	return err
}

func (d *sessionDriver) RowsColumnTypeDatabaseTypeName(rowsID string, index int) string {
	_, types, err := d.Describe(rowsID)
	if err != nil || index < 0 || index >= len(types) {
		return ""
	}
	return types[index]
}

func (d *sessionDriver) RowsColumnTypePrecisionScale(rowsID string, index int) (int64, int64, bool) {
	type numeric struct {
		precision, scale int64
		ok               bool
	}
	found, _ := on(d, someRows, rowsID, nil, func(conn *openConn) (out numeric, err error) {
		rows := conn.rows[rowsID]
		if err := d.describe(rowsID, rows); err != nil || index < 0 || index >= len(rows.types) {
			return out, err
		}
		out.precision, out.scale, out.ok = d.target.RowsColumnTypePrecisionScale(rowsID, index)
		return out, nil
	})
	return found.precision, found.scale, found.ok
}

// Describe returns the names and types of the columns of the result set that rows are at.
func (d *sessionDriver) Describe(rowsID string) (names, types []string, err error) {
	_, err = on(d, someRows, rowsID, driver.ErrBadConn, func(conn *openConn) (nothing, error) {
		rows := conn.rows[rowsID]
		err := d.describe(rowsID, rows)
		names, types = slices.Clone(rows.names), slices.Clone(rows.types)
		return nothing{}, err
	})
	return names, types, err
}

// describe asks for all columns at once: one after the other they would take longer than most statements.
func (d *sessionDriver) describe(rowsID string, rows *openRows) error {
	if rows.described {
		return nil
	}
	names := d.target.RowsColumns(rowsID)
	types, failures := make([]string, len(names)), make([]error, len(names))
	var asking sync.WaitGroup
	for i := range names {
		asking.Go(func() {
			target, done := d.session.begin(context.Background())
			if target == nil {
				failures[i] = ErrUnavailable
				return
			}
			types[i] = target.RowsColumnTypeDatabaseTypeName(rowsID, i)
			failures[i] = done()
		})
	}
	asking.Wait()
	if err := errors.Join(append(failures, d.done())...); err != nil {
		return err
	}
	rows.described, rows.names, rows.types = true, names, types
	return nil
}
