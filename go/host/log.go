package host

import (
	"github.com/hashicorp/go-hclog"
)

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
