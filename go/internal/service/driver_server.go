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

const (
	// defaultRows is how many rows a batch has if the plugin does not say.
	defaultRows = 256
	// batchBytes ends a batch early: rows may hold large texts.
	batchBytes = 1 << 20
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
		columns := int(in.Columns)
		if in.Describe {
			names, types, err := describe(target, in.RowsId)
			if err != nil {
				out.Error = convert.ErrorToProto(err)
				return out
			}
			out.ColumnNames, out.ColumnTypes = names, types
		}
		if columns == 0 {
			if columns = len(out.ColumnNames); !in.Describe {
				columns = len(target.RowsColumns(in.RowsId))
			}
		}
		end := nextRows(target, in, columns, out)
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

// nextRows adds rows until there are enough or something ends them, which it returns.
func nextRows(target plugin.Driver, in *pluginpb.RowsNextRequest, columns int, out *pluginpb.RowsNextResponse) error {
	limit := int(in.MaxRows)
	if limit == 0 {
		limit = defaultRows
	}
	row := make([]driver.Value, columns)
	for size := 0; len(out.Rows) < limit && size < batchBytes; {
		clear(row)
		if err := target.RowsNext(in.RowsId, row); err != nil {
			return err
		}
		items := make([]*pluginpb.Value, columns)
		for i, value := range row {
			items[i] = convert.ValueElementToProto(value)
			size += valueSize(value)
		}
		out.Rows = append(out.Rows, &pluginpb.ValueList{Items: items})
	}
	return nil
}

// valueSize is roughly what a value of a row takes on the wire.
func valueSize(value driver.Value) int {
	switch value := value.(type) {
	case string:
		return len(value)
	case []byte:
		return len(value)
	}
	return 8
}
