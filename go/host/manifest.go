package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// manifestName is the file at the top of a bundle. Mattermost takes YAML, too, under other names.
const manifestName = "plugin.json"

// manifest is what the host reads of plugin.json; the rest is the server's.
type manifest struct {
	file     string // its name
	document map[string]any
}

// readManifest reads the manifest of a bundle, in the form its name says.
func readManifest(path string) (manifest, error) {
	m := manifest{file: filepath.Base(path)}
	raw, err := os.ReadFile(path)
	if err != nil {
		return m, &lineError{fmt.Sprintf("cannot read the manifest: %v", err), ErrManifest}
	}
	if m.file != manifestName {
		if raw, err = yaml.YAMLToJSON(raw); err != nil {
			return m, m.error("is not YAML: %s", firstLine(err.Error()))
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	err = decoder.Decode(&m.document)
	if err == nil {
		if _, end := decoder.Token(); !errors.Is(end, io.EOF) {
			return m, m.error("must be one JSON object, with nothing behind it")
		}
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(raw[:min(int(syntax.Offset), len(raw))], []byte("\n"))
		return m, m.error("line %d is not JSON: %v", line, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return m, m.error("is not JSON: it ends too soon")
	case err != nil, m.document == nil:
		return m, m.error("must be a JSON object")
	}
	return m, nil
}

// isScript says whether the server part is a script, rather than an executable.
func (m manifest) isScript() bool {
	return m.has("server.runtime") || m.has("server.entrypoint")
}

func (m manifest) has(key string) bool {
	value := find(m.document, key)
	return value != nil && value != ""
}

// check checks all that the host reads of the manifest of a script.
func (m manifest) check() error {
	return m.refuse(checkRules(manifestRules, m.document))
}

// checkSettings checks what the host reads of the manifest of an executable.
func (m manifest) checkSettings() error {
	var rules []rule
	for _, r := range manifestRules {
		if r.key == "props" || r.key == settingsKey {
			rules = append(rules, r)
		}
	}
	return m.refuse(checkRules(rules, m.document))
}

func (m manifest) refuse(broken *fault) error {
	if broken == nil {
		return nil
	}
	return m.error("%v", broken)
}

// text returns a string, "" if there is none.
func (m manifest) text(key string) string {
	text, _ := find(m.document, key).(string)
	return text
}

// runtimes returns the names of the programs that may run the plugin, the first that there is.
func (m manifest) runtimes() []string {
	if name := m.text("server.runtime"); name != "" {
		return []string{name}
	}
	return texts(find(m.document, "server.runtime"))
}

// error is a lineError about the manifest.
func (m manifest) error(format string, args ...any) error {
	return &lineError{m.file + ": " + fmt.Sprintf(format, args...), ErrManifest}
}
