package service

import (
	"context"
	"database/sql/driver"

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

// RowsNext returns the next rows at once, where the driver has a call for each.
func (s *driverServer) RowsNext(ctx context.Context, in *pluginpb.RowsNextRequest) (*pluginpb.RowsNextResponse, error) {
	return invoke(ctx, &s.server, "RowsNext", func(target plugin.Driver) *pluginpb.RowsNextResponse {
		limit, columns := int(in.MaxRows), int(in.Columns)
		if limit == 0 {
			limit = defaultRows
		}
		if columns == 0 {
			columns = len(target.RowsColumns(in.RowsId))
		}
		out := &pluginpb.RowsNextResponse{}
		row := make([]driver.Value, columns)
		for size := 0; len(out.Rows) < limit && size < batchBytes; {
			clear(row)
			if err := target.RowsNext(in.RowsId, row); err != nil {
				out.Error = convert.ErrorToProto(err)
				break
			}
			items := make([]*pluginpb.Value, columns)
			for i, value := range row {
				items[i] = convert.ValueElementToProto(value)
				size += valueSize(value)
			}
			out.Rows = append(out.Rows, &pluginpb.ValueList{Items: items})
		}
		return out
	})
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
