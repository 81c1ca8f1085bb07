package host

import (
	"fmt"
	"io"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
)

// newLog returns a logger that writes to a server's log. Each field of a record is a field there, and the name of its
// logger the field "logger".
func newLog(log *mlog.Logger) hclog.Logger {
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Debug})
	logger.RegisterSink(serverSink{log})
	return logger
}

// serverSink takes the records.
type serverSink struct{ log *mlog.Logger }

// Accept writes a record.
func (s serverSink) Accept(name string, level hclog.Level, message string, pairs ...any) {
	at := mlog.LvlInfo
	switch level {
	case hclog.Trace:
		return
	case hclog.Debug:
		at = mlog.LvlDebug
	case hclog.Warn:
		at = mlog.LvlWarn
	case hclog.Error:
		at = mlog.LvlError
	}
	if !s.log.IsLevelEnabled(at) {
		return
	}
	fields := make([]mlog.Field, 0, len(pairs)/2+1)
	if name != "" {
		fields = append(fields, mlog.String("logger", name))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields = append(fields, mlog.Any(fmt.Sprint(pairs[i]), pairs[i+1]))
	}
	s.log.Log(at, message, fields...)
}

// demoted is the logger for go-plugin: its lines help when go-plugin itself is in doubt, and all that matters about
// the process is said by this package. Its only warning is that a process which ended by itself had to be killed.
type demoted struct{ hclog.Logger }

func (l *demoted) Log(_ hclog.Level, msg string, args ...any) { l.Logger.Trace(msg, args...) }
func (l *demoted) Debug(msg string, args ...any)              { l.Logger.Trace(msg, args...) }
func (l *demoted) Info(msg string, args ...any)               { l.Logger.Trace(msg, args...) }
func (l *demoted) Warn(msg string, args ...any)               { l.Logger.Trace(msg, args...) }
func (l *demoted) Error(msg string, args ...any)              { l.Logger.Debug(msg, args...) }
func (l *demoted) With(args ...any) hclog.Logger              { return &demoted{l.Logger.With(args...)} }
func (l *demoted) Named(name string) hclog.Logger             { return &demoted{l.Logger.Named(name)} }
func (l *demoted) ResetNamed(name string) hclog.Logger        { return &demoted{l.Logger.ResetNamed(name)} }
