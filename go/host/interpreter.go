package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Oldest Python that runs the SDK.
const (
	minimumPythonMajor = 3
	minimumPythonMinor = 10
)

// platform is the name of this platform in bundle paths.
func platform() string { return runtime.GOOS + "-" + runtime.GOARCH }

// isPython says whether a manifest's runtime names a Python.
func isPython(runtimeName string) bool { return strings.HasPrefix(runtimeName, "python") }

// findInterpreter returns the program that runs the entrypoint: the Python shipped in the bundle, else the bundle's
// virtual environment, else the runtime on PATH.
func findInterpreter(bundle, runtimeName string) (string, error) {
	var searched []string
	if isPython(runtimeName) {
		for _, name := range []string{
			"server/python/" + platform() + "/bin/python3",
			"server/venv/bin/python",
		} {
			path := filepath.Join(bundle, filepath.FromSlash(name))
			if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
				searched = append(searched, name)
				continue
			}
			if _, err := resolveInside(bundle, name); err != nil {
				return "", fmt.Errorf("interpreter %w", err)
			}
			// The unresolved path: a virtual environment is found by the name its Python is called by.
			return path, nil
		}
	}

	path, err := exec.LookPath(runtimeName)
	if err != nil {
		where := fmt.Sprintf("%s on PATH (%s)", runtimeName, os.Getenv("PATH"))
		if len(searched) > 0 {
			where = fmt.Sprintf("%s in the bundle and %s", strings.Join(searched, ", "), where)
		}
		advice := "install it or change server.runtime in plugin.json"
		if isPython(runtimeName) {
			advice = fmt.Sprintf("install Python %d.%d or newer on the server", minimumPythonMajor, minimumPythonMinor)
		}
		return "", &lineError{fmt.Sprintf("no interpreter found: looked for %s; %s", where, advice), ErrNoInterpreter}
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("interpreter %s: %w", path, err)
	}
	return absolute, nil
}

// resolveInside follows the symbolic links of a path relative to the bundle and refuses those that lead out of it.
func resolveInside(bundle, name string) (string, error) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return "", &lineError{fmt.Sprintf("%s is outside of the bundle: the path must be relative to plugin.json and stay beside it", name), ErrOutsideBundle}
	}
	root, err := filepath.EvalSymlinks(bundle)
	if err != nil {
		return "", fmt.Errorf("bundle %s: %w", bundle, err)
	}
	resolved, err := filepath.EvalSymlinks(filepath.Join(root, local))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if inside, err := filepath.Rel(root, resolved); err != nil || !filepath.IsLocal(inside) {
		return "", &lineError{fmt.Sprintf("%s is a link to %s, outside of the bundle: put the file itself there", name, resolved), ErrOutsideBundle}
	}
	return resolved, nil
}

// pythonTooOld asks an interpreter for its version; the error says that it is too old, nil that it is not or that
// it did not answer. Only a start that failed asks: a good one has no time to spare.
func pythonTooOld(ctx context.Context, program string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "-c", "import sys; sys.stdout.write('%d %d %d' % sys.version_info[:3])").Output()
	if err != nil {
		return nil
	}
	fields := strings.Fields(string(out))
	if len(fields) != 3 {
		return nil
	}
	major, majorErr := strconv.Atoi(fields[0])
	minor, minorErr := strconv.Atoi(fields[1])
	if majorErr != nil || minorErr != nil {
		return nil
	}
	if major > minimumPythonMajor || (major == minimumPythonMajor && minor >= minimumPythonMinor) {
		return nil
	}
	return &lineError{fmt.Sprintf("%s is Python %s, but the plugin needs %d.%d or newer: install a newer Python or change server.runtime in plugin.json",
		program, strings.Join(fields, "."), minimumPythonMajor, minimumPythonMinor), ErrInterpreterTooOld}
}
