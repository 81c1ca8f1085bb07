package service

import (
	"database/sql"
	"database/sql/driver"
	"slices"
)

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
