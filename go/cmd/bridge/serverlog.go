package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

const (
	// logQueue is how many records wait for the server; a plugin that writes faster is slowed down.
	logQueue = 1024
	// logGrace is how long the last records may take.
	logGrace = 500 * time.Millisecond
	// apiLogTimeout is how long the server may take for one record until it is written to stderr instead. If the server
	// was only slow it then has the record twice, and late: so only what is no busy machine any more is too long.
	apiLogTimeout = 30 * time.Second
)

// serverLog brings log records to the server's log.
//
// Until the plugin is activated they go to stderr in hclog's JSON, from where the server takes level and message,
// and joins the fields to one text without separators. So from then on they go through the plugin API, which keeps
// each field; that costs a call between server and bridge, not one to the plugin process.
type serverLog struct {
	logger  hclog.InterceptLogger
	stderr  hclog.SinkAdapter
	records chan logRecord
	closing chan struct{} // closed when no record is taken any more
	written chan struct{} // closed when all records are written

	lock  sync.Mutex
	begin func(context.Context) (plugin.API, func() error) // nil: no API
}

type logRecord struct {
	name    string
	level   hclog.Level
	message string
	fields  []any
}

// newServerLog returns a log that writes to stderr until it has an API.
func newServerLog(stderr io.Writer) *serverLog {
	log := &serverLog{
		logger:  hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Debug}),
		stderr:  hclog.NewSinkAdapter(&hclog.LoggerOptions{Output: stderr, Level: hclog.Debug, JSONFormat: true}),
		records: make(chan logRecord, logQueue),
		closing: make(chan struct{}),
		written: make(chan struct{}),
	}
	log.logger.RegisterSink(log)
	go log.write()
	return log
}

// Accept takes a record from the logger.
func (l *serverLog) Accept(name string, level hclog.Level, message string, fields ...any) {
	if level < hclog.Debug {
		return
	}
	select {
	case l.records <- logRecord{name, level, message, append([]any(nil), fields...)}:
	case <-l.closing:
	}
}

// setAPI directs the records to the server's API.
func (l *serverLog) setAPI(api plugin.API) {
	remote, err := service.NewNetRPCAPI(api)
	if err != nil {
		l.logger.Warn("The log goes to stderr, without an API", "error", err)
		return
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	l.begin = remote.Begin
}

// disconnect says that the API is gone.
func (l *serverLog) disconnect() {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.begin = nil
}

// close writes what is left.
func (l *serverLog) close() {
	l.logger.DeregisterSink(l)
	close(l.closing)
	select {
	case <-l.written:
	case <-time.After(logGrace):
	}
}

// write writes the records in their order.
func (l *serverLog) write() {
	defer close(l.written)
	for {
		select {
		case record := <-l.records:
			l.writeRecord(record)
		case <-l.closing:
			for len(l.records) > 0 {
				l.writeRecord(<-l.records)
			}
			return
		}
	}
}

func (l *serverLog) writeRecord(record logRecord) {
	l.lock.Lock()
	begin := l.begin
	l.lock.Unlock()
	if begin != nil {
		err := writeToAPI(begin, record)
		if err == nil {
			return
		}
		if errors.Is(err, service.ErrUnavailable) {
			l.disconnect()
		}
	}
	l.stderr.Accept(record.name, record.level, record.message, record.fields...)
}

func writeToAPI(begin func(context.Context) (plugin.API, func() error), record logRecord) error {
	ctx, cancel := context.WithTimeout(context.Background(), apiLogTimeout)
	defer cancel()
	api, failure := begin(ctx)
	write := api.LogError
	switch record.level {
	case hclog.Trace, hclog.Debug:
		write = api.LogDebug
	case hclog.Info, hclog.NoLevel:
		write = api.LogInfo
	case hclog.Warn:
		write = api.LogWarn
	}
	write(record.message, record.apiFields()...)
	return failure()
}

// apiFields are the fields with the logger's name among them. Mattermost makes text of every value, in Go's format;
// lists and objects are more readable as the JSON they came as.
func (r logRecord) apiFields() []any {
	fields := make([]any, 0, len(r.fields)+2)
	if r.name != "" {
		fields = append(fields, "logger", r.name)
	}
	for i := 0; i+1 < len(r.fields); i += 2 {
		value := r.fields[i+1]
		switch value.(type) {
		case map[string]any, []any:
			if text, err := json.Marshal(value); err == nil {
				value = string(text)
			}
		}
		fields = append(fields, fmt.Sprint(r.fields[i]), value)
	}
	return fields
}
