// Command extract reads Mattermost's server/public and writes what its plugin contract consists of as
// JSON: the interfaces Hooks, API and Driver of package plugin, every type they reach, and the types that
// may travel inside an interface value because the package registers them with gob.
//
// It takes no decision about names or encodings; that is the code generator's part. The same module
// version always gives the same bytes.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	dir := flag.String("dir", ".", "directory of the Go module that requires server/public")
	out := flag.String("out", "", "file to write (default: standard output)")
	flag.Parse()
	if err := run(*dir, *out); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	source, err := load(dir)
	if err != nil {
		return err
	}
	result, err := extract(source)
	if err != nil {
		return err
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(result); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	if out == "" {
		_, err = os.Stdout.Write(buffer.Bytes())
		return err
	}
	return os.WriteFile(out, buffer.Bytes(), 0o644)
}
