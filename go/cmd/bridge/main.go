// Command bridge is the executable of a Mattermost plugin that is not written in Go.
//
// It lies in the plugin's bundle. A Mattermost server starts it as it would start any plugin; the bridge answers at
// once, starts the program that plugin.json names beside it, and carries hooks and API calls between the two.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
)

// version is set when a bundle is built.
var version = "dev"

const outsideServer = "This is the bridge of a Mattermost plugin (version %s): upload the bundle it belongs to (.tar.gz) to a Mattermost server, which will start it.\n"

func main() {
	if os.Getenv(cookieName) != cookieValue {
		fmt.Fprintf(os.Stderr, outsideServer, version)
		os.Exit(1)
	}
	if os.Getenv("GOGC") == "" {
		// What lives here is small, so that by default the collector would run hundreds of times a second under load.
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		// A GiB that streams through leaves garbage of a GiB: seldom must not mean never.
		debug.SetMemoryLimit(collectAbove)
	}
	os.Exit(run())
}

// collectAt is how much the heap may grow, in percent of what lives, before it is collected: from 4 MiB to 20.
const collectAt = 400

// collectAbove is the memory from which the collector runs as often as it has to, to stay there if it can.
const collectAbove = 64 << 20
