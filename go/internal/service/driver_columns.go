package service

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// timeTypes are the types whose values lib/pq makes a time.Time, which gob does not carry inside an interface: a row
// with one would end the connection between server and plugin.
var timeTypes = []string{"DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ"}

func (d *sessionDriver) RowsColumns(rowsID string) []string {
	names, _ := on(d, someRows, rowsID, nil, func(*openConn) ([]string, error) { return d.target.RowsColumns(rowsID), nil })
	return names
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

// fetchable returns an error if one of the first columns has values that would end the connection to the server.
func (rows *openRows) fetchable(columns int) error {
	for i, name := range rows.types[:min(columns, len(rows.types))] {
		if slices.Contains(timeTypes, name) {
			return fmt.Errorf("column %d (%s) is of type %s, whose values Mattermost's RPC does not carry; "+
				"cast it to text", i+1, rows.names[i], strings.ToLower(name))
		}
	}
	return nil
}
