package grpcplugin

import (
	"context"
	"database/sql/driver"
	"sync"

	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// driverClient is the plugin.Driver of a plugin. Rows come in batches; its other methods are generated.
type driverClient struct {
	conn grpc.ClientConnInterface

	lock    sync.Mutex
	batches map[string]*batch // by the id of the rows
}

// driverPath is what the names of the methods follow.
const driverPath = "/mattermost.plugin.v1.Driver/"

var _ plugin.Driver = (*driverClient)(nil)

// batch is what was fetched of some rows and not read yet.
type batch struct {
	rows [][]any
	end  error // what comes after them; nil: more rows
}

func newDriverClient(conn grpc.ClientConnInterface) *driverClient {
	return &driverClient{conn: conn, batches: map[string]*batch{}}
}

// RowsNext reads the next row into dest.
func (a *driverClient) RowsNext(rowsID string, dest []driver.Value) error {
	a.lock.Lock()
	current := a.batches[rowsID]
	if current == nil {
		current = &batch{}
		a.batches[rowsID] = current
	}
	a.lock.Unlock()
	// The rows of one query are read by one reader, as those of database/sql are.
	if len(current.rows) == 0 && current.end == nil {
		out, err := service.Call[convert.RowsNextResponse](context.Background(), a.conn, driverPath+"RowsNext",
			&convert.RowsNextRequest{RowsId: rowsID, Columns: uint32(len(dest))})
		if err != nil {
			return callError("RowsNext", err)
		}
		current.rows, current.end = out.Rows, out.Error
	}
	if len(current.rows) == 0 {
		return current.end
	}
	for i, value := range current.rows[0] {
		if i < len(dest) {
			dest[i] = value
		}
	}
	current.rows = current.rows[1:]
	return nil
}

// RowsNextResultSet goes to the rows of the next statement of a query.
func (a *driverClient) RowsNextResultSet(rowsID string) error {
	a.forget(rowsID)
	out, err := service.Call[convert.RowsNextResultSetResponse](context.Background(), a.conn, driverPath+"RowsNextResultSet",
		&convert.RowsNextResultSetRequest{RowsId: rowsID})
	if err != nil {
		return callError("RowsNextResultSet", err)
	}
	return out.Error
}

// RowsClose ends reading.
func (a *driverClient) RowsClose(rowsID string) error {
	a.forget(rowsID)
	out, err := service.Call[convert.RowsCloseResponse](context.Background(), a.conn, driverPath+"RowsClose", &convert.RowsCloseRequest{RowsId: rowsID})
	if err != nil {
		return callError("RowsClose", err)
	}
	return out.Error
}

func (a *driverClient) forget(rowsID string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	delete(a.batches, rowsID)
}
