package service_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest/serverdb"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// patience is how long a test waits for what takes milliseconds on an idle machine.
const patience = 60 * time.Second

// dbHost is a server's database, and a plugin process that uses it through a session.
type dbHost struct {
	t       *testing.T
	source  string
	server  *serverdb.Database
	session *service.DriverSession
	calls   pluginpb.DriverClient
	begin   func(ctx context.Context) (plugin.Driver, func() error)
	log     *bytes.Buffer
}

// onDatabases runs a test twice: with the server's driver behind Mattermost's net/rpc, and in this process. Whatever
// it does, nothing is open in the server's pool and no goroutine is left when its session has ended.
func onDatabases(t *testing.T, test func(t *testing.T, h *dbHost)) {
	t.Helper()
	for name, remote := range map[string]bool{"net/rpc": true, "in process": false} {
		t.Run(name, func(t *testing.T) {
			source, err := serverdb.Postgres()
			must(t, err)
			server, err := serverdb.Open(source)
			must(t, err)
			t.Cleanup(func() { must(t, server.Close()) })
			h := &dbHost{t: t, source: source, server: server, begin: service.DirectDriver(server), log: &bytes.Buffer{}}
			if remote {
				far, shutdown, err := serverdb.OverRPC(server)
				must(t, err)
				t.Cleanup(shutdown)
				h.begin, err = service.NewNetRPCDriver(far)
				must(t, err)
			}
			// The pool's own goroutine, and what the first connection of a process starts.
			must(t, server.Pool.Ping())
			goroutines := runtime.NumGoroutine()
			h.newSession()
			test(t, h)
			h.session.Close(t.Context())
			require.Zero(t, server.Pool.Stats().InUse)
			server.Pool.SetMaxIdleConns(0)
			server.Pool.SetMaxIdleConns(1)
			h.eventually("goroutines are left", func() bool { return runtime.NumGoroutine() <= goroutines })
		})
	}
}

// newSession begins the session of the next plugin process.
func (h *dbHost) newSession() {
	log := hclog.New(&hclog.LoggerOptions{Output: h.log, Level: hclog.Debug, Mutex: &sync.Mutex{}})
	h.session = service.NewDriverSession(h.begin, log)
	server := &inProcess{}
	service.RegisterDriver(server, h.session.Begin, log)
	h.calls = pluginpb.NewDriverClient(server)
}

// eventually waits until something is so. It asks in no goroutine of its own, as require.Eventually does.
func (h *dbHost) eventually(otherwise string, so func() bool) {
	h.t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			buffer := make([]byte, 1<<20)
			h.t.Fatalf("%s\n%s", otherwise, buffer[:runtime.Stack(buffer, true)])
		}
	}
}

// admin asks the database for one value, past the plugin's connections.
func (h *dbHost) admin(query string, args ...any) (value string) {
	h.t.Helper()
	connector, err := pq.NewConnector(h.source)
	must(h.t, err)
	pool := sql.OpenDB(connector)
	defer pool.Close()
	must(h.t, pool.QueryRow(query, args...).Scan(&value))
	return value
}

// script runs statements in the database, past the plugin's connections.
func (h *dbHost) script(statements string) {
	h.t.Helper()
	h.admin("SELECT 'done'")
	connector, err := pq.NewConnector(h.source)
	must(h.t, err)
	pool := sql.OpenDB(connector)
	defer pool.Close()
	_, err = pool.Exec(statements)
	must(h.t, err)
}

// result is what a call returned: the id it opened, its error, the status of the call.
func result[R interface {
	GetResult() string
	GetError() *pluginpb.Error
}](h *dbHost) func(R, error) (string, error) {
	return func(out R, err error) (string, error) {
		h.t.Helper()
		must(h.t, err)
		return out.GetResult(), contracttest.ErrorFromProto(out.GetError())
	}
}

func (h *dbHost) conn() string {
	h.t.Helper()
	id, err := result[*pluginpb.ConnResponse](h)(h.calls.Conn(h.t.Context(), &pluginpb.ConnRequest{IsMaster: true}))
	must(h.t, err)
	return id
}

func (h *dbHost) close(conn string) error {
	h.t.Helper()
	out, err := h.calls.ConnClose(h.t.Context(), &pluginpb.ConnCloseRequest{ConnId: conn})
	must(h.t, err)
	return contracttest.ErrorFromProto(out.Error)
}

func (h *dbHost) ping(conn string) error {
	h.t.Helper()
	out, err := h.calls.ConnPing(h.t.Context(), &pluginpb.ConnPingRequest{ConnId: conn})
	must(h.t, err)
	return contracttest.ErrorFromProto(out.Error)
}

func (h *dbHost) tx(conn string, opts driver.TxOptions) (string, error) {
	h.t.Helper()
	in := &pluginpb.TxRequest{ConnId: conn, Opts: contracttest.ToProto[pluginpb.TxOptions](convert.AppendTxOptions(nil, &opts))}
	return result[*pluginpb.TxResponse](h)(h.calls.Tx(h.t.Context(), in))
}

func (h *dbHost) begun(conn string) string {
	h.t.Helper()
	id, err := h.tx(conn, driver.TxOptions{})
	must(h.t, err)
	return id
}

func (h *dbHost) commit(tx string) error {
	h.t.Helper()
	out, err := h.calls.TxCommit(h.t.Context(), &pluginpb.TxCommitRequest{TxId: tx})
	must(h.t, err)
	return contracttest.ErrorFromProto(out.Error)
}

func (h *dbHost) rollback(tx string) error {
	h.t.Helper()
	out, err := h.calls.TxRollback(h.t.Context(), &pluginpb.TxRollbackRequest{TxId: tx})
	must(h.t, err)
	return contracttest.ErrorFromProto(out.Error)
}

func arguments(args []any) (out []*pluginpb.NamedValue) {
	for i, arg := range args {
		out = append(out, contracttest.ToProto[pluginpb.NamedValue](convert.AppendNamedValue(nil, &driver.NamedValue{Ordinal: i + 1, Value: arg})))
	}
	return out
}

func (h *dbHost) query(conn, q string, args ...any) (string, error) {
	h.t.Helper()
	in := &pluginpb.ConnQueryRequest{ConnId: conn, Query: q, Args: arguments(args)}
	return result[*pluginpb.ConnQueryResponse](h)(h.calls.ConnQuery(h.t.Context(), in))
}

func (h *dbHost) exec(conn, q string, args ...any) (int64, error) {
	h.t.Helper()
	in := &pluginpb.ConnExecRequest{ConnId: conn, Query: q, Args: arguments(args)}
	out, err := h.calls.ConnExec(h.t.Context(), in)
	must(h.t, err)
	return out.Result.RowsAffected, contracttest.ErrorFromProto(out.Error)
}

func (h *dbHost) run(conn, q string, args ...any) {
	h.t.Helper()
	_, err := h.exec(conn, q, args...)
	must(h.t, err)
}

// next asks for a batch as the SDK does.
func (h *dbHost) next(rows string, limit, columns int) *pluginpb.RowsNextResponse {
	h.t.Helper()
	out, err := h.calls.RowsNext(h.t.Context(), &pluginpb.RowsNextRequest{
		RowsId: rows, MaxRows: uint32(limit), Columns: uint32(columns), Describe: true, Close: true,
	})
	must(h.t, err)
	return out
}

// values are the rows of a batch.
func values(out *pluginpb.RowsNextResponse) (rows [][]any) {
	for _, row := range out.Rows {
		var items []any
		for _, item := range row.Items {
			items = append(items, contracttest.ValueFromProto(item))
		}
		rows = append(rows, items)
	}
	return rows
}

// all returns every row of a query.
func (h *dbHost) all(conn, q string, args ...any) (found [][]any) {
	h.t.Helper()
	rows, err := h.query(conn, q, args...)
	must(h.t, err)
	for {
		out := h.next(rows, 1000, 0)
		found = append(found, values(out)...)
		if out.Error != nil {
			require.Equal(h.t, io.EOF, contracttest.ErrorFromProto(out.Error))
			return found
		}
	}
}

// one returns the text of the only value of a query.
func (h *dbHost) one(conn, q string, args ...any) string {
	h.t.Helper()
	rows := h.all(conn, q, args...)
	require.Len(h.t, rows, 1)
	switch value := rows[0][0].(type) {
	case string:
		return value
	case []byte:
		return string(value)
	}
	h.t.Fatalf("%T is no text", rows[0][0])
	return ""
}

// pid is the process of a connection in the database.
func (h *dbHost) pid(conn string) string {
	h.t.Helper()
	return h.one(conn, "SELECT pg_backend_pid()::text")
}

// state is what the database says about the process of a connection.
func (h *dbHost) state(pid string) string {
	h.t.Helper()
	return h.admin("SELECT coalesce((SELECT state FROM pg_stat_activity WHERE pid = $1::int), 'gone')", pid)
}

func TestAConnectionIsOpenUntilItIsClosed(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		require.Equal(t, 1, h.server.Pool.Stats().InUse)
		must(t, h.ping(conn))
		require.Equal(t, "1", h.one(conn, "SELECT '1'"))
		must(t, h.close(conn))
		require.Zero(t, h.server.Pool.Stats().InUse)

		require.Equal(t, sql.ErrConnDone, h.close(conn))
		require.Equal(t, driver.ErrBadConn, h.ping(conn))
		_, err := h.query(conn, "SELECT 1")
		require.Equal(t, driver.ErrBadConn, err)
		_, err = h.tx(conn, driver.TxOptions{})
		require.Equal(t, driver.ErrBadConn, err)
	})
}

func TestIDsThatNobodyOpenedNeverReachTheServer(t *testing.T) {
	// There they would be a panic.
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		ctx := t.Context()
		for _, id := range []string{"", "nobody's", conn} { // a connection is no transaction, statement or row
			require.Equal(t, sql.ErrTxDone, h.commit(id))
			require.Equal(t, sql.ErrTxDone, h.rollback(id))
			require.Equal(t, driver.ErrBadConn, contracttest.ErrorFromProto(h.next(id, 1, 0).Error))
			_, err := result[*pluginpb.StmtQueryResponse](h)(h.calls.StmtQuery(ctx, &pluginpb.StmtQueryRequest{StmtId: id}))
			require.Equal(t, driver.ErrBadConn, err)
			closed, err := h.calls.RowsClose(ctx, &pluginpb.RowsCloseRequest{RowsId: id})
			must(t, err)
			require.Equal(t, driver.ErrBadConn, contracttest.ErrorFromProto(closed.Error))
			count, err := h.calls.StmtNumInput(ctx, &pluginpb.StmtNumInputRequest{StmtId: id})
			must(t, err)
			require.Zero(t, count.Result)
		}
		require.NotContains(t, h.log.String(), "panic")
	})
}

// use leaves a connection as no other plugin, and not the server, may find it.
const use = `
	CREATE TEMP TABLE left_behind (a int); SET statement_timeout = 12345; LISTEN left_behind;
	SELECT pg_advisory_lock(4711); DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1`

func (h *dbHost) requireClean(conn string) {
	h.t.Helper()
	require.Equal(h.t, "0", h.one(conn, "SHOW statement_timeout"))
	require.Equal(h.t, [][]any{{"0", "0", "0", "0"}}, h.all(conn, `SELECT
		(SELECT count(*)::text FROM pg_class WHERE relname = 'left_behind'),
		(SELECT count(*)::text FROM pg_cursors WHERE name = 'left_behind'),
		(SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'),
		(SELECT count(*)::text FROM pg_listening_channels())`))
}

func TestAConnectionGoesBackIntoTheServersPoolAsItWas(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		h.server.Pool.SetMaxOpenConns(1)
		for _, statements := range []string{use, "BEGIN; " + use, "Start  Transaction READ ONLY"} {
			conn := h.conn()
			pid := h.pid(conn)
			h.run(conn, statements)
			must(t, h.close(conn))
			require.Equal(t, "idle", h.state(pid))

			again := h.conn()
			require.Equal(t, pid, h.pid(again))
			h.requireClean(again)
			must(t, h.close(again))
		}
	})
}

func TestTheEndOfAProcessReleasesEverything(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		h.script("DROP TABLE IF EXISTS released; CREATE TABLE released AS SELECT 1 AS id")
		var pids []string
		for range 3 {
			conn := h.conn()
			pids = append(pids, h.pid(conn))
			h.run(conn, use)
			h.run(conn, "SELECT pg_advisory_unlock(4711)")
			h.begun(conn)
		}
		locking := h.conn()
		h.begun(locking)
		h.run(locking, "UPDATE released SET id = 2")
		statement, err := result[*pluginpb.StmtResponse](h)(h.calls.Stmt(t.Context(), &pluginpb.StmtRequest{ConnId: locking, Query: "SELECT generate_series(1, 100000)"}))
		must(t, err)
		rows, err := result[*pluginpb.StmtQueryResponse](h)(h.calls.StmtQuery(t.Context(), &pluginpb.StmtQueryRequest{StmtId: statement}))
		must(t, err)
		for range 3 { // the third is being read ahead
			require.Len(t, h.next(rows, 10, 1).Rows, 10)
		}
		require.Equal(t, 4, h.server.Pool.Stats().InUse)

		h.session.Close(t.Context())

		require.Zero(t, h.server.Pool.Stats().InUse)
		for _, pid := range pids {
			// One the pool has no use for is closed.
			require.Contains(t, []string{"idle", "gone"}, h.state(pid))
		}
		require.Equal(t, "1", h.admin("SELECT id::text FROM released FOR UPDATE NOWAIT"))
		require.Equal(t, "0", h.admin("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'"))
		require.Equal(t, driver.ErrBadConn, h.ping(locking))
		_, err = result[*pluginpb.ConnResponse](h)(h.calls.Conn(t.Context(), &pluginpb.ConnRequest{IsMaster: true}))
		require.Equal(t, driver.ErrBadConn, err)
		require.Zero(t, h.server.Pool.Stats().InUse)
	})
}

func TestTheEndOfAProcessEndsWhatItsConnectionsAreAt(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		h.script("DROP TABLE IF EXISTS locked; CREATE TABLE locked AS SELECT 1 AS id")
		holding, waiting, reading := h.conn(), h.conn(), h.conn()
		pids := []string{h.pid(holding), h.pid(waiting), h.pid(reading)}
		h.begun(holding)
		h.run(holding, "UPDATE locked SET id = 2")
		h.begun(waiting)
		rows, err := h.query(reading, "SELECT generate_series(1, 100000000)")
		must(t, err)
		h.next(rows, 10, 1)
		var calls sync.WaitGroup
		calls.Go(func() {
			_, err := h.exec(holding, "SELECT pg_sleep(600)")
			requireCode(t, "57014", err)
		})
		calls.Go(func() { _, _ = h.exec(waiting, "UPDATE locked SET id = 3") })
		for _, pid := range pids {
			h.eventually("it is not busy", func() bool { return h.state(pid) == "active" })
		}

		h.session.Close(t.Context())

		calls.Wait()
		require.Zero(t, h.server.Pool.Stats().InUse)
		for _, pid := range pids {
			require.Contains(t, []string{"idle", "gone"}, h.state(pid))
		}
		require.Equal(t, "1", h.admin("SELECT id::text FROM locked FOR UPDATE NOWAIT"))
		require.NotContains(t, h.log.String(), "could not be canceled")
	})
}

func TestTheEndOfAProcessDoesNotWaitForABusyConnectionForEver(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		h.server.Pool.SetMaxOpenConns(1) // so there is none by which to cancel
		conn := h.conn()
		pid := h.pid(conn)
		var sleeping sync.WaitGroup
		sleeping.Go(func() { _, _ = h.exec(conn, "SELECT pg_sleep(600)") })
		h.eventually("it does not sleep", func() bool { return h.state(pid) == "active" })

		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		h.session.Close(ctx)
		require.Equal(t, 1, h.server.Pool.Stats().InUse)
		require.Contains(t, h.log.String(), "still busy")

		h.admin("SELECT pg_cancel_backend($1::int)::text", pid)
		sleeping.Wait()
		h.eventually("it is not closed", func() bool { return h.server.Pool.Stats().InUse == 0 })
	})
}

func TestAConnectionThatTheDatabaseEndedCanBeClosed(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		tx := h.begun(conn)
		pid := h.pid(conn)
		h.admin("SELECT pg_terminate_backend($1::int, 10000)::text", pid)

		_, err := h.exec(conn, "SELECT 1")
		require.Error(t, err)
		require.Error(t, h.commit(tx))
		require.Error(t, h.ping(conn))
		require.Equal(t, sql.ErrConnDone, h.close(conn)) // the pool has thrown it away
		require.Zero(t, h.server.Pool.Stats().InUse)
		require.NotEqual(t, pid, h.pid(h.conn()))
	})
}

func TestDeadConnectionsOfTheServersPoolAreNotHandedOut(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		h.server.Pool.SetMaxIdleConns(10)
		var conns []string
		for range 8 {
			conns = append(conns, h.conn())
		}
		for _, conn := range conns {
			pid := h.pid(conn)
			must(t, h.close(conn))
			h.admin("SELECT pg_terminate_backend($1::int, 10000)::text", pid)
		}
		require.Equal(t, "alive", h.one(h.conn(), "SELECT 'alive'"))
		require.Equal(t, 1, h.server.Pool.Stats().InUse)
	})
}

func TestCallsOnOneConnectionFollowEachOther(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		h.run(conn, "CREATE TEMP TABLE t (caller int, n int)")
		var callers sync.WaitGroup
		for caller := range 8 {
			callers.Go(func() {
				for n := range 20 {
					if _, err := h.exec(conn, "INSERT INTO t VALUES ($1, $2)", int64(caller), int64(n)); err != nil {
						t.Error(err)
					}
					rows, err := h.query(conn, "SELECT * FROM generate_series(1, 300)")
					if err != nil {
						t.Error(err)
					}
					// Another caller's statement may have ended these rows.
					if out := h.next(rows, 100, 1); len(out.Rows) != 100 && contracttest.ErrorFromProto(out.Error) != driver.ErrBadConn {
						t.Errorf("%d rows, %v", len(out.Rows), out.Error)
					}
				}
			})
		}
		callers.Wait()
		require.Equal(t, "160", h.one(conn, "SELECT count(*)::text FROM t"))
	})
}
