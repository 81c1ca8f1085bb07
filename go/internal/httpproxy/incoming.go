package httpproxy

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// Incoming is for plugins in Go: it turns a request that a Proxy sent into the one that the server handed to the
// proxy, with the context of the call.
func Incoming(r *http.Request) (*plugin.Context, *http.Request, error) {
	encoded := r.Header[contextHeader]
	if len(encoded) != 1 {
		return nil, nil, errors.New("this is not a request of the plugin's host")
	}
	raw, err := base64.RawURLEncoding.DecodeString(encoded[0])
	if err != nil {
		return nil, nil, fmt.Errorf("the context of the request: %w", err)
	}
	context := new(plugin.Context)
	if err := convert.ParseContext(raw, context); err != nil {
		return nil, nil, fmt.Errorf("the context of the request: %w", err)
	}

	original := *r
	original.Header = r.Header.Clone()
	original.RemoteAddr = r.Header.Get(remoteHeader)
	original.RequestURI = r.Header.Get(rootHeader) + r.RequestURI
	for _, name := range []string{contextHeader, rootHeader, remoteHeader} {
		original.Header.Del(name)
	}
	return context, &original, nil
}
