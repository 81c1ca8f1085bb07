// Command goplugin is the rival that every other is compared with: a Mattermost plugin written in Go, over net/rpc.
package main

import (
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/benchmark/measured"
)

func main() { plugin.ClientMain(&measured.Plugin{}) }
