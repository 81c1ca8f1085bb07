// Package witness is a plugin for tests, which notes what it sees. It is run over net/rpc (witness/netrpc), over gRPC
// (witness/grpc), and once more written in Python (tests/contract/plugins/host_witness.py): all have to see the same.
package witness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// Plugin is the witness. Its executable lies in the folder server of the bundle; its notes go to the file notes of the
// bundle, the ids of its processes to the file pids. A file named like a misbehaviour asks for it.
type Plugin struct {
	plugin.MattermostPlugin
	configuration struct{ Word string }
}

// Start is to be called by the main function, before anything is served.
func Start() {
	note("pids", "%d", os.Getpid())
	if asked("start-fails") {
		fmt.Fprintln(os.Stderr, "cannot start today")
		os.Exit(3)
	}
	if asked("no-handshake") {
		fmt.Println("1|9|unix|/nowhere|netrpc")
		select {}
	}
}

func bundle() string {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return filepath.Dir(filepath.Dir(executable))
}

func asked(misbehaviour string) bool {
	_, err := os.Stat(filepath.Join(bundle(), misbehaviour))
	return err == nil
}

func note(name, format string, args ...any) {
	file, err := os.OpenFile(filepath.Join(bundle(), name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintf(file, format+"\n", args...); err != nil {
		panic(err)
	}
}

// OnConfigurationChange notes a word of the configuration.
func (p *Plugin) OnConfigurationChange() error {
	if err := p.API.LoadPluginConfiguration(&p.configuration); err != nil {
		return err
	}
	note("notes", "OnConfigurationChange %s", p.configuration.Word)
	return nil
}

// OnActivate notes the version of the server.
func (p *Plugin) OnActivate() error {
	note("notes", "OnActivate %s", p.API.GetServerVersion())
	if asked("activate-fails") {
		return errors.New("no licence")
	}
	return nil
}

// OnDeactivate may hang.
func (p *Plugin) OnDeactivate() error {
	note("notes", "OnDeactivate")
	if asked("deactivate-hangs") {
		select {}
	}
	if asked("deactivate-fails") {
		return errors.New("not now")
	}
	return nil
}

// MessageWillBePosted does what the message says.
func (p *Plugin) MessageWillBePosted(c *plugin.Context, post *model.Post) (*model.Post, string) {
	note("notes", "MessageWillBePosted %s %s %v", c.RequestId, post.Message, post.GetProp("n"))
	verb, what, _ := strings.Cut(post.Message, " ")
	switch verb {
	case "refuse":
		return nil, "refused " + what
	case "keep":
		return nil, ""
	case "user":
		user, appErr := p.API.GetUser(what)
		if appErr != nil {
			post.Message = fmt.Sprintf("%s %d", appErr.Id, appErr.StatusCode)
			return post, ""
		}
		post.Message = user.Username
	case "store":
		if appErr := p.API.KVSet(what, []byte("value of "+what)); appErr != nil {
			return nil, appErr.Id
		}
		value, appErr := p.API.KVGet(what)
		if appErr != nil {
			return nil, appErr.Id
		}
		post.Message = string(value)
	case "die":
		os.Exit(7)
	default:
		post.Message += ", seen"
		post.AddProp("witness", "yes")
	}
	return post, ""
}

// MessageHasBeenPosted notes the message.
func (p *Plugin) MessageHasBeenPosted(_ *plugin.Context, post *model.Post) {
	note("notes", "MessageHasBeenPosted %s", post.Message)
}

// ExecuteCommand answers with the command, or with an error.
func (p *Plugin) ExecuteCommand(_ *plugin.Context, args *model.CommandArgs) (*model.CommandResponse, *model.AppError) {
	note("notes", "ExecuteCommand %s", args.Command)
	if args.Command == "/fail" {
		return nil, model.NewAppError("ExecuteCommand", "witness.fail", nil, "details", http.StatusTeapot)
	}
	return &model.CommandResponse{Text: args.Command + " by " + args.UserId, ResponseType: model.CommandResponseTypeEphemeral}, nil
}

// ChannelWillBeArchived refuses one channel.
func (p *Plugin) ChannelWillBeArchived(_ *plugin.Context, channel *model.Channel) string {
	note("notes", "ChannelWillBeArchived %s", channel.Name)
	if channel.Name == "town-square" {
		return "it is needed"
	}
	return ""
}

// ConfigurationWillBeSaved refuses one configuration and changes every other.
func (p *Plugin) ConfigurationWillBeSaved(config *model.Config) (*model.Config, error) {
	name := *config.TeamSettings.SiteName
	note("notes", "ConfigurationWillBeSaved %s", name)
	if name == "bad" {
		return nil, errors.New("a bad name")
	}
	config.TeamSettings.SiteName = model.NewPointer(name + "!")
	return config, nil
}

// ReactionHasBeenAdded notes the reaction.
func (p *Plugin) ReactionHasBeenAdded(_ *plugin.Context, reaction *model.Reaction) {
	note("notes", "ReactionHasBeenAdded %s", reaction.EmojiName)
}

// OnPluginClusterEvent notes the event.
func (p *Plugin) OnPluginClusterEvent(_ *plugin.Context, event model.PluginClusterEvent) {
	note("notes", "OnPluginClusterEvent %s %s", event.Id, event.Data)
}

// FileWillBeUploaded replaces a file by itself in capitals.
func (p *Plugin) FileWillBeUploaded(_ *plugin.Context, info *model.FileInfo, file io.Reader, output io.Writer) (*model.FileInfo, string) {
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err.Error()
	}
	note("notes", "FileWillBeUploaded %s %d", info.Name, len(data))
	if _, err := output.Write(bytes.ToUpper(data)); err != nil {
		return nil, err.Error()
	}
	info.Name = "capitals-" + info.Name
	return info, ""
}

// ServeHTTP answers with what it was asked.
func (p *Plugin) ServeHTTP(c *plugin.Context, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	note("notes", "ServeHTTP %s %s", r.Method, r.URL.Path)
	w.Header().Set("X-Witness", r.Header.Get("Mattermost-User-Id"))
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.Path, r.URL.RawQuery, body)
}
