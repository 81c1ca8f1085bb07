// Package service carries Mattermost's plugin interfaces over gRPC.
//
// Towards the plugin it is the server of the API and Driver services ([NewAPIServer], [NewDriverServer]) and a
// plugin.Hooks that calls the plugin's Hooks service ([NewHooksClient]).
//
// Towards a Mattermost server that speaks net/rpc it has what the bridge needs: a plugin.API and a plugin.Driver
// which tell a failed transport from an empty result ([NewNetRPCAPI], [NewNetRPCDriver]), and a wrapper around
// Mattermost's own net/rpc server of the hooks that changes nothing but the list of the implemented ones
// ([NewNetRPCHooks]).
//
// One line per method is generated from schema/model.json (files *_gen.go); the core those lines call, and the
// methods whose wire form is not simply their Go signature, are written by hand.
package service
