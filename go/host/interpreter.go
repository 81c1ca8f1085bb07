package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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

// interpreter is a program that may run the entrypoint.
type interpreter struct {
	program string
	python  bool
}

// findInterpreters returns the programs that may run the entrypoint, the best first: the Python shipped in the bundle,
// else the bundle's virtual environment, else those of the runtimes that are on PATH, in their order. It returns at
// least one.
func findInterpreters(bundle string, runtimes []string) ([]interpreter, error) {
	var searched []string
	if slices.ContainsFunc(runtimes, isPython) {
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
				return nil, fmt.Errorf("interpreter %w", err)
			}
			// The unresolved path: a virtual environment is found by the name its Python is called by.
			return []interpreter{{path, true}}, nil
		}
	}

	var found []interpreter
	for _, name := range runtimes {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("interpreter %s: %w", path, err)
		}
		found = append(found, interpreter{absolute, isPython(name)})
	}
	if len(found) > 0 {
		return found, nil
	}
	where := fmt.Sprintf("%s on PATH (%s)", strings.Join(runtimes, ", "), os.Getenv("PATH"))
	if len(searched) > 0 {
		where = fmt.Sprintf("%s in the bundle and %s", strings.Join(searched, ", "), where)
	}
	advice := "install it or change server.runtime in plugin.json"
	if slices.ContainsFunc(runtimes, isPython) {
		advice = fmt.Sprintf("install Python %d.%d or newer on the server", minimumPythonMajor, minimumPythonMinor)
	}
	return nil, &lineError{fmt.Sprintf("no interpreter found: looked for %s; %s", where, advice), ErrNoInterpreter}
}

// chooseInterpreter returns the first of the programs that fits what the bundle requires of Python. One alone is not
// asked: a start has no time to spare, and one that fails asks. If none fits it is the first, whose start says so.
func chooseInterpreter(found []interpreter, requires string) interpreter {
	if len(found) == 1 {
		return found[0]
	}
	for _, candidate := range found {
		if !candidate.python || pythonMisfit(context.Background(), candidate.program, requires) == nil {
			return candidate
		}
	}
	return found[0]
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

// pythonMisfit asks an interpreter for its release; the error says that the bundle does not run on it, nil that it does
// or that the interpreter did not answer. requires is server.requires_python of the manifest. Only a start that failed
// asks, and a choice between several: a good start has no time to spare.
func pythonMisfit(ctx context.Context, program, requires string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "-c", "import sys; sys.stdout.write('%d.%d.%d' % sys.version_info[:3])").Output()
	if err != nil {
		return nil
	}
	release := strings.TrimSpace(string(out))
	found, err := parseRelease(release)
	if err != nil {
		return nil
	}
	oldest := fmt.Sprintf("%d.%d", minimumPythonMajor, minimumPythonMinor)
	if compareReleases(found, []int{minimumPythonMajor, minimumPythonMinor}) < 0 {
		return &lineError{fmt.Sprintf("%s is Python %s, but the plugin needs %s or newer: install a newer Python or change server.runtime in plugin.json",
			program, release, oldest), ErrInterpreterTooOld}
	}
	for _, clause := range strings.Split(requires, ",") {
		if !fitsRelease(clause, found) {
			return &lineError{fmt.Sprintf("%s is Python %s, but the bundle needs %s: install that Python on the server, or build the bundle with --python %d.%d",
				program, release, describeReleases(requires), found[0], found[1]), ErrWrongInterpreter}
		}
	}
	return nil
}
