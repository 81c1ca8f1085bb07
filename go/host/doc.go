// Package host runs the plugins of a Mattermost server: Go executables over net/rpc, as ever, and programs in any
// language over gRPC, among them scripts (Python with the SDK).
//
// # For a server
//
// [NewEnvironment] takes the place of plugin.NewEnvironment: [Environment] has the same methods with the same meaning.
// What a plugin is it reads from its manifest: server.executables, or server.runtime, server.entrypoint and
// server.runtime_args. Which protocol it speaks the plugin says in its handshake. [Supervisor] is the process of one
// plugin. Options such as [WithAutoMTLS] and [WithHealthCheck] change what a server does today, which is the default.
//
// # For a plugin's own bridge
//
// [FromManifest] reads how the script of a bundle is launched; [New] and [Plugin.Start] run it; [Plugin.Hooks] is what a
// server calls. When the process dies it is started again and activated again, and the caller of the hooks need not
// know. The bridge, by which scripts run on servers that know executables only, is made of it, and so is what an
// Environment has for each gRPC plugin.
//
// # Wire
//
// A plugin over gRPC is any program that serves the Hooks service of schema/proto over hashicorp/go-plugin's gRPC
// protocol; in Go, package grpcplugin makes one. It is offered the API and Driver services over go-plugin's broker.
//
// # Errors
//
// Every error of this package that keeps a plugin from starting is one line that says what to do about it. The
// sentinel values (ErrManifest, ErrNoInterpreter, ...) tell them apart.
package host
