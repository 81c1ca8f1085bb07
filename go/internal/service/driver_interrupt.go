package service

import (
	"context"
	"database/sql/driver"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/plugin"
)

// briefly is how long a call may go on whose connection nobody asks for any more, before PostgreSQL is told to stop.
const briefly = 100 * time.Millisecond

// The driver of a server has no way to cancel a statement. So PostgreSQL is asked what a connection is called, which
// another one can use to cancel what goes on there. A process id alone would not do: replicas have them, too.
const (
	whoAmI = "SELECT pid::text, extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"
	stop   = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity " +
		"WHERE pid = $1::int AND extract(epoch FROM backend_start)::text = $2"
)

// interruption is what it takes to cancel what goes on on a connection, and to know when that is too late.
type interruption struct {
	master bool
	who    []driver.NamedValue // none: PostgreSQL did not say

	lock sync.Mutex
	over bool // the connection is about to go back into the server's pool
	sent bool
}

// identify asks PostgreSQL how a new connection can be told apart.
func (i *interruption) identify(target plugin.Driver, connID string) error {
	rowsID, err := target.ConnQuery(connID, whoAmI, nil)
	if err != nil {
		return err
	}
	rows, err := readBatch(target, rowsID, 2, 1)
	if closing := target.RowsClose(rowsID); err == nil {
		err = closing
	}
	if err != nil || len(rows) == 0 {
		return err
	}
	for n, value := range rows[0] {
		i.who = append(i.who, driver.NamedValue{Ordinal: n + 1, Value: value})
	}
	return nil
}

// interrupt cancels what goes on on a connection, unless it is over.
func (s *DriverSession) interrupt(conn *openConn) {
	target, done := s.begin(context.Background())
	if target == nil || len(conn.interruption.who) == 0 {
		return
	}
	// It may take long until the pool has another connection.
	other, err := target.Conn(conn.interruption.master)
	if err == nil && done() == nil {
		err = conn.interruption.send(target, other)
		if closing := target.ConnClose(other); err == nil {
			err = closing
		}
	}
	if failure := done(); failure != nil {
		err = failure
	}
	if err != nil {
		s.log.Warn("A statement of the plugin that nobody waits for could not be canceled", "error", err)
	}
}

func (i *interruption) send(target plugin.Driver, other string) error {
	i.lock.Lock()
	defer i.lock.Unlock()
	if i.over {
		return nil
	}
	i.sent = true
	_, err := target.ConnExec(other, stop, i.who)
	return err
}

// finish sees to it that nothing is canceled from now on: the next statement could be one of the server's.
func (i *interruption) finish(target plugin.Driver, connID string) {
	i.lock.Lock()
	defer i.lock.Unlock()
	i.over = true
	if i.sent {
		// If the statement had ended before it could be canceled, this one is canceled in its place. No error is one.
		_, _ = target.ConnExec(connID, "SELECT 1", nil)
	}
}
