package grpcplugin_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/grpcplugin"
)

// Moderator is a plugin as it would be over net/rpc.
type Moderator struct{ plugin.MattermostPlugin }

// MessageWillBePosted refuses a word.
func (m *Moderator) MessageWillBePosted(_ *plugin.Context, post *model.Post) (*model.Post, string) {
	if strings.Contains(post.Message, "badword") {
		return nil, "Please keep it friendly."
	}
	return post, ""
}

// The main function of a plugin is the one line grpcplugin.ClientMain(&Moderator{}). The options serve it within a
// process, for a host that reattaches to it.
func ExampleClientMain() {
	ctx, cancel := context.WithCancel(context.Background())
	reattach, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
	go grpcplugin.ClientMain(&Moderator{}, plugin.WithTestContext(ctx), plugin.WithTestReattachConfigCh(reattach),
		plugin.WithTestCloseCh(closed), func(config *goplugin.ServeConfig) error {
			config.Logger = hclog.NewNullLogger()
			return nil
		})
	fmt.Println((<-reattach).Protocol)
	cancel()
	<-closed
	// Output: grpc
}
