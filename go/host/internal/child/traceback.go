package child

import "strings"

// tracebackStart begins every traceback of Python.
const tracebackStart = "Traceback (most recent call last):"

// goStarts begin what the runtime of Go writes when it ends a program.
var goStarts = []string{"panic: ", "fatal error: "}

// blockStarts begin output of Python that goes over several lines.
var blockStarts = []string{
	tracebackStart,
	"Exception in thread ",
	"Exception ignored in",
	"Exception ignored while",
	"Fatal Python error:",
	"Thread 0x",
	"Current thread 0x",
	"  File \"", // a SyntaxError in the script itself has no other start
	"  + Exception Group Traceback",
}

// linksBetween join the tracebacks of an exception and of its cause.
var linksBetween = []string{
	"The above exception was the direct cause of",
	"During handling of the above exception",
}

// tracebackBlock collects the lines that belong together. Which line is the last cannot be told from the line (the
// message of an exception may go on), so what follows an exception's line within moments belongs to it.
type tracebackBlock struct {
	lines []string
	size  int
}

func (b *tracebackBlock) open() bool { return len(b.lines) > 0 }

// add takes a line that begins or continues a block and says whether it did.
func (b *tracebackBlock) add(line string) bool {
	if !b.open() {
		if !startsBlock(line) {
			return false
		}
	} else if b.size+len(line) > maxBlock {
		return false
	}
	b.lines = append(b.lines, line)
	b.size += len(line) + 1
	return true
}

// take returns the block and begins a new one.
func (b *tracebackBlock) take() string {
	text := strings.TrimRight(strings.Join(b.lines, "\n"), "\n")
	*b = tracebackBlock{}
	return text
}

func startsBlock(line string) bool {
	return startsWith(line, blockStarts) || startsWith(line, goStarts)
}

func startsWith(line string, starts []string) bool {
	for _, start := range starts {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

// isFatal says whether a text is what a runtime writes when it ends the program.
func isFatal(text string) bool {
	return strings.HasPrefix(text, "Fatal Python error:") || startsWith(text, goStarts)
}

// exceptionLine returns the line of a traceback that names the exception: the last one that is not indented, or the
// first line of a message that goes over several.
func exceptionLine(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if isFatal(lines[0]) {
		return lines[0]
	}
	// The exception's line follows the last line of the last list of frames.
	for i := len(lines) - 1; i >= 0; i-- {
		if isFrame(lines[i]) {
			for _, line := range lines[i+1:] {
				if line != "" && !strings.HasPrefix(line, " ") {
					return strings.TrimSpace(line)
				}
			}
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if line != "" && !isLink(line) {
			return line
		}
	}
	return ""
}

// isFrame says whether a line of a traceback names a place in a file.
func isFrame(line string) bool { return strings.HasPrefix(line, "  File \"") }

func isLink(line string) bool { return startsWith(line, linksBetween) }
