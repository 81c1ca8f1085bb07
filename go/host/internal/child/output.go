package child

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	// maxLine is the longest line of output that is one record; a longer one is cut into several.
	maxLine = 1 << 20
	// maxBlock is the longest traceback that is one record.
	maxBlock = 256 << 10
	// blockPause ends a traceback: its lines are written at once.
	blockPause = 100 * time.Millisecond
)

// handshakeLine is what go-plugin expects first on stdout. Other lines may come before it, from a print at import.
var handshakeLine = regexp.MustCompile(`^\d+\|\d+\|(unix|tcp)\|`)

// Output turns what the process writes to stdout and stderr into log records.
type Output struct {
	logger hclog.Logger
	memory memory

	lock   sync.Mutex
	shaken bool // the handshake line was seen
}

// NewOutput returns an output that logs what it reads.
func NewOutput(logger hclog.Logger) *Output { return &Output{logger: logger} }

// Last is the last thing that the process wrote, as one line; "" if it wrote nothing.
func (o *Output) Last() string { return o.memory.lastOutput() }

// Reason is the most telling line that came with the end of the process at that time, for an error about it; "" if
// there was none. Of a process that ended before its handshake it is the most telling line of all.
func (o *Output) Reason(end time.Time) string { return o.memory.reason(end, !o.Handshaken()) }

// Handshaken says whether the process wrote its handshake.
func (o *Output) Handshaken() bool {
	o.lock.Lock()
	defer o.lock.Unlock()
	return o.shaken
}

// readStdout passes the handshake line on and logs every other one.
func (o *Output) readStdout(stdout io.Reader, handshake io.Writer) {
	log := o.logger.With("source", "stdout")
	shaken := false
	for line := range lines(stdout, o.logger) {
		if !shaken && handshakeLine.MatchString(line) {
			shaken = true
			o.lock.Lock()
			o.shaken = true
			o.lock.Unlock()
			// The reader is go-plugin; once it has read this line it only drains.
			if _, err := io.WriteString(handshake, line+"\n"); err != nil {
				log.Error("cannot pass the handshake on", "error", err)
			}
			continue
		}
		if line != "" {
			o.memory.add(textOutput, line)
			log.Info(line)
		}
	}
}

// readStderr logs what the process writes to stderr: records in hclog's JSON as the records they are, lines of a
// traceback together, other text line by line.
func (o *Output) readStderr(stderr io.Reader) {
	incoming := make(chan string)
	go func() {
		defer close(incoming)
		for line := range lines(stderr, o.logger) {
			incoming <- line
		}
	}()

	var block tracebackBlock
	pause := time.NewTimer(blockPause)
	defer pause.Stop()
	for {
		var waiting <-chan time.Time
		if block.open() {
			pause.Reset(blockPause)
			waiting = pause.C
		}
		select {
		case line, ok := <-incoming:
			if !ok {
				o.flush(&block)
				return
			}
			o.stderrLine(line, &block)
		case <-waiting:
			o.flush(&block)
		}
	}
}

func (o *Output) stderrLine(line string, block *tracebackBlock) {
	if record, ok := parseRecord(line); ok {
		o.flush(block)
		o.log(record)
		return
	}
	if block.add(line) {
		return
	}
	o.flush(block)
	if block.add(line) {
		return
	}
	if strings.TrimSpace(line) != "" {
		o.memory.add(textOutput, line)
		o.logger.Log(textLevel(line), line, "source", "stderr")
	}
}

// flush logs the traceback collected so far.
func (o *Output) flush(block *tracebackBlock) {
	if !block.open() {
		return
	}
	text := block.take()
	kind := tracebackOutput
	if isFatal(text) {
		kind = fatalOutput
	}
	o.memory.add(kind, exceptionLine(text))
	o.logger.Error(text, "source", "stderr")
}

// log hands a record on under its own name and level.
func (o *Output) log(r record) {
	o.rememberRecord(r)
	logger := o.logger
	if r.name != "" {
		logger = logger.ResetNamed(r.name)
	}
	logger.Log(r.level, r.message, r.fields...)
}

// rememberRecord remembers a record at level error, by the exception in it if it has one.
func (o *Output) rememberRecord(r record) {
	for _, text := range r.texts() {
		if strings.Contains(text, tracebackStart) {
			kind := tracebackOutput
			if strings.HasPrefix(r.message, uncaught) {
				kind = fatalOutput
			}
			o.memory.add(kind, exceptionLine(text))
			return
		}
	}
	if r.level < hclog.Error {
		return
	}
	line := firstLine(r.message)
	if cause := r.text("error"); cause != "" {
		line += ": " + firstLine(cause)
	}
	o.memory.add(errorOutput, line)
}

// textLevel is the level of a line of text that is not a record.
func textLevel(line string) hclog.Level {
	if strings.Contains(line, "Warning: ") {
		return hclog.Warn
	}
	return hclog.Info
}

// lines yields the lines of a reader, without their ends, until it ends. A line above maxLine is yielded in pieces.
func lines(reader io.Reader, logger hclog.Logger) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		buffered := bufio.NewReaderSize(reader, 64<<10)
		var long []byte
		for {
			piece, err := buffered.ReadSlice('\n')
			long = append(long, piece...)
			complete := err == nil || (err != nil && !errors.Is(err, bufio.ErrBufferFull))
			if len(long) > 0 && (complete || len(long) >= maxLine) {
				line := strings.ToValidUTF8(string(bytes.TrimRight(long, "\r\n")), "\uFFFD")
				long = long[:0]
				if !yield(line) {
					return
				}
			}
			switch {
			case err == nil || errors.Is(err, bufio.ErrBufferFull):
			case errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, os.ErrClosed):
				return
			default:
				logger.Error("cannot read the plugin's output", "error", err)
				return
			}
		}
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}
