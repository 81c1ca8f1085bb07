package contracttest

import (
	"errors"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
)

// NewEnvironment returns Mattermost's own environment for the unpacked bundles in a folder, none of which has a webapp
// or uses the database. The plugins' calls of the API go to call.
func NewEnvironment(plugins string, call APIFunc) (*plugin.Environment, error) {
	logger, err := mlog.NewLogger()
	if err != nil {
		return nil, err
	}
	newAPI := func(*model.Manifest) plugin.API { return call }
	return plugin.NewEnvironment(newAPI, noDatabase{}, plugins, plugins, logger, nil)
}

// noDatabase is offered to a plugin that uses no database.
type noDatabase struct{ plugin.AppDriver }

func (noDatabase) ConnWithPluginID(bool, string) (string, error) {
	return "", errors.New("no database here")
}
func (noDatabase) ShutdownConns(string) {}
