package child

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
)

// logged is a record as it arrives in a log.
type logged struct {
	level, name, message string
	fields               map[string]any
}

// capture returns a logger and a function that returns what it has logged so far.
func capture(t *testing.T) (hclog.Logger, func() []logged) {
	t.Helper()
	var buffer bytes.Buffer
	logger := hclog.New(&hclog.LoggerOptions{Output: &buffer, JSONFormat: true, Level: hclog.Trace})
	return logger, func() []logged {
		var records []logged
		decoder := json.NewDecoder(&buffer)
		decoder.UseNumber()
		for {
			var fields map[string]any
			if err := decoder.Decode(&fields); err == io.EOF {
				return records
			} else {
				require.NoError(t, err)
			}
			record := logged{fields: fields}
			record.level, _ = fields["@level"].(string)
			record.name, _ = fields["@module"].(string)
			record.message, _ = fields["@message"].(string)
			for _, key := range []string{"@level", "@module", "@message", "@timestamp"} {
				delete(fields, key)
			}
			records = append(records, record)
		}
	}
}

func stderrOf(t *testing.T, text string) ([]logged, *Output) {
	t.Helper()
	logger, records := capture(t)
	o := NewOutput(logger)
	o.readStderr(strings.NewReader(text))
	return records(), o
}

func TestARecordKeepsItsLevelNameAndFields(t *testing.T) {
	records, _ := stderrOf(t, `{"@level":"warn","@message":"low on coffee","@module":"kitchen.pot","@timestamp":"2026-01-02T03:04:05.000006Z","cups":9007199254740993,"who":["a","b"],"hot":true}`+"\n")
	require.Equal(t, []logged{{"warn", "kitchen.pot", "low on coffee", map[string]any{
		"cups": json.Number("9007199254740993"), "who": []any{"a", "b"}, "hot": true,
	}}}, records)
}

func TestJSONThatIsNoRecordIsText(t *testing.T) {
	for _, line := range []string{
		`{"a": 1}`,
		`{"@message": 1, "@level": "info"}`,
		`{"@message": "m", "@level": 3}`,
		`{"@message": "m", "@level": "loud"}`,
		`{"@message": "m", "@level": "info"} and more`,
		`{"@message": "m", "@level": "info"`,
		`{not json`,
	} {
		records, _ := stderrOf(t, line+"\n")
		require.Equal(t, []logged{{"info", "", line, map[string]any{"source": "stderr"}}}, records)
	}
}

func TestATracebackIsOneRecordAndItsExceptionTheReason(t *testing.T) {
	traceback := `Traceback (most recent call last):
  File "plugin.py", line 3, in <module>
    import nothing
ModuleNotFoundError: No module named 'nothing'`
	records, o := stderrOf(t, "before\n"+traceback+"\n")
	require.Equal(t, []logged{
		{"info", "", "before", map[string]any{"source": "stderr"}},
		{"error", "", traceback, map[string]any{"source": "stderr"}},
	}, records)
	require.Equal(t, "ModuleNotFoundError: No module named 'nothing'", o.Reason(time.Now()))
}

func TestARecordEndsATraceback(t *testing.T) {
	records, _ := stderrOf(t, "Traceback (most recent call last):\nValueError: x\n"+`{"@level":"info","@message":"next"}`+"\n")
	require.Len(t, records, 2)
	require.Equal(t, "Traceback (most recent call last):\nValueError: x", records[0].message)
	require.Equal(t, "next", records[1].message)
}

func TestAPauseEndsATraceback(t *testing.T) {
	logger, records := capture(t)
	reader, writer := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		NewOutput(logger).readStderr(reader)
	}()
	_, err := io.WriteString(writer, "Traceback (most recent call last):\nValueError: x\n")
	require.NoError(t, err)
	time.Sleep(5 * blockPause)
	_, err = io.WriteString(writer, "much later\n")
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	<-done
	all := records()
	require.Len(t, all, 2)
	require.Equal(t, "much later", all[1].message)
}

func TestAPanicOfGoIsOneRecordAndItsFirstLineTheReason(t *testing.T) {
	panicked := "panic: no coffee\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:3 +0x1d"
	records, o := stderrOf(t, panicked+"\n")
	require.Equal(t, []logged{{"error", "", panicked, map[string]any{"source": "stderr"}}}, records)
	require.Equal(t, "panic: no coffee", o.Reason(time.Now()))
}

func TestTheReasonIsTheExceptionThatEndedThePlugin(t *testing.T) {
	chained := `Traceback (most recent call last):
  File "a.py", line 1, in <module>
    f()
KeyError: 'first'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    g()
RuntimeError: second
with a second line
`
	syntax := `  File "a.py", line 1
    def (
        ^
SyntaxError: invalid syntax
`
	fatal := `Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "a.py", line 2 in <module>

Extension modules: one, two (total: 2)
`
	encoded, err := json.Marshal(map[string]any{"@level": "error", "@message": "Uncaught exception: ValueError: y",
		"traceback": "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nValueError: y\n"})
	require.NoError(t, err)
	for text, reason := range map[string]string{
		chained:                "RuntimeError: second",
		syntax:                 "SyntaxError: invalid syntax",
		fatal:                  "Fatal Python error: Segmentation fault",
		string(encoded) + "\n": "ValueError: y",
		"{\"@level\":\"error\",\"@message\":\"no licence\\nsorry\"}\nbye\n": "no licence",
		"one\ntwo\n": "two",
		"":           "",
	} {
		_, o := stderrOf(t, text)
		require.Equal(t, reason, o.Reason(time.Now()), text)
	}
}

func TestALineWithoutEndAndALineWithoutLimitArrive(t *testing.T) {
	long := strings.Repeat("x", maxLine+10)
	records, _ := stderrOf(t, long+"\nno end")
	var text strings.Builder
	for _, record := range records {
		text.WriteString(record.message)
	}
	require.Equal(t, long+"no end", text.String())
}

func TestWhatIsNotUTF8Arrives(t *testing.T) {
	records, _ := stderrOf(t, "caf\xe9\n")
	require.Equal(t, "caf\uFFFD", records[0].message)
}

func TestOnlyTheHandshakeReachesGoPlugin(t *testing.T) {
	logger, records := capture(t)
	var handshake bytes.Buffer
	o := NewOutput(logger)
	o.readStdout(strings.NewReader("importing\n1|1|unix|/tmp/x|grpc\n1|1|unix|/tmp/y|grpc\nbye\n"), &handshake)
	require.Equal(t, "1|1|unix|/tmp/x|grpc\n", handshake.String())
	var messages []string
	for _, record := range records() {
		require.Equal(t, map[string]any{"source": "stdout"}, record.fields)
		messages = append(messages, record.message)
	}
	require.Equal(t, []string{"importing", "1|1|unix|/tmp/y|grpc", "bye"}, messages)
	require.True(t, o.Handshaken())
}

func TestWarningsOfPythonAreWarnings(t *testing.T) {
	records, _ := stderrOf(t, "a.py:1: DeprecationWarning: old\n")
	require.Equal(t, "warn", records[0].level)
}

func TestALineWriterLogsWholeLines(t *testing.T) {
	logger, records := capture(t)
	writer := NewLineWriter(logger, hclog.Info)
	for _, piece := range []string{"on", "e\ntwo\nth", "ree\n"} {
		_, err := fmt.Fprint(writer, piece)
		require.NoError(t, err)
	}
	var messages []string
	for _, record := range records() {
		messages = append(messages, record.message)
	}
	require.Equal(t, []string{"one", "two", "three"}, messages)
}

func TestReadingEndsWithAClosedFile(t *testing.T) {
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	defer writer.Close()
	logger, records := capture(t)
	require.NoError(t, reader.SetReadDeadline(time.Now()))
	NewOutput(logger).readStderr(reader)
	require.Empty(t, records())
}
