package service

import (
	"database/sql/driver"

	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// The methods of plugin.Driver share a few argument and result types, which follow no rule that could generate
// them.

func (d *netRPCDriver) Conn(isMaster bool) (string, error) {
	return d.id("Conn", isMaster)
}

func (d *netRPCDriver) ConnPing(connID string) error {
	return d.done("ConnPing", connID)
}

func (d *netRPCDriver) ConnClose(connID string) error {
	return d.done("ConnClose", connID)
}

func (d *netRPCDriver) ConnQuery(connID, q string, args []driver.NamedValue) (string, error) {
	return d.id("ConnQuery", &plugin.Z_DbConnArgs{A: connID, B: q, C: args})
}

func (d *netRPCDriver) ConnExec(connID, q string, args []driver.NamedValue) (plugin.ResultContainer, error) {
	return d.result("ConnExec", &plugin.Z_DbConnArgs{A: connID, B: q, C: args})
}

func (d *netRPCDriver) Tx(connID string, opts driver.TxOptions) (string, error) {
	return d.id("Tx", &plugin.Z_DbTxArgs{A: connID, B: opts})
}

func (d *netRPCDriver) TxCommit(txID string) error {
	return d.done("TxCommit", txID)
}

func (d *netRPCDriver) TxRollback(txID string) error {
	return d.done("TxRollback", txID)
}

func (d *netRPCDriver) Stmt(connID, q string) (string, error) {
	return d.id("Stmt", &plugin.Z_DbStmtArgs{A: connID, B: q})
}

func (d *netRPCDriver) StmtClose(stID string) error {
	return d.done("StmtClose", stID)
}

func (d *netRPCDriver) StmtNumInput(stID string) int {
	returns := &plugin.Z_DbIntReturn{}
	if !d.call("StmtNumInput", stID, returns) {
		return 0
	}
	return returns.A
}

func (d *netRPCDriver) StmtQuery(stID string, args []driver.NamedValue) (string, error) {
	return d.id("StmtQuery", &plugin.Z_DbStmtQueryArgs{A: stID, B: args})
}

func (d *netRPCDriver) StmtExec(stID string, args []driver.NamedValue) (plugin.ResultContainer, error) {
	return d.result("StmtExec", &plugin.Z_DbStmtQueryArgs{A: stID, B: args})
}

func (d *netRPCDriver) RowsColumns(rowsID string) []string {
	returns := &plugin.Z_DbStrSliceReturn{}
	if !d.call("RowsColumns", rowsID, returns) {
		return nil
	}
	return returns.A
}

func (d *netRPCDriver) RowsClose(rowsID string) error {
	return d.done("RowsClose", rowsID)
}

func (d *netRPCDriver) RowsNext(rowsID string, dest []driver.Value) error {
	row, err := d.NextRow(rowsID, len(dest))
	copy(dest, row)
	return err
}

// NextRow is RowsNext with a row that nobody else has.
func (d *netRPCDriver) NextRow(rowsID string, columns int) ([]driver.Value, error) {
	returns := &plugin.Z_DbRowScanReturn{}
	if !d.call("RowsNext", &plugin.Z_DbRowScanArg{A: rowsID, B: make([]driver.Value, columns)}, returns) {
		return nil, d.failure
	}
	return returns.B, convert.Sentinel(returns.A)
}

func (d *netRPCDriver) RowsHasNextResultSet(rowsID string) bool {
	returns := &plugin.Z_DbBoolReturn{}
	return d.call("RowsHasNextResultSet", rowsID, returns) && returns.A
}

func (d *netRPCDriver) RowsNextResultSet(rowsID string) error {
	return d.done("RowsNextResultSet", rowsID)
}

func (d *netRPCDriver) RowsColumnTypeDatabaseTypeName(rowsID string, index int) string {
	var name string
	if !d.call("RowsColumnTypeDatabaseTypeName", &plugin.Z_DbRowsColumnArg{A: rowsID, B: index}, &name) {
		return ""
	}
	return name
}

func (d *netRPCDriver) RowsColumnTypePrecisionScale(rowsID string, index int) (int64, int64, bool) {
	returns := &plugin.Z_DbRowsColumnTypePrecisionScaleReturn{}
	if !d.call("RowsColumnTypePrecisionScale", &plugin.Z_DbRowsColumnArg{A: rowsID, B: index}, returns) {
		return 0, 0, false
	}
	return returns.A, returns.B, returns.C
}

// id calls a method that returns the id of what it opened.
func (d *netRPCDriver) id(method string, args any) (string, error) {
	returns := &plugin.Z_DbStrErrReturn{}
	if !d.call(method, args, returns) {
		return "", d.failure
	}
	return returns.A, convert.Sentinel(returns.B)
}

// done calls a method that returns nothing but an error.
func (d *netRPCDriver) done(method string, args any) error {
	returns := &plugin.Z_DbErrReturn{}
	if !d.call(method, args, returns) {
		return d.failure
	}
	return convert.Sentinel(returns.A)
}

// result calls a method that returns what a statement changed.
func (d *netRPCDriver) result(method string, args any) (plugin.ResultContainer, error) {
	returns := &plugin.Z_DbResultContErrReturn{}
	if !d.call(method, args, returns) {
		return plugin.ResultContainer{}, d.failure
	}
	returns.A.LastIDError = convert.Sentinel(returns.A.LastIDError)
	returns.A.RowsAffectedError = convert.Sentinel(returns.A.RowsAffectedError)
	return returns.A, convert.Sentinel(returns.B)
}
