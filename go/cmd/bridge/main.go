// Command bridge is the executable of a Mattermost plugin that is not written in Go.
//
// It lies in the plugin's bundle. A Mattermost server starts it as it would start any plugin; the bridge answers at
// once, starts the program that plugin.json names beside it, and carries hooks and API calls between the two.
package main

import (
	"fmt"
	"os"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/handshake"
)

// version is set when a bundle is built.
var version = "dev"

const outsideServer = "This is the bridge of a Mattermost plugin (version %s): upload the bundle it belongs to (.tar.gz) to a Mattermost server, which will start it.\n"

func main() {
	if os.Getenv(handshake.CookieName) != handshake.CookieValue {
		fmt.Fprintf(os.Stderr, outsideServer, version)
		os.Exit(1)
	}
	limitGarbage()
	shareProcessors()
	os.Exit(run())
}
