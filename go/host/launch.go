package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	// python says that Program is a Python.
	python bool
}

// FromManifest reads from the bundle in dir how its plugin is launched.
//
// The program is server/python/<os>-<arch>/bin/python3 of the bundle, else server/venv/bin/python, else the
// manifest's server.runtime on PATH; it is called with server.runtime_args and server.entrypoint. Interpreters of the
// bundle and the entrypoint must lie inside the bundle.
func FromManifest(dir string) (Launch, error) {
	bundle, err := filepath.Abs(dir)
	if err != nil {
		return Launch{}, fmt.Errorf("bundle %s: %w", dir, err)
	}
	m, err := readManifest(bundle)
	if err != nil {
		return Launch{}, err
	}
	settings, err := parseSettings(m.Props.Settings, hookKeys())
	if err != nil {
		return Launch{}, manifestError("%v", err)
	}

	entrypoint := filepath.ToSlash(filepath.Clean(filepath.FromSlash(m.Server.Entrypoint)))
	resolved, err := resolveInside(bundle, entrypoint)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return Launch{}, &lineError{fmt.Sprintf("entrypoint %s is not in the bundle: check server.entrypoint in plugin.json", entrypoint), ErrEntrypoint}
		}
		return Launch{}, fmt.Errorf("entrypoint %w", err)
	}
	if info, err := os.Stat(resolved); err != nil {
		return Launch{}, fmt.Errorf("entrypoint %s: %w", entrypoint, err)
	} else if !info.Mode().IsRegular() {
		return Launch{}, &lineError{fmt.Sprintf("entrypoint %s is not a file: check server.entrypoint in plugin.json", entrypoint), ErrEntrypoint}
	}

	program, err := findInterpreter(bundle, m.Server.Runtime)
	if err != nil {
		return Launch{}, err
	}

	launch := Launch{
		PluginID:   m.ID,
		PluginName: m.Name,
		Bundle:     bundle,
		Dir:        bundle,
		Program:    program,
		Args:       append(append([]string{}, m.Server.RuntimeArgs...), entrypoint),
		Settings:   settings,
		entrypoint: entrypoint,
		python:     isPython(m.Server.Runtime),
	}
	if launch.python {
		launch.Env = append(launch.Env, "PYTHONPATH="+pythonPath(bundle))
	}
	return launch, nil
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

// verify checks the files of the bundle against their checksums.
func (l Launch) verify() error {
	if l.entrypoint == "" {
		return nil
	}
	return verifyChecksums(l.Bundle, l.entrypoint)
}
