package service

import (
	"context"
	"database/sql/driver"
	"io"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// driverServer is the Driver service over a plugin.Driver. All its methods but RowsNext are generated.
type driverServer struct {
	server[plugin.Driver]
}

// RegisterDriver is RegisterAPI for the Driver service.
func RegisterDriver(registrar grpc.ServiceRegistrar, begin func(ctx context.Context) (plugin.Driver, func() error), log hclog.Logger) {
	registrar.RegisterService(&driverService, &driverServer{server: server[plugin.Driver]{begin: begin, log: loggerOr(log)}})
}

// describer is a driver that tells names and types of all columns in one call.
type describer interface {
	Describe(rowsID string) (names, types []string, err error)
}

// describe returns names and types of the columns of rows.
func describe(target plugin.Driver, rowsID string) (names, types []string, err error) {
	if target, ok := target.(describer); ok {
		return target.Describe(rowsID)
	}
	names = target.RowsColumns(rowsID)
	for i := range names {
		types = append(types, target.RowsColumnTypeDatabaseTypeName(rowsID, i))
	}
	return names, types, nil
}

// RowsNext returns the next rows at once, where the driver has a call for each.
func (s *driverServer) RowsNext(ctx context.Context, in *convert.RowsNextRequest) (*convert.RowsNextResponse, error) {
	return invoke(ctx, &s.server, "RowsNext", func(target plugin.Driver) *convert.RowsNextResponse {
		out := &convert.RowsNextResponse{}
		if in.Describe {
			names, types, err := describe(target, in.RowsId)
			if err != nil {
				out.Error = err
				return out
			}
			out.ColumnNames, out.ColumnTypes = names, types
		}
		rows, end := nextRows(target, in)
		out.Rows = plainRows(rows)
		out.Error = end
		if in.Close && end != nil {
			if out.HasNext = end == io.EOF && target.RowsHasNextResultSet(in.RowsId); !out.HasNext {
				if err := target.RowsClose(in.RowsId); err != nil && end == io.EOF {
					out.Error = err
				}
			}
		}
		return out
	})
}

// batchReader is a driver that reads many rows in one call.
type batchReader interface {
	NextRows(rowsID string, columns, limit int) ([][]driver.Value, error)
}

// nextRows returns the next rows and what ends them, if something does.
func nextRows(target plugin.Driver, in *convert.RowsNextRequest) ([][]driver.Value, error) {
	columns, limit := int(in.Columns), int(in.MaxRows)
	if limit == 0 {
		limit = defaultRows
	}
	if target, ok := target.(batchReader); ok {
		return target.NextRows(in.RowsId, columns, limit)
	}
	if columns == 0 {
		columns = len(target.RowsColumns(in.RowsId))
	}
	return readBatch(target, in.RowsId, columns, limit)
}

// plainRows returns the same rows under the type that they travel as. They lie side by side: one allocation each would
// take longer than to copy them.
func plainRows(rows [][]driver.Value) [][]any {
	size := 0
	for _, row := range rows {
		size += len(row)
	}
	values, out := make([]any, 0, size), make([][]any, len(rows))
	for i, row := range rows {
		start := len(values)
		for _, value := range row {
			values = append(values, value)
		}
		out[i] = values[start:]
	}
	return out
}
