// Command environment runs a plugin in Mattermost's own plugin.Environment, calls each of its hooks, lets it call each
// method of the API, and judges what arrived. It prints one JSON object: what differed, by method.
//
// The plugin writes down what it got and gave as the messages of the contract, in the folder that the command names
// (tests/contract/plugins/every_method.py). Those messages are played back here without the net/rpc way between:
// what a method sees then is what it must have seen.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
)

func main() {
	log.SetFlags(0)
	plugins := flag.String("plugins", "", "folder of unpacked bundles")
	id := flag.String("id", "", "id of the plugin")
	notes := flag.String("notes", "", "folder the plugin writes to")
	seed := flag.Uint64("seed", 1, "decides all values")
	flag.Parse()

	server := &server{seed: *seed}
	env, err := contracttest.NewEnvironment(*plugins, server.call)
	if err != nil {
		log.Fatal(err)
	}
	if _, _, err := env.Activate(*id); err != nil {
		env.Shutdown()
		log.Fatalf("activate: %v", err)
	}
	report, err := examine(env, server, *id, *notes, *seed)
	env.Shutdown()
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

// report holds the differences found, by method and case ("CreatePost/value"). A method that is there without
// differences was called and compared.
type report struct {
	API   map[string][]string `json:"api"`
	Hooks map[string][]string `json:"hooks"`
}

func examine(env *plugin.Environment, server *server, id, notes string, seed uint64) (*report, error) {
	hooks, err := env.HooksForPlugin(id)
	if err != nil {
		return nil, err
	}
	out := &report{API: map[string][]string{}, Hooks: map[string][]string{}}
	for _, outcome := range []string{"value", "error"} {
		if err := examineAPI(hooks, server, outcome, notes, out.API); err != nil {
			return nil, fmt.Errorf("API, %s: %w", outcome, err)
		}
	}
	for _, outcome := range []string{"value", "none", "reject", "error"} {
		if err := examineHooks(hooks, outcome, notes, seed, out.Hooks); err != nil {
			return nil, fmt.Errorf("hooks, %s: %w", outcome, err)
		}
	}
	return out, nil
}

// command makes the plugin do something by way of ExecuteCommand.
func command(hooks plugin.Hooks, text string) error {
	response, appErr := hooks.ExecuteCommand(&plugin.Context{}, &model.CommandArgs{Command: text})
	if appErr != nil {
		return appErr
	}
	if response == nil || response.Text != "done" {
		return fmt.Errorf("the plugin answered %v to %q", response, text)
	}
	return nil
}
