package service

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattermost/mattermost/server/public/plugin"
)

// resetSession gives a connection back as it was: it goes into the pool that the server itself uses. It is what
// DISCARD ALL does, without forgetting the prepared statements, which may be the server's.
const resetSession = "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *; " +
	"SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"

// beginsTransaction finds statements that begin a transaction the driver does not know of. One too many costs a
// warning in PostgreSQL's log, one too few would leave the server a connection inside a transaction.
var beginsTransaction = regexp.MustCompile(`(?i)\b(begin|start\s+transaction)\b`)

// openConn is an open connection. What is behind its lock is used by one call at a time.
type openConn struct {
	id     string
	wanted atomic.Int32 // how many wait for the lock

	interruption interruption

	lock         sync.Mutex
	closed       bool
	transactions []string
	statements   []string
	rows         map[string]*openRows
	ownBegin     bool // a statement may have begun a transaction
}

// take takes the lock, and lets whoever has it in advance know that somebody waits.
func (c *openConn) take() {
	c.wanted.Add(1)
	c.lock.Lock()
	c.wanted.Add(-1)
}

func (c *openConn) noteBegin(q string) {
	c.ownBegin = c.ownBegin || beginsTransaction.MatchString(q)
}

// closeConn ends what is open on a connection, in the order PostgreSQL's protocol asks for, and the connection.
func (s *DriverSession) closeConn(target plugin.Driver, conn *openConn) error {
	conn.closed = true
	var problems []error
	// lib/pq reads them to their end, and there may be very many.
	impatience := time.AfterFunc(briefly, func() { s.interrupt(conn) })
	for id := range conn.rows {
		problems = append(problems, target.RowsClose(id))
	}
	impatience.Stop()
	conn.interruption.finish(target, conn.id)
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
	s.forget(conn)
	return target.ConnClose(conn.id)
}

// deadConns is how many connections of the server's pool may turn out to be dead before there is an error.
// The server does not look: after the database was restarted, all that are in its pool are dead.
const deadConns = 100

func (d *sessionDriver) Conn(isMaster bool) (string, error) {
	for range deadConns {
		id, err := d.target.Conn(isMaster)
		if err != nil || d.done() != nil {
			return "", err
		}
		conn := &openConn{id: id, rows: map[string]*openRows{}}
		conn.interruption.master = isMaster
		if err := conn.interruption.identify(d.target, id); err != nil {
			if d.target.ConnPing(id) != nil {
				d.drop(id)
				continue
			}
			d.session.log.Debug("What goes on on a database connection of the plugin cannot be canceled", "error", err)
		}
		if d.session.adopt(conn) {
			return id, nil
		}
		d.drop(id)
		break
	}
	return "", driver.ErrBadConn // as it is: callers compare it
}

// drop closes a connection that nobody has used.
func (d *sessionDriver) drop(connID string) {
	if err := d.target.ConnClose(connID); err != nil {
		d.session.log.Debug("Closing a database connection of the plugin failed", "error", err)
	}
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
