package host

import (
	"bytes"
	"strings"
	"sync"

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

// lineWriter logs what is written to it, line by line.
type lineWriter struct {
	log   hclog.Logger
	level hclog.Level

	lock    sync.Mutex
	partial []byte
}

// Write never fails.
func (w *lineWriter) Write(data []byte) (int, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.partial = append(w.partial, data...)
	for {
		end := bytes.IndexByte(w.partial, '\n')
		if end < 0 && len(w.partial) < maxLine {
			return len(data), nil
		}
		if end < 0 {
			end = len(w.partial) - 1
		}
		line := strings.TrimRight(string(w.partial[:end+1]), "\r\n")
		w.partial = append(w.partial[:0], w.partial[end+1:]...)
		if line != "" {
			w.log.Log(w.level, line)
		}
	}
}
