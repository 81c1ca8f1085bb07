// Command netrpc is the witness as a stock Go plugin: nothing of this project is between it and net/rpc.
package main

import (
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/host/internal/witness"
)

func main() {
	witness.Start()
	plugin.ClientMain(&witness.Plugin{})
}
