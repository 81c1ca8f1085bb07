package child

import (
	"strings"
	"sync"
	"time"
)

const (
	// withTheEnd is how long before the end of a process its output was written at most, to be why it ended. What is
	// older is about something that the process survived.
	withTheEnd = time.Second
	// fatalWithTheEnd is the same for output that says itself that the process ends. It is longer because an
	// interpreter that ends waits for its threads, and the system may write what the memory held to a file.
	fatalWithTheEnd = 30 * time.Second
)

// uncaught begins what the SDK logs of an exception that ends the interpreter.
const uncaught = "Uncaught exception: "

// kinds of output, the most telling ones first.
const (
	fatalOutput = iota
	tracebackOutput
	errorOutput
	textOutput
	outputKinds
)

// memory remembers the last output of each kind.
type memory struct {
	lock   sync.Mutex
	output [outputKinds]remembered
	last   string // the last output of any kind
}

type remembered struct {
	text string
	at   time.Time
}

func (m *memory) add(kind int, text string) {
	text = strings.TrimSpace(text)
	m.lock.Lock()
	defer m.lock.Unlock()
	m.output[kind] = remembered{text, time.Now()}
	m.last = text
}

// lastOutput is the last output of any kind, "" if there was none.
func (m *memory) lastOutput() string {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.last
}

// reason is the most telling output that came with an end at that time, "" if there was none. anyTime takes all output,
// however old.
func (m *memory) reason(end time.Time, anyTime bool) string {
	m.lock.Lock()
	defer m.lock.Unlock()
	for kind, output := range m.output {
		limit := withTheEnd
		if kind == fatalOutput {
			limit = fatalWithTheEnd
		}
		if output.text != "" && (anyTime || end.Sub(output.at) <= limit) {
			return output.text
		}
	}
	return ""
}
