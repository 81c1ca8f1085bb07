// Package host launches a Mattermost plugin that speaks gRPC, keeps it alive and offers it as plugin.Hooks.
//
// The plugin is a process of its own: a Python program with the SDK, or any program that serves the Hooks
// service of schema/proto over hashicorp/go-plugin's gRPC protocol. [FromManifest] reads from an unpacked bundle
// how to run it; [New] and [Plugin.Start] run it; [Plugin.Hooks] is what a server calls. When the process dies the
// package starts it again and activates it again, and the caller of the hooks need not know.
//
// Every error of this package that keeps a plugin from starting is one line that says what to do about it. The
// sentinel values (ErrManifest, ErrNoInterpreter, ...) tell them apart.
package host
