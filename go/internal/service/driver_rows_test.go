package service_test

import (
	"context"
	"database/sql/driver"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

func TestRowsComeInBatchesUpToTheirEnd(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		for _, size := range []int{0, 1, 699, 700, 701, 5000} {
			rows, err := h.query(conn, "SELECT n, 'row ' || n, n % 2 = 0, n * 1.5::numeric, NULL FROM generate_series(1, $1) n", int64(size))
			must(t, err)
			var found [][]any
			for ended := false; !ended; {
				out := h.next(rows, 700, 0)
				end := contracttest.ErrorFromProto(out.Error)
				require.Contains(t, []error{nil, io.EOF}, end)
				ended = end != nil
				require.True(t, ended || len(out.Rows) == 700, "%d rows", len(out.Rows))
				require.Equal(t, []string{"INT4", "TEXT", "BOOL", "NUMERIC", "TEXT"}, out.ColumnTypes)
				require.Equal(t, []string{"n", "?column?", "?column?", "?column?", "?column?"}, out.ColumnNames)
				require.False(t, out.HasNext)
				found = append(found, values(out)...)
				// Time for what comes next to be read ahead, all of it or part of it.
				time.Sleep(time.Duration(len(found)%4) * time.Millisecond)
			}
			require.Len(t, found, size)
			for i, row := range found {
				n := int64(i + 1)
				require.Equal(t, n, row[0])
				require.Equal(t, n%2 == 0, row[2])
				require.Nil(t, row[4])
			}
			if size == 5000 {
				require.Equal(t, []any{int64(3), "row 3", false, []byte("4.5"), nil}, found[2])
				require.Equal(t, []byte("7500.0"), found[4999][3])
			}
			// They were closed with their end.
			require.Equal(t, driver.ErrBadConn, contracttest.ErrorFromProto(h.next(rows, 1, 0).Error))
		}
	})
}

func TestABatchEndsEarlyIfItsRowsAreLarge(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		rows, err := h.query(conn, "SELECT repeat('x', 300000) FROM generate_series(1, 10)")
		must(t, err)
		var sizes []int
		for end := error(nil); end == nil; {
			out := h.next(rows, 1000, 0)
			sizes, end = append(sizes, len(out.Rows)), contracttest.ErrorFromProto(out.Error)
		}
		require.Equal(t, []int{4, 4, 2}, sizes)
	})
}

func TestOnlyTheColumnsThatAreAskedForAreRead(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		rows, err := h.query(conn, "SELECT n, n + 1, now() FROM generate_series(1, 10) n")
		must(t, err)
		for n := range int64(3) {
			require.Equal(t, [][]any{{n + 1, n + 2}}, values(h.next(rows, 1, 2)))
		}
	})
}

func TestADateInARowIsRefusedAndTheConnectionLives(t *testing.T) {
	// Gob would take offence at the time.Time, and nobody could use the database any more.
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		for _, kind := range []string{"date", "time", "timetz", "timestamp", "timestamptz"} {
			rows, err := h.query(conn, "SELECT 1 AS one, now()::"+kind+" AS moment")
			must(t, err)
			out := h.next(rows, 10, 0)
			require.Empty(t, out.Rows)
			require.EqualError(t, contracttest.ErrorFromProto(out.Error),
				"column 2 (moment) is of type "+kind+", whose values Mattermost's RPC does not carry; cast it to text")
			require.Len(t, h.all(conn, "SELECT now()::"+kind+"::text"), 1)
		}
	})
}

func TestResultSetsFollowEachOther(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		rows, err := h.query(conn, "SELECT n FROM generate_series(1, 25) n; SELECT 'a', 'b'; SELECT 3 WHERE false")
		must(t, err)
		var sizes []int
		for {
			out := h.next(rows, 10, 0)
			sizes = append(sizes, len(out.Rows))
			end := contracttest.ErrorFromProto(out.Error)
			if end == nil {
				continue
			}
			require.Equal(t, io.EOF, end)
			if !out.HasNext {
				break
			}
			moved, err := h.calls.RowsNextResultSet(t.Context(), &pluginpb.RowsNextResultSetRequest{RowsId: rows})
			must(t, err)
			must(t, contracttest.ErrorFromProto(moved.Error))
		}
		require.Equal(t, []int{10, 10, 5, 1, 0}, sizes)
	})
}

func TestAStatementEndsTheRowsOfTheOneBefore(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		for range 20 {
			rows, err := h.query(conn, "SELECT n, repeat('x', 100) FROM generate_series(1, 3000) n")
			must(t, err)
			for range 3 { // the next batch is being read ahead
				require.Len(t, h.next(rows, 100, 2).Rows, 100)
			}
			require.Equal(t, "second", h.one(conn, "SELECT 'second'"))
			require.Equal(t, driver.ErrBadConn, contracttest.ErrorFromProto(h.next(rows, 100, 2).Error))
		}
		rows, err := h.query(conn, "SELECT generate_series(1, 3000)")
		must(t, err)
		h.next(rows, 100, 1)
		h.next(rows, 100, 1)
		closed, err := h.calls.RowsClose(t.Context(), &pluginpb.RowsCloseRequest{RowsId: rows})
		must(t, err)
		must(t, contracttest.ErrorFromProto(closed.Error))
		must(t, h.ping(conn))
	})
}

func TestAnErrorAmongTheRowsComesAfterThoseBeforeIt(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		for _, bad := range []int{1, 100, 101, 250, 1999} {
			rows, err := h.query(conn, "SELECT 1 / (n - $1) FROM generate_series(1, 2000) n", int64(bad))
			// lib/pq hands some errors out with the first row.
			count := 0
			for err == nil {
				out := h.next(rows, 100, 1)
				count += len(out.Rows)
				err = contracttest.ErrorFromProto(out.Error)
			}
			requireCode(t, "22012", err)
			require.Equal(t, bad-1, count)
			must(t, h.ping(conn))
		}
	})
}

func TestACallThatIsGivenUpClosesItsConnection(t *testing.T) {
	// Nobody can tell what state it is in.
	onDatabases(t, func(t *testing.T, h *dbHost) {
		h.script("DROP TABLE IF EXISTS late; CREATE TABLE late (a int)")
		for _, wait := range []time.Duration{0, 20 * time.Millisecond, 300 * time.Millisecond} {
			conn := h.conn()
			pid := h.pid(conn)
			var calls sync.WaitGroup
			ctx, cancel := context.WithCancel(t.Context())
			calls.Go(func() {
				_, err := h.calls.ConnExec(ctx, &pluginpb.ConnExecRequest{ConnId: conn, Query: "SELECT pg_sleep(600)"})
				if status.Code(err) != codes.Canceled {
					t.Errorf("got %v", err)
				}
			})
			h.eventually("it does not sleep", func() bool { return h.state(pid) == "active" })
			// Another call on the connection waits for the first, and its time is over before it is made.
			late, cancelLate := context.WithTimeout(t.Context(), time.Hour)
			calls.Go(func() {
				_, err := h.calls.ConnExec(late, &pluginpb.ConnExecRequest{ConnId: conn, Query: "INSERT INTO late VALUES (1)"})
				if status.Code(err) != codes.Canceled {
					t.Errorf("got %v", err)
				}
			})
			time.Sleep(wait)
			cancelLate()
			cancel()
			calls.Wait() // at once: the sleeping statement is canceled afterwards

			h.eventually("it is not closed", func() bool { return h.server.Pool.Stats().InUse == 0 })
			require.Equal(t, driver.ErrBadConn, h.ping(conn))
			require.Contains(t, []string{"idle", "gone"}, h.state(pid))
			require.Equal(t, "0", h.admin("SELECT count(*)::text FROM late"))
		}
	})
}

func TestNobodyElsesStatementIsCanceled(t *testing.T) {
	// The connection of a call that was given up goes back into the server's pool while it is being canceled.
	onDatabases(t, func(t *testing.T, h *dbHost) {
		h.server.Pool.SetMaxOpenConns(3)
		for range 15 {
			conn := h.conn()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			// It ends by itself about when it is canceled.
			_, err := h.calls.ConnExec(ctx, &pluginpb.ConnExecRequest{ConnId: conn, Query: "SELECT pg_sleep(0.112)"})
			require.Equal(t, codes.DeadlineExceeded, status.Code(err))
			cancel()
			for h.server.Pool.Stats().InUse > 0 {
				_, err := h.server.Pool.Exec("SELECT pg_sleep(0.001)")
				must(t, err)
			}
		}
	})
}

func TestLargeValuesComeWhole(t *testing.T) {
	onDatabases(t, func(t *testing.T, h *dbHost) {
		conn := h.conn()
		size := 3 << 20
		rows := h.all(conn, "SELECT convert_to(repeat('x', $1), 'UTF8'), length($2)::text", int64(size), strings.Repeat("y", size))
		require.Len(t, rows[0][0], size)
		require.Equal(t, "3145728", rows[0][1])
	})
}
