package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// Launch says which program a plugin is and how to run it.
type Launch struct {
	// PluginID is the manifest's id.
	PluginID string
	// PluginName is the manifest's name, for people; "" is PluginID.
	PluginName string
	// Bundle is the absolute path of the unpacked bundle.
	Bundle string
	// Dir is the working directory of the process; "" is that of the host.
	Dir string
	// Program is the absolute path of the program, Args what follows it.
	Program string
	Args    []string
	// Env is added to the environment of the host, as NAME=value.
	Env []string
	// Settings are the plugin's wishes about its host.
	Settings Settings

	// entrypoint is the script among Args, relative to the bundle; "" where there is none to verify.
	entrypoint string
	// python says that Program is a Python, requires which releases of it the bundle runs on; "" is not known.
	python   bool
	requires string
	// checksum is the SHA-256 that Program must have; nil where there is none to verify.
	checksum []byte
}

// FromManifest reads from the bundle in dir how its plugin is launched, which must be a script.
//
// The program is server/python/<os>-<arch>/bin/python3 of the bundle, else server/venv/bin/python, else the
// manifest's server.runtime on PATH; it is called with server.runtime_args and server.entrypoint. Interpreters of the
// bundle and the entrypoint must lie inside the bundle.
func FromManifest(dir string) (Launch, error) {
	bundle, err := filepath.Abs(dir)
	if err != nil {
		return Launch{}, fmt.Errorf("bundle %s: %w", dir, err)
	}
	m, err := readManifest(filepath.Join(bundle, manifestName))
	if err != nil {
		return Launch{}, err
	}
	return fromScript(bundle, m)
}

// FromBundle reads from an installed bundle how its plugin is launched: as FromManifest says if the manifest has
// server.runtime and server.entrypoint, else by the executable for this platform. A bundle that has both (a script, and
// a bridge for servers that know executables only) is run as a script.
func FromBundle(info *model.BundleInfo) (Launch, error) {
	bundle, err := filepath.Abs(info.Path)
	if err != nil {
		return Launch{}, fmt.Errorf("bundle %s: %w", info.Path, err)
	}
	m, err := readManifest(info.ManifestPath)
	if err != nil {
		return Launch{}, err
	}
	if m.isScript() {
		m.document["id"] = info.Manifest.Id // which the server has in lower case
		return fromScript(bundle, m)
	}
	return fromExecutable(bundle, m, info.Manifest)
}

func fromScript(bundle string, m manifest) (Launch, error) {
	if err := m.check(); err != nil {
		return Launch{}, err
	}
	settings, err := parseSettings(m.document, DefaultSettings())
	if err != nil {
		return Launch{}, m.error("%v", err)
	}

	entrypoint := filepath.ToSlash(filepath.Clean(filepath.FromSlash(m.text("server.entrypoint"))))
	if err := isFileOf(bundle, entrypoint); errors.Is(err, os.ErrNotExist) {
		return Launch{}, &lineError{fmt.Sprintf("entrypoint %s is not in the bundle: check server.entrypoint in %s", entrypoint, m.file), ErrEntrypoint}
	} else if errors.Is(err, errNotRegular) {
		return Launch{}, &lineError{fmt.Sprintf("entrypoint %s is not a file: check server.entrypoint in %s", entrypoint, m.file), ErrEntrypoint}
	} else if err != nil {
		return Launch{}, fmt.Errorf("entrypoint %w", err)
	}

	found, err := findInterpreters(bundle, m.runtimes())
	if err != nil {
		return Launch{}, err
	}
	requires := m.text("server.requires_python")
	chosen := chooseInterpreter(found, requires)

	launch := Launch{
		PluginID:   m.text("id"),
		PluginName: m.text("name"),
		Bundle:     bundle,
		Dir:        bundle,
		Program:    chosen.program,
		Args:       append(texts(find(m.document, "server.runtime_args")), entrypoint),
		Settings:   settings,
		entrypoint: entrypoint,
		python:     chosen.python,
		requires:   requires,
	}
	if launch.python {
		launch.Env = append(mallocEnvironment(), "PYTHONPATH="+pythonPath(bundle))
	}
	return launch, nil
}

// fromExecutable launches what a Go plugin is. Its working directory is the server's, as it always was.
func fromExecutable(bundle string, m manifest, full *model.Manifest) (Launch, error) {
	if err := m.checkSettings(); err != nil {
		return Launch{}, err
	}
	settings, err := parseSettings(m.document, executableSettings())
	if err != nil {
		return Launch{}, m.error("%v", err)
	}
	name := filepath.ToSlash(filepath.Clean(full.GetExecutableForRuntime(runtime.GOOS, runtime.GOARCH)))
	if name == "." {
		return Launch{}, &lineError{fmt.Sprintf("%s has no executable for %s/%s: add it to server.executables", m.file, runtime.GOOS, runtime.GOARCH), ErrNoExecutable}
	}
	if err := isFileOf(bundle, name); errors.Is(err, os.ErrNotExist) {
		return Launch{}, &lineError{fmt.Sprintf("executable %s is not in the bundle: check server.executables in %s", name, m.file), ErrNoExecutable}
	} else if errors.Is(err, errNotRegular) {
		return Launch{}, &lineError{fmt.Sprintf("executable %s is not a file: check server.executables in %s", name, m.file), ErrNoExecutable}
	} else if err != nil {
		return Launch{}, fmt.Errorf("executable %w", err)
	}
	checksum, err := executableChecksum(bundle, name)
	if err != nil {
		return Launch{}, err
	}
	return Launch{
		PluginID:   full.Id,
		PluginName: full.Name,
		Bundle:     bundle,
		Program:    filepath.Join(bundle, filepath.FromSlash(name)),
		Settings:   settings,
		checksum:   checksum,
	}, nil
}

var errNotRegular = errors.New("not a regular file")

// isFileOf says whether a path relative to the bundle is a file inside of it.
func isFileOf(bundle, name string) error {
	resolved, err := resolveInside(bundle, name)
	if err != nil {
		return err
	}
	info, err := os.Stat(resolved)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return errNotRegular
	}
	return nil
}

// pythonPath puts the vendored packages of a bundle before what the environment has.
func pythonPath(bundle string) string {
	site := filepath.Join(bundle, "server", "site")
	path := []string{filepath.Join(site, platform()), filepath.Join(site, "any")}
	if inherited := os.Getenv("PYTHONPATH"); inherited != "" {
		path = append(path, inherited)
	}
	return strings.Join(path, string(os.PathListSeparator))
}

// environment is the whole environment of the plugin process. Variables of go-plugin that another host set for this
// process are not for its child.
func (l Launch) environment() []string {
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "PLUGIN_") {
			env = append(env, variable)
		}
	}
	env = append(env, l.Env...)
	return append(env, "MATTERMOST_PLUGIN_ID="+l.PluginID, "MATTERMOST_PLUGIN_BUNDLE="+l.Bundle)
}

// verify checks the files of the plugin against their checksums.
func (l Launch) verify() error {
	if l.entrypoint != "" {
		return verifyChecksums(l.Bundle, l.entrypoint)
	}
	if l.checksum != nil {
		return verifyExecutable(l.Program, l.checksum)
	}
	return nil
}
