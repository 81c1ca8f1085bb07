package child

import (
	"encoding/json"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// record is one line of hclog's JSON format.
type record struct {
	level   hclog.Level
	message string
	name    string
	fields  []any // key, value, key, value, in the order of the line
}

// parseRecord reads a line of hclog's JSON format; false if it is none. A line is a record if it is one object with
// a known @level and a @message: a plugin that prints other JSON prints text.
//
// go-plugin has a parser of its own, which loses the order of the fields and panics, in the server's process, where
// a reserved key has a value of another type.
func parseRecord(line string) (record, bool) {
	if !strings.HasPrefix(line, "{") {
		return record{}, false
	}
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber() // an int64 keeps its digits
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return record{}, false
	}

	var r record
	var hasMessage bool
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return record{}, false
		}
		key, ok := token.(string)
		if !ok {
			return record{}, false
		}
		var value any
		if err := decoder.Decode(&value); err != nil {
			return record{}, false
		}
		text, isText := value.(string)
		switch key {
		case "@level":
			r.level = hclog.LevelFromString(text)
		case "@message":
			r.message, hasMessage = text, isText
		case "@module":
			r.name = text
		case "@timestamp":
			// The server stamps what it logs; the record arrives microseconds after it was written.
		default:
			r.fields = append(r.fields, key, value)
		}
	}
	if _, err := decoder.Token(); err != nil || decoder.More() {
		return record{}, false
	}
	return r, hasMessage && r.level != hclog.NoLevel
}

// text returns a field that is text, "" if there is none.
func (r record) text(key string) string {
	for i := 0; i+1 < len(r.fields); i += 2 {
		if r.fields[i] == key {
			text, _ := r.fields[i+1].(string)
			return text
		}
	}
	return ""
}

// texts are the message and the fields that are text.
func (r record) texts() []string {
	texts := []string{r.message}
	for i := 1; i < len(r.fields); i += 2 {
		if text, ok := r.fields[i].(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}
