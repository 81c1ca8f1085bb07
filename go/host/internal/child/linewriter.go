package child

import (
	"bytes"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// LineWriter logs what is written to it, line by line.
type LineWriter struct {
	log   hclog.Logger
	level hclog.Level

	lock    sync.Mutex
	partial []byte
}

// NewLineWriter returns a writer that logs at a level.
func NewLineWriter(log hclog.Logger, level hclog.Level) *LineWriter {
	return &LineWriter{log: log, level: level}
}

// Write never fails.
func (w *LineWriter) Write(data []byte) (int, error) {
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
