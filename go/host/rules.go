package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rule says what the value of one key has to be. The tables come from schema/bundle.toml, by which `mattermost-plugin
// build` checks too: src/mattermost_plugin/cli/_rules.py is the same in Python, and tests/bundle/manifests.json holds
// both to the same verdicts.
type rule struct {
	key      string // with dots between levels
	kind     string
	expects  string // what to write, for people
	required bool
	pattern  string // what the whole of a text matches; "": any text
	example  string
	choices  []string
	minimum  float64
	above    bool // whether a number has to be above minimum
	maximum  float64
}

// fault is a key whose value breaks its rule.
type fault struct{ key, what string }

func (f fault) Error() string { return f.key + " " + f.what }

// runtimeName is the name of a program on PATH.
var runtimeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)

// checkRules returns the first value of a document that breaks its rule. A rule comes after that of the key above it.
func checkRules(rules []rule, document map[string]any) *fault {
	for _, r := range rules {
		parent, name := "", r.key
		if dot := strings.LastIndexByte(r.key, '.'); dot >= 0 {
			parent, name = r.key[:dot], r.key[dot+1:]
		}
		table, ok := find(document, parent).(map[string]any)
		if !ok {
			continue // an object that is absent and need not be there
		}
		value := table[name]
		if value == nil {
			if r.required {
				return &fault{r.key, "is missing: write " + r.example + " or such"}
			}
			continue
		}
		if broken := r.check(value); broken != nil {
			return broken
		}
	}
	return nil
}

// find returns the value of a key with dots between levels, nil if it is absent; "" is the document.
func find(document map[string]any, key string) any {
	var value any = document
	if key == "" {
		return value
	}
	for _, name := range strings.Split(key, ".") {
		table, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = table[name]
	}
	return value
}

// check returns what is wrong with a value, nil if it fits.
func (r rule) check(value any) *fault {
	if r.kind != "seconds_by_hook" {
		if r.fits(value) {
			return nil
		}
		return &fault{r.key, wrong(r.expects, value)}
	}
	table, ok := value.(map[string]any)
	if !ok {
		return &fault{r.key, wrong("an object", value)}
	}
	hooks := hookKeys()
	for _, hook := range sortedKeys(table) {
		key := r.key + "." + hook
		if !hooks[HookKey(hook)] {
			return &fault{key, "is no hook"}
		}
		if !r.fitsNumber(table[hook]) {
			return &fault{key, wrong(r.expects, table[hook])}
		}
	}
	return nil
}

func (r rule) fits(value any) bool {
	switch r.kind {
	case "text":
		text, ok := value.(string)
		return ok && (r.pattern == "" || regexp.MustCompile(`^(?:`+r.pattern+`)$`).MatchString(text))
	case "path":
		text, ok := value.(string)
		return ok && isInnerPath(text)
	case "texts":
		return texts(value) != nil
	case "runtimes":
		names := texts(value)
		if text, ok := value.(string); ok {
			names = []string{text}
		}
		return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return !runtimeName.MatchString(name) })
	case "object":
		_, ok := value.(map[string]any)
		return ok
	case "choice":
		text, ok := value.(string)
		return ok && slices.Contains(r.choices, text)
	case "seconds":
		return r.fitsNumber(value)
	case "count":
		literal, ok := value.(json.Number)
		return ok && !strings.ContainsAny(literal.String(), ".eE") && r.fitsNumber(value)
	case "flag":
		_, ok := value.(bool)
		return ok
	}
	return false
}

func (r rule) fitsNumber(value any) bool {
	literal, ok := value.(json.Number)
	if !ok {
		return false
	}
	number, err := strconv.ParseFloat(literal.String(), 64)
	return err == nil && number >= r.minimum && number <= r.maximum && !(r.above && number == r.minimum)
}

// isInnerPath says whether a path is relative, has forward slashes only and does not climb.
func isInnerPath(path string) bool {
	if path == "" || strings.HasPrefix(path, "/") || strings.ContainsFunc(path, func(c rune) bool { return c == '\\' || c < ' ' }) {
		return false
	}
	parts := strings.Split(path, "/")
	named := slices.ContainsFunc(parts, func(part string) bool { return part != "" && part != "." })
	return named && !slices.Contains(parts, "..")
}

// texts returns a list of strings, nil if the value is none.
func texts(value any) []string {
	list, ok := value.([]any)
	if !ok {
		return nil
	}
	found := make([]string, 0, len(list))
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil
		}
		found = append(found, text)
	}
	return found
}

func sortedKeys(table map[string]any) []string {
	keys := make([]string, 0, len(table))
	for key := range table {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// shown is how many bytes of a wrong value an error shows.
const shown = 60

func wrong(expects string, value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprintf("must be %s (%v)", expects, err)
	}
	literal := strings.TrimSpace(text.String())
	if len(literal) > shown {
		literal = strings.ToValidUTF8(literal[:shown], "") + "..."
	}
	return fmt.Sprintf("must be %s, not %s", expects, literal)
}
