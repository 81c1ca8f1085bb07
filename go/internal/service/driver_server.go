package service

import (
	"context"
	"database/sql/driver"
	"io"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// driverServer is the Driver service over a plugin.Driver. All its methods but RowsNext are generated.
type driverServer struct {
	pluginpb.UnimplementedDriverServer
	server[plugin.Driver]
}

// NewDriverServer is NewAPIServer for the Driver service.
func NewDriverServer(begin func(ctx context.Context) (plugin.Driver, func() error), log hclog.Logger) pluginpb.DriverServer {
	return &driverServer{server: server[plugin.Driver]{begin: begin, log: loggerOr(log)}}
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
func (s *driverServer) RowsNext(ctx context.Context, in *pluginpb.RowsNextRequest) (*pluginpb.RowsNextResponse, error) {
	return invoke(ctx, &s.server, "RowsNext", func(target plugin.Driver) *pluginpb.RowsNextResponse {
		out := &pluginpb.RowsNextResponse{}
		if in.Describe {
			names, types, err := describe(target, in.RowsId)
			if err != nil {
				out.Error = convert.ErrorToProto(err)
				return out
			}
			out.ColumnNames, out.ColumnTypes = names, types
		}
		rows, end := nextRows(target, in)
		out.Rows = rowsToProto(rows)
		out.Error = convert.ErrorToProto(end)
		if in.Close && end != nil {
			if out.HasNext = end == io.EOF && target.RowsHasNextResultSet(in.RowsId); !out.HasNext {
				if err := target.RowsClose(in.RowsId); err != nil && end == io.EOF {
					out.Error = convert.ErrorToProto(err)
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
func nextRows(target plugin.Driver, in *pluginpb.RowsNextRequest) ([][]driver.Value, error) {
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

// rowsToProto makes the messages of a batch. They lie side by side, as one allocation each would take longer than
// everything else here.
func rowsToProto(rows [][]driver.Value) []*pluginpb.ValueList {
	lists, out := make([]pluginpb.ValueList, len(rows)), make([]*pluginpb.ValueList, len(rows))
	for i, row := range rows {
		items := make([]*pluginpb.Value, len(row))
		for j, value := range row {
			items[j] = convert.ValueElementToProto(value)
		}
		lists[i].Items = items
		out[i] = &lists[i]
	}
	return out
}
