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
	size int // bytes, roughly
}

// rowOwner is a driver that returns rows which nobody else changes, where RowsNext fills one of the caller's.
type rowOwner interface {
	NextRow(rowsID string, columns int) ([]driver.Value, error)
}

// read adds rows until there are enough, or nobody wants more. It returns what came instead of a row.
func (b *batch) read(target plugin.Driver, rowsID string, columns, limit int, enough func() bool) error {
	for len(b.rows) < limit && b.size < batchBytes && !enough() {
		row, err := nextRow(target, rowsID, columns)
		if err != nil {
			return err
		}
		for _, value := range row {
			b.size += valueSize(value)
		}
		b.rows = append(b.rows, row)
	}
	return nil
}

// take removes the first rows.
func (b *batch) take(limit int) batch {
	taken := *b
	if *b = (batch{}); len(taken.rows) > limit {
		b.rows, taken.rows = taken.rows[limit:], taken.rows[:limit:limit]
	}
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
	end := rows.read(target, rowsID, columns, limit, never)
	return rows.rows, end
}

func never() bool { return false }

// NextRows returns the next rows, at most so many, and what ends them, if something does. The first call for a result
// set decides how many columns its rows have; 0: all.
//
// Once a plugin has come back for more, the rows after these are read while it works on these.
func (d *sessionDriver) NextRows(rowsID string, columns, limit int) ([][]driver.Value, error) {
	var end error
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
		if rows.end == nil {
			rows.end = found.read(d.target, rowsID, columns, limit, never)
		}
		if rows.batches++; rows.batches > 1 && rows.end == nil {
			go d.session.readAhead(conn, rowsID, rows, columns, limit)
		}
		if len(rows.ahead.rows) == 0 {
			end = rows.end
		}
		return found, nil
	})
	if err != nil {
		return nil, err
	}
	return found.rows, end
}

// readAhead reads rows that nobody has asked for yet, until somebody wants the connection.
func (s *DriverSession) readAhead(conn *openConn, rowsID string, rows *openRows, columns, limit int) {
	conn.lock.Lock()
	defer conn.lock.Unlock()
	if conn.closed || conn.rows[rowsID] != rows || rows.end != nil {
		return
	}
	target, done := s.begin(context.Background())
	if target == nil {
		return
	}
	end := rows.ahead.read(target, rowsID, columns, limit, func() bool { return conn.wanted.Load() > 0 })
	if done() == nil { // else the connection to the server is gone: whoever asks next will find that out, too
		rows.end = end
	}
}
