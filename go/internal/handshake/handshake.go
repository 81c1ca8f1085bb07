// Package handshake holds how Mattermost and its plugins recognise each other. None of it must ever change.
package handshake

import (
	"fmt"
	"net"

	goplugin "github.com/hashicorp/go-plugin"
)

const (
	// CookieName and CookieValue are the environment variable by which a host tells a program that it is a plugin.
	CookieName  = "MATTERMOST_PLUGIN"
	CookieValue = "Securely message teams, anywhere."

	// Hooks is the name of the one thing that a plugin provides.
	Hooks = "hooks"

	// SocketDirVariable names the directory in which a plugin makes its sockets.
	SocketDirVariable = "PLUGIN_UNIX_SOCKET_DIR"
)

// Config is the handshake for go-plugin.
var Config = goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: CookieName, MagicCookieValue: CookieValue}

// Line is what a plugin over net/rpc prints when it can be connected to, at an address.
func Line(address net.Addr) string {
	return fmt.Sprintf("%d|%d|%s|%s|%s|", goplugin.CoreProtocolVersion, Config.ProtocolVersion,
		address.Network(), address, goplugin.ProtocolNetRPC)
}
