package service

import (
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/netrpcwire"
)

// LinkedAPI returns what ServerLink.UseForAPI does.
func LinkedAPI(api plugin.API, client *netrpcwire.Client) plugin.API { return &linkedAPI{api, client} }
