package service

import (
	"database/sql/driver"
	"slices"

	"github.com/mattermost/mattermost/server/public/plugin"
)

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
