package service_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// requireCode requires an error of PostgreSQL with that SQLSTATE, and returns it.
func requireCode(t *testing.T, code string, err error) *pq.Error {
	t.Helper()
	var found *pq.Error
	require.True(t, errors.As(err, &found), "%v is none of PostgreSQL", err)
	require.Equal(t, code, string(found.Code))
	return found
}

func TestATransactionIsCommittedOrRolledBack(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		h.script("DROP TABLE IF EXISTS kept; CREATE TABLE kept (a int)")
		conn := h.conn()
		rolledBack := h.begun(conn)
		h.run(conn, "INSERT INTO kept VALUES (1)")
		must(t, h.rollback(rolledBack))
		require.Equal(t, sql.ErrTxDone, h.rollback(rolledBack))

		committed := h.begun(conn)
		h.run(conn, "INSERT INTO kept VALUES (2)")
		rows, err := h.query(conn, "SELECT a FROM kept, generate_series(1, 1000)")
		must(t, err)
		h.next(rows, 10, 1)
		must(t, h.commit(committed)) // with rows that nobody has read
		require.Equal(t, sql.ErrTxDone, h.commit(committed))
		require.Equal(t, "2", h.admin("SELECT string_agg(a::text, ',') FROM kept"))
	})
}

func TestATransactionHasTheIsolationItWasBegunWith(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		for level, name := range map[sql.IsolationLevel]string{
			sql.LevelDefault: "read committed", sql.LevelReadUncommitted: "read uncommitted",
			sql.LevelReadCommitted: "read committed", sql.LevelRepeatableRead: "repeatable read",
			sql.LevelSerializable: "serializable",
		} {
			tx, err := h.tx(conn, driver.TxOptions{Isolation: driver.IsolationLevel(level), ReadOnly: level == sql.LevelSerializable})
			must(t, err)
			require.Equal(t, name, h.one(conn, "SHOW transaction_isolation"))
			_, err = h.exec(conn, "CREATE TEMP TABLE made (a int)")
			if level == sql.LevelSerializable {
				requireCode(t, "25006", err)
			} else {
				must(t, err)
			}
			must(t, h.rollback(tx))
		}
		_, err := h.tx(conn, driver.TxOptions{Isolation: driver.IsolationLevel(sql.LevelLinearizable)})
		require.ErrorContains(t, err, "isolation level not supported")
	})
}

func TestATransactionWithAnErrorCannotBeCommitted(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		tx := h.begun(conn)
		_, err := h.exec(conn, "SELECT 1 / 0")
		requireCode(t, "22012", err)
		_, err = h.exec(conn, "SELECT 1")
		requireCode(t, "25P02", err)
		require.ErrorContains(t, h.commit(tx), "failed transaction")
		require.Equal(t, "idle", h.state(h.pid(conn)))
	})
}

func TestErrorsKeepWhatPostgreSQLSays(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		h.script(`DROP SCHEMA IF EXISTS things CASCADE; CREATE SCHEMA things;
			CREATE TABLE things.thing (id int PRIMARY KEY, size int NOT NULL CONSTRAINT small CHECK (size < 10));
			INSERT INTO things.thing VALUES (1, 1)`)
		conn := h.conn()
		_, err := h.exec(conn, "INSERT INTO things.thing VALUES (1, 1)")
		found := requireCode(t, "23505", err)
		require.Equal(t, []string{"ERROR", "things", "thing", "thing_pkey", "Key (id)=(1) already exists."},
			[]string{found.Severity, found.Schema, found.Table, found.Constraint, found.Detail})

		_, err = h.exec(conn, "INSERT INTO things.thing VALUES (2, NULL)")
		require.Equal(t, "size", requireCode(t, "23502", err).Column)
		_, err = h.exec(conn, "INSERT INTO things.thing VALUES (2, 10)")
		require.Equal(t, "small", requireCode(t, "23514", err).Constraint)

		_, err = h.query(conn, "SELECT nothing FROM things.thing")
		found = requireCode(t, "42703", err)
		require.Equal(t, "8", found.Position)
		require.Equal(t, `column "nothing" does not exist`, found.Message)

		_, err = h.exec(conn, `DO $$ BEGIN RAISE 'no' USING ERRCODE = 'MM001', HINT = 'ask', DETAIL = 'why'; END $$`)
		found = requireCode(t, "MM001", err)
		require.Equal(t, []string{"no", "ask", "why"}, []string{found.Message, found.Hint, found.Detail})
		require.Contains(t, found.Where, "PL/pgSQL")
	})
}

// statement prepares a statement.
func (h *dbHost) statement(conn, q string) (string, error) {
	h.t.Helper()
	return result[*pluginpb.StmtResponse](h)(h.calls.Stmt(h.t.Context(), &pluginpb.StmtRequest{ConnId: conn, Query: q}))
}

func TestAPreparedStatementRunsManyTimes(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn, ctx := h.conn(), t.Context()
		h.run(conn, "CREATE TEMP TABLE t (a int)")
		insert, err := h.statement(conn, "INSERT INTO t VALUES ($1), ($1 * 2)")
		must(t, err)
		count, err := h.calls.StmtNumInput(ctx, &pluginpb.StmtNumInputRequest{StmtId: insert})
		must(t, err)
		require.Equal(t, int64(1), count.Result)
		for n := range int64(5) {
			out, err := h.calls.StmtExec(ctx, &pluginpb.StmtExecRequest{StmtId: insert, Args: arguments([]any{n})})
			must(t, err)
			must(t, contracttest.ErrorFromProto(out.Error))
			require.Equal(t, int64(2), out.Result.RowsAffected)
		}
		sum, err := h.statement(conn, "SELECT sum(a)::text FROM t WHERE a >= $1")
		must(t, err)
		for _, want := range []struct {
			from int64
			sum  any
		}{{0, "30"}, {5, "14"}, {100, nil}} {
			rows, err := result[*pluginpb.StmtQueryResponse](h)(h.calls.StmtQuery(ctx, &pluginpb.StmtQueryRequest{StmtId: sum, Args: arguments([]any{want.from})}))
			must(t, err)
			require.Equal(t, [][]any{{want.sum}}, values(h.next(rows, 10, 0)))
		}
		closed, err := h.calls.StmtClose(ctx, &pluginpb.StmtCloseRequest{StmtId: insert})
		must(t, err)
		must(t, contracttest.ErrorFromProto(closed.Error))
		out, err := h.calls.StmtExec(ctx, &pluginpb.StmtExecRequest{StmtId: insert, Args: arguments([]any{int64(1)})})
		must(t, err)
		require.Equal(t, driver.ErrBadConn, contracttest.ErrorFromProto(out.Error))
	})
}

func TestAStatementThatCannotBePreparedLeavesNothing(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		_, err := h.statement(conn, "SELECT FROM WHERE")
		requireCode(t, "42601", err)
		require.Equal(t, "0", h.one(conn, "SELECT count(*)::text FROM pg_prepared_statements"))
	})
}

func TestAWrongNumberOfParametersIsAnError(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		for _, args := range [][]any{{}, {"1"}, {"1", "2", "3"}} {
			_, err := h.query(conn, "SELECT $1::text || $2::text", args...)
			require.ErrorContains(t, err, "parameter")
			_, err = h.exec(conn, "SELECT $1::text || $2::text", args...)
			require.ErrorContains(t, err, "parameter")
			statement, err := h.statement(conn, "SELECT $1::text || $2::text")
			must(t, err)
			out, err := h.calls.StmtExec(t.Context(), &pluginpb.StmtExecRequest{StmtId: statement, Args: arguments(args)})
			must(t, err)
			require.ErrorContains(t, contracttest.ErrorFromProto(out.Error), "parameter")
			require.Equal(t, "12", h.one(conn, "SELECT $1::text || $2::text", "1", "2"))
		}
	})
}
