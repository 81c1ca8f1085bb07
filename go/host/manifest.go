package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// manifestName is the file at the top of a bundle. Mattermost takes YAML, too, under other names.
const manifestName = "plugin.json"

// manifest is what the host reads of plugin.json; the rest is the server's.
type manifest struct {
	file   string         // its name
	ID     string         `json:"id"`
	Name   string         `json:"name"`
	Server manifestServer `json:"server"`
	Props  manifestProps  `json:"props"`
}

type manifestServer struct {
	Runtime     string   `json:"runtime"`
	Entrypoint  string   `json:"entrypoint"`
	RuntimeArgs []string `json:"runtime_args"`
}

type manifestProps struct {
	Settings json.RawMessage `json:"mattermost_plugin"`
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
	if err := json.Unmarshal(raw, &m); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + bytes.Count(raw[:min(int(syntax.Offset), len(raw))], []byte("\n"))
			return m, m.error("line %d is not JSON: %v", line, err)
		}
		return m, m.error("%v", describeJSONError(err, ""))
	}
	if m.ID == "" {
		return m, m.error("id is missing")
	}
	return m, nil
}

// isScript says whether the server part is a script, rather than an executable.
func (m manifest) isScript() bool { return m.Server.Runtime != "" || m.Server.Entrypoint != "" }

// checkScript checks what a script needs.
func (m manifest) checkScript() error {
	switch {
	case m.Server.Runtime == "":
		return m.error(`server.runtime is missing: name the program that runs the plugin, for example "python3"`)
	case strings.ContainsAny(m.Server.Runtime, `/\`):
		return m.error(`server.runtime must be the name of a program on PATH, for example "python3", not the path %q`, m.Server.Runtime)
	case m.Server.Entrypoint == "":
		return m.error(`server.entrypoint is missing: name the file that starts the plugin, for example "server/plugin.py"`)
	}
	return nil
}

// error is a lineError about the manifest.
func (m manifest) error(format string, args ...any) error {
	return &lineError{m.file + ": " + fmt.Sprintf(format, args...), ErrManifest}
}

// describeJSONError says which key has which wrong value. prefix is the key of the object that was decoded.
func describeJSONError(err error, prefix string) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		key := strings.Trim(prefix+"."+wrong.Field, ".")
		if key == "" {
			key = "the manifest"
		}
		return fmt.Errorf("%s must be %s, not %s", key, describeKind(wrong), article(wrong.Value))
	}
	// encoding/json has no type for an unknown field, only this text.
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("%s.%s is not a setting", prefix, strings.Trim(field, `"`))
	}
	return err
}

// describeKind names the JSON type that a Go type is read from.
func describeKind(wrong *json.UnmarshalTypeError) string {
	switch kind := wrong.Type.Kind().String(); kind {
	case "struct", "map":
		return "an object"
	case "slice":
		return "a list"
	case "float64":
		return "a number"
	case "int":
		return "a whole number"
	case "string":
		return "a string"
	default:
		return "a " + kind
	}
}

// article puts "a" or "an" before what encoding/json calls a JSON value ("number", "array", "number 1.5").
func article(value string) string {
	if strings.HasPrefix(value, "a") || strings.HasPrefix(value, "o") {
		return "an " + value
	}
	return "a " + value
}
