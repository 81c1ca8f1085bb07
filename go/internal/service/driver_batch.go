package service

import (
	"bytes"
	"context"
	"database/sql/driver"

	"github.com/mattermost/mattermost/server/public/plugin"
)

const (
	// defaultRows is how many rows a batch has if the plugin does not say.
	defaultRows = 256
	// batchBytes ends a batch early: rows may hold large texts.
	batchBytes = 1 << 20
)

// batch is rows that follow each other. The server has a call for each of them, which is nearly all that it costs to
// read many.
type batch struct {
	rows [][]driver.Value
	size int   // bytes, roughly
	end  error // what came instead of a further row
}

// rowOwner is a driver that returns rows which nobody else changes, where RowsNext fills one of the caller's.
type rowOwner interface {
	NextRow(rowsID string, columns int) ([]driver.Value, error)
}

// read adds rows until there are enough, something ends them, or there is no hurry any more.
func (b *batch) read(target plugin.Driver, rowsID string, columns, limit int, enough func() bool) {
	for len(b.rows) < limit && b.size < batchBytes && b.end == nil && !enough() {
		row, err := nextRow(target, rowsID, columns)
		if err != nil {
			b.end = err
			return
		}
		for _, value := range row {
			b.size += valueSize(value)
		}
		b.rows = append(b.rows, row)
	}
}

// take removes the first rows, and what ends them once they are the last.
func (b *batch) take(limit int) batch {
	if len(b.rows) > limit {
		taken := batch{rows: b.rows[:limit:limit]}
		b.rows = b.rows[limit:]
		return taken
	}
	taken := *b
	*b = batch{}
	return taken
}

func nextRow(target plugin.Driver, rowsID string, columns int) ([]driver.Value, error) {
	if owner, ok := target.(rowOwner); ok {
		return owner.NextRow(rowsID, columns)
	}
	row := make([]driver.Value, columns)
	if err := target.RowsNext(rowsID, row); err != nil {
		return nil, err
	}
	for i, value := range row {
		if value, ok := value.([]byte); ok {
			row[i] = bytes.Clone(value) // a driver may use its buffer again for the next row
		}
	}
	return row, nil
}

// valueSize is roughly what a value of a row takes on the wire.
func valueSize(value driver.Value) int {
	switch value := value.(type) {
	case string:
		return len(value)
	case []byte:
		return len(value)
	}
	return 8
}

// readBatch reads rows of a driver without a session.
func readBatch(target plugin.Driver, rowsID string, columns, limit int) ([][]driver.Value, error) {
	var rows batch
	rows.read(target, rowsID, columns, limit, func() bool { return false })
	return rows.rows, rows.end
}

// NextRows returns the next rows, at most so many, and what ended them if there are fewer. The first call for a result
// set decides how many columns its rows have; 0: all.
//
// Once a plugin has come back for more, the rows after these are read while it works on these.
func (d *sessionDriver) NextRows(rowsID string, columns, limit int) ([][]driver.Value, error) {
	found, err := on(d, someRows, rowsID, driver.ErrBadConn, func(conn *openConn) (batch, error) {
		rows := conn.rows[rowsID]
		if err := d.describe(rowsID, rows); err != nil {
			return batch{}, err
		}
		if columns == 0 {
			columns = len(rows.names)
		}
		if err := rows.fetchable(columns); err != nil {
			return batch{}, err
		}
		found := rows.ahead.take(limit)
		found.read(d.target, rowsID, columns, limit, func() bool { return false })
		if rows.batches++; rows.batches > 1 && found.end == nil {
			go d.session.readAhead(conn, rowsID, rows, columns, limit)
		}
		return found, nil
	})
	if err != nil {
		return nil, err
	}
	return found.rows, found.end
}

// readAhead reads rows that nobody has asked for yet, until somebody wants the connection.
func (s *DriverSession) readAhead(conn *openConn, rowsID string, rows *openRows, columns, limit int) {
	conn.lock.Lock()
	defer conn.lock.Unlock()
	if conn.closed || conn.rows[rowsID] != rows {
		return
	}
	target, done := s.begin(context.Background())
	if target == nil {
		return
	}
	rows.ahead.read(target, rowsID, columns, limit, func() bool { return conn.wanted.Load() > 0 })
	if done() != nil {
		// The connection to the server is gone. Whoever asks next will find that out, too.
		rows.ahead.end = nil
	}
}
