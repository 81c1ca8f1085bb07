package host

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/utils"
)

// UnpackWebappBundle lays out the part of a plugin for the web app to be served: in a folder of its own, the script
// under a name with its hash. It returns the manifest with that hash.
func (env *Environment) UnpackWebappBundle(id string) (*model.Manifest, error) {
	info, err := env.find(id)
	if err != nil {
		return nil, err
	}
	manifest := info.Manifest
	if !manifest.HasWebapp() {
		return nil, errors.New("the plugin has no web app component")
	}
	script := filepath.Clean(manifest.Webapp.BundlePath)
	if script[0] == '.' {
		return nil, errors.New("invalid webapp bundle path")
	}
	script = filepath.Join(env.pluginDir, id, script)
	folder := filepath.Join(env.webappDir, id)
	if err := os.RemoveAll(folder); err != nil {
		return nil, fmt.Errorf("unable to remove old webapp bundle directory: %w", err)
	}
	if err := utils.CopyDir(filepath.Dir(script), folder); err != nil {
		return nil, fmt.Errorf("unable to copy webapp bundle directory: %s: %w", id, err)
	}

	copied := filepath.Join(folder, filepath.Base(script))
	content, err := os.ReadFile(copied)
	if err != nil {
		return nil, fmt.Errorf("unable to read webapp bundle: %s: %w", id, err)
	}
	hash := fnv.New64a()
	_, _ = hash.Write(content) // never fails
	manifest.Webapp.BundleHash = hash.Sum(nil)
	hashed := fmt.Sprintf("%s_%x_bundle.js", id, manifest.Webapp.BundleHash)
	if err := os.Rename(copied, filepath.Join(folder, hashed)); err != nil {
		return nil, fmt.Errorf("unable to rename webapp bundle: %s: %w", id, err)
	}
	return manifest, nil
}
