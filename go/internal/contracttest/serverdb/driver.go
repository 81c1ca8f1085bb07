// Package serverdb is the database of a Mattermost server for tests and measurements: the driver that a server lends to
// its plugins, over lib/pq and a real PostgreSQL, in this process or behind Mattermost's own net/rpc.
package serverdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	_ "github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// objects are what plugins hold of one kind, by id. An id that is not there panics, as it does in a server.
type objects[T any] struct {
	lock  sync.RWMutex
	byID  map[string]T
	count *atomic.Int64
}

func newObjects[T any](count *atomic.Int64) *objects[T] {
	return &objects[T]{byID: map[string]T{}, count: count}
}

func (o *objects[T]) add(object T) string {
	o.lock.Lock()
	defer o.lock.Unlock()
	id := fmt.Sprint(o.count.Add(1))
	o.byID[id] = object
	return id
}

func (o *objects[T]) get(id string) T {
	o.lock.RLock()
	defer o.lock.RUnlock()
	object, ok := o.byID[id]
	if !ok {
		panic(fmt.Sprintf("there is no %T %q", object, id))
	}
	return object
}

func (o *objects[T]) take(id string) T {
	object := o.get(id)
	o.lock.Lock()
	defer o.lock.Unlock()
	delete(o.byID, id)
	return object
}

// Database is the driver of a server over lib/pq: its calls go to the connections below database/sql, whose pool is
// the server's.
type Database struct {
	// Pool is the server's own, to its master.
	Pool *sql.DB

	replica *sql.DB // nil: there is none, and the master answers for it
	conns   *objects[*sql.Conn]
	txs     *objects[driver.Tx]
	stmts   *objects[driver.Stmt]
	rows    *objects[driver.Rows]
}

// Open returns the driver of a server whose PostgreSQL has the address source. Close it in the end.
func Open(source string) (*Database, error) {
	pool, err := sql.Open("postgres", source)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(50)
	var ids atomic.Int64
	return &Database{
		Pool:  pool,
		conns: newObjects[*sql.Conn](&ids),
		txs:   newObjects[driver.Tx](&ids),
		stmts: newObjects[driver.Stmt](&ids),
		rows:  newObjects[driver.Rows](&ids),
	}, nil
}

// UseReplica adds a replica with the address source.
func (d *Database) UseReplica(source string) (err error) {
	d.replica, err = sql.Open("postgres", source)
	return err
}

// Close closes all connections to PostgreSQL.
func (d *Database) Close() error {
	if d.replica == nil {
		return d.Pool.Close()
	}
	return errors.Join(d.replica.Close(), d.Pool.Close())
}

// raw runs a function with the connection of lib/pq.
func raw[C, R any](d *Database, id string, call func(conn C) (R, error)) (out R, err error) {
	err = d.conns.get(id).Raw(func(conn any) error {
		out, err = call(conn.(C))
		return err
	})
	return out, err
}

// ConnWithPluginID is Conn; whose connection it is does not matter here.
func (d *Database) ConnWithPluginID(isMaster bool, _ string) (string, error) { return d.Conn(isMaster) }

// ShutdownConns closes all connections.
func (d *Database) ShutdownConns(string) {
	for id := range d.conns.byID {
		_ = d.ConnClose(id)
	}
}

func (d *Database) Conn(isMaster bool) (string, error) {
	pool := d.Pool
	if !isMaster && d.replica != nil {
		pool = d.replica
	}
	conn, err := pool.Conn(context.Background())
	if err != nil {
		return "", err
	}
	return d.conns.add(conn), nil
}

func (d *Database) ConnPing(id string) error {
	_, err := raw(d, id, func(conn driver.Pinger) (any, error) { return nil, conn.Ping(context.Background()) })
	return err
}

func (d *Database) ConnClose(id string) error { return d.conns.take(id).Close() }

func (d *Database) ConnQuery(id, q string, args []driver.NamedValue) (string, error) {
	return added(d.rows)(raw(d, id, func(conn driver.QueryerContext) (driver.Rows, error) {
		return conn.QueryContext(context.Background(), q, args)
	}))
}

func (d *Database) ConnExec(id, q string, args []driver.NamedValue) (plugin.ResultContainer, error) {
	return contained(raw(d, id, func(conn driver.ExecerContext) (driver.Result, error) {
		return conn.ExecContext(context.Background(), q, args)
	}))
}

func (d *Database) Tx(id string, opts driver.TxOptions) (string, error) {
	return added(d.txs)(raw(d, id, func(conn driver.ConnBeginTx) (driver.Tx, error) {
		return conn.BeginTx(context.Background(), opts)
	}))
}

func (d *Database) TxCommit(id string) error   { return d.txs.take(id).Commit() }
func (d *Database) TxRollback(id string) error { return d.txs.take(id).Rollback() }

func (d *Database) Stmt(id, q string) (string, error) {
	return added(d.stmts)(raw(d, id, func(conn driver.Conn) (driver.Stmt, error) { return conn.Prepare(q) }))
}

func (d *Database) StmtClose(id string) error { return d.stmts.take(id).Close() }

func (d *Database) StmtNumInput(id string) int { return d.stmts.get(id).NumInput() }

func (d *Database) StmtQuery(id string, args []driver.NamedValue) (string, error) {
	//lint:ignore SA1019 it is what a server calls
	return added(d.rows)(d.stmts.get(id).Query(values(args)))
}

func (d *Database) StmtExec(id string, args []driver.NamedValue) (plugin.ResultContainer, error) {
	//lint:ignore SA1019 it is what a server calls
	return contained(d.stmts.get(id).Exec(values(args)))
}

func (d *Database) RowsColumns(id string) []string { return d.rows.get(id).Columns() }

func (d *Database) RowsClose(id string) error { return d.rows.take(id).Close() }

func (d *Database) RowsNext(id string, dest []driver.Value) error { return d.rows.get(id).Next(dest) }

func (d *Database) RowsHasNextResultSet(id string) bool {
	return d.rows.get(id).(driver.RowsNextResultSet).HasNextResultSet()
}

func (d *Database) RowsNextResultSet(id string) error {
	return d.rows.get(id).(driver.RowsNextResultSet).NextResultSet()
}

func (d *Database) RowsColumnTypeDatabaseTypeName(id string, index int) string {
	return d.rows.get(id).(driver.RowsColumnTypeDatabaseTypeName).ColumnTypeDatabaseTypeName(index)
}

func (d *Database) RowsColumnTypePrecisionScale(id string, index int) (int64, int64, bool) {
	return d.rows.get(id).(driver.RowsColumnTypePrecisionScale).ColumnTypePrecisionScale(index)
}

// added keeps an object and returns its id.
func added[T any](kept *objects[T]) func(T, error) (string, error) {
	return func(object T, err error) (string, error) {
		if err != nil {
			return "", err
		}
		return kept.add(object), nil
	}
}

// contained reads the result of a statement.
func contained(result driver.Result, err error) (out plugin.ResultContainer, _ error) {
	if err != nil {
		return out, err
	}
	out.LastID, out.LastIDError = result.LastInsertId()
	out.RowsAffected, out.RowsAffectedError = result.RowsAffected()
	return out, nil
}

func values(args []driver.NamedValue) []driver.Value {
	out := make([]driver.Value, len(args))
	for i, arg := range args {
		out[i] = arg.Value
	}
	return out
}
