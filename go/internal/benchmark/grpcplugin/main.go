// Command grpcplugin is the measured plugin in Go over gRPC.
package main

import (
	"github.com/mattermost-plugin/mattermost-plugin/go/grpcplugin"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/benchmark/measured"
)

func main() { grpcplugin.ClientMain(&measured.Plugin{}) }
