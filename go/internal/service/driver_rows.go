package service

import "database/sql/driver"

// openRows are rows with what is known of the result set they are at.
type openRows struct {
	described    bool
	names, types []string
	batches      int   // how many were asked for
	ahead        batch // read before anybody asked for them
	end          error // came after the last row: to go on would be to read the next result set
}

// openedRows keeps the id of new rows.
func (d *sessionDriver) openedRows(conn *openConn, id string, err error) (string, error) {
	if err == nil && d.done() == nil {
		conn.rows[id] = &openRows{}
		d.session.own(someRows, id, conn)
	}
	return id, err
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

func (d *sessionDriver) RowsClose(rowsID string) error {
	_, err := on(d, someRows, rowsID, driver.ErrBadConn, func(conn *openConn) (nothing, error) {
		delete(conn.rows, rowsID)
		d.session.disown(someRows, rowsID)
		return nothing{}, d.target.RowsClose(rowsID)
	})
	return err
}

// RowsNext is NextRows for one row.
func (d *sessionDriver) RowsNext(rowsID string, dest []driver.Value) error {
	rows, end := d.NextRows(rowsID, len(dest), 1)
	if len(rows) == 0 {
		return end
	}
	copy(dest, rows[0])
	return nil
}

func (d *sessionDriver) RowsHasNextResultSet(rowsID string) bool {
	has, _ := on(d, someRows, rowsID, nil, func(*openConn) (bool, error) { return d.target.RowsHasNextResultSet(rowsID), nil })
	return has
}

// RowsNextResultSet goes on to the next result set, once the current one was read to its end.
func (d *sessionDriver) RowsNextResultSet(rowsID string) error {
	_, err := on(d, someRows, rowsID, driver.ErrBadConn, func(conn *openConn) (nothing, error) {
		conn.rows[rowsID] = &openRows{}
		return nothing{}, d.target.RowsNextResultSet(rowsID)
	})
	return err
}
