package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// manifestName is the file at the top of a bundle.
const manifestName = "plugin.json"

// manifest is what the host reads of plugin.json; the rest is the server's.
type manifest struct {
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

// readManifest reads and checks the manifest of the bundle in dir.
func readManifest(dir string) (manifest, error) {
	path := filepath.Join(dir, manifestName)
	raw, err := os.ReadFile(path)
	if err != nil {
		return manifest{}, &lineError{fmt.Sprintf("cannot read the manifest: %v", err), ErrManifest}
	}

	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + bytes.Count(raw[:min(int(syntax.Offset), len(raw))], []byte("\n"))
			return manifest{}, manifestError("line %d is not JSON: %v", line, err)
		}
		return manifest{}, manifestError("%v", describeJSONError(err, ""))
	}

	switch {
	case m.ID == "":
		return manifest{}, manifestError("id is missing")
	case m.Server.Runtime == "":
		return manifest{}, manifestError(`server.runtime is missing: name the program that runs the plugin, for example "python3"`)
	case strings.ContainsAny(m.Server.Runtime, `/\`):
		return manifest{}, manifestError(`server.runtime must be the name of a program on PATH, for example "python3", not the path %q`, m.Server.Runtime)
	case m.Server.Entrypoint == "":
		return manifest{}, manifestError(`server.entrypoint is missing: name the file that starts the plugin, for example "server/plugin.py"`)
	}
	return m, nil
}

// manifestError is a lineError about plugin.json.
func manifestError(format string, args ...any) error {
	return &lineError{manifestName + ": " + fmt.Sprintf(format, args...), ErrManifest}
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
