package host

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
)

// Environment are the plugins of a server: those that are installed, those that run, and what became of the others. It
// has the methods of plugin.Environment, with the same meaning, for plugins of both kinds. All its methods may be
// called at any time, also by a plugin that is just being activated or deactivated.
type Environment struct {
	newAPI    func(*model.Manifest) plugin.API
	driver    plugin.AppDriver
	pluginDir string
	webappDir string
	log       *mlog.Logger
	metrics   Metrics
	options   options
	list      []Option

	lock                      sync.Mutex
	plugins                   map[string]*registered
	prepackaged, transitional []*plugin.PrepackagedPlugin
	job                       *HealthCheckJob

	// running are the plugins whose hooks are called, in the order of their ids. The slice is never changed.
	running atomic.Pointer[[]*registered]
}

// NewEnvironment returns the environment of a server, without any plugin running.
//
// newAPI makes the API for a plugin; driver is the server's database (nil: plugins cannot use it); pluginDir holds the
// unpacked bundles; webappDir is where the parts of plugins for the web app go, to be served from there; metrics may be
// nil.
func NewEnvironment(
	newAPI func(*model.Manifest) plugin.API,
	driver plugin.AppDriver,
	pluginDir string,
	webappDir string,
	logger *mlog.Logger,
	metrics Metrics,
	list ...Option,
) (*Environment, error) {
	env := &Environment{
		newAPI: newAPI, driver: driver, pluginDir: pluginDir, webappDir: webappDir, log: logger, metrics: metrics,
		options: newOptions(list), list: list, plugins: map[string]*registered{},
	}
	env.running.Store(&[]*registered{})
	return env, nil
}

// Available returns all installed plugins: each folder with a manifest that can be read. Those whose names begin with
// a dot are left out.
func (env *Environment) Available() ([]*model.BundleInfo, error) {
	folders, err := os.ReadDir(env.pluginDir)
	if err != nil {
		return nil, err
	}
	var bundles []*model.BundleInfo
	for _, folder := range folders {
		if !folder.IsDir() || folder.Name()[0] == '.' {
			continue
		}
		if info := model.BundleInfoForPath(filepath.Join(env.pluginDir, folder.Name())); info.Manifest != nil {
			bundles = append(bundles, info)
		}
	}
	return bundles, nil
}

// find returns the one installed plugin with the id.
func (env *Environment) find(id string) (*model.BundleInfo, error) {
	bundles, err := env.Available()
	if err != nil {
		return nil, err
	}
	var found *model.BundleInfo
	for _, info := range bundles {
		if info.Manifest.Id != id {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("multiple plugins found: %s", id)
		}
		found = info
	}
	if found == nil {
		return nil, notFound(id)
	}
	return found, nil
}

func notFound(id string) error { return fmt.Errorf("plugin not found: %s", id) }

// GetManifest returns the manifest of an installed plugin. plugin.ErrNotFound: it is not installed.
func (env *Environment) GetManifest(id string) (*model.Manifest, error) {
	bundles, err := env.Available()
	if err != nil {
		return nil, fmt.Errorf("unable to get plugin statuses: %w", err)
	}
	for _, info := range bundles {
		if info.Manifest.Id == id {
			return info.Manifest, nil
		}
	}
	return nil, plugin.ErrNotFound
}

// PublicFilesPath returns the folder with the files that an active plugin offers to everybody.
func (env *Environment) PublicFilesPath(id string) (string, error) {
	if !env.IsActive(id) {
		return "", notFound(id)
	}
	return filepath.Join(env.pluginDir, id, "public"), nil
}

// PrepackagedPlugins returns the plugins that came with the server, without those in transition out of it. The list
// must not be changed.
func (env *Environment) PrepackagedPlugins() []*plugin.PrepackagedPlugin {
	env.lock.Lock()
	defer env.lock.Unlock()
	return env.prepackaged
}

// TransitionallyPrepackagedPlugins returns the plugins that still came with the server and no longer will. The list
// must not be changed.
func (env *Environment) TransitionallyPrepackagedPlugins() []*plugin.PrepackagedPlugin {
	env.lock.Lock()
	defer env.lock.Unlock()
	return env.transitional
}

// ClearTransitionallyPrepackagedPlugins forgets these plugins.
func (env *Environment) ClearTransitionallyPrepackagedPlugins() {
	env.lock.Lock()
	defer env.lock.Unlock()
	env.transitional = nil
}

// SetPrepackagedPlugins says which plugins came with the server.
func (env *Environment) SetPrepackagedPlugins(plugins, transitional []*plugin.PrepackagedPlugin) {
	env.lock.Lock()
	defer env.lock.Unlock()
	env.prepackaged, env.transitional = plugins, transitional
}
