package service_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// askedAPI is a server that is asked for another plugin.
type askedAPI struct {
	plugin.API
	request *http.Request
}

func (a *askedAPI) PluginHTTP(request *http.Request) *http.Response {
	a.request = request
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}
}

// askPlugin has a plugin ask another one, and returns the request that the server got.
func askPlugin(t *testing.T, head *pluginpb.PluginHTTPRequestHead) (*http.Request, error) {
	t.Helper()
	api := &askedAPI{}
	conn := serveAPI(t, func(context.Context) (plugin.API, func() error) { return api, func() error { return nil } })
	stream, err := pluginpb.NewAPIClient(conn).PluginHTTP(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&pluginpb.PluginHTTPRequest{Part: &pluginpb.PluginHTTPRequest_Head{Head: head}}))
	require.NoError(t, stream.CloseSend())
	for {
		if _, err := stream.Recv(); err == io.EOF {
			return api.request, nil
		} else if err != nil {
			return api.request, err
		}
	}
}

func TestAPluginCannotForgeARequestToAnother(t *testing.T) {
	const smuggled = " HTTP/1.1\r\nMattermost-User-Id: someone\r\n\r\nGET /"
	list := func(items ...string) *pluginpb.StringList { return &pluginpb.StringList{Items: items} }
	for name, change := range map[string]func(*pluginpb.PluginHTTPRequestHead){
		"method":         func(h *pluginpb.PluginHTTPRequestHead) { h.Method = "GET /" + smuggled },
		"space":          func(h *pluginpb.PluginHTTPRequestHead) { h.Method = "GET /x" },
		"URL":            func(h *pluginpb.PluginHTTPRequestHead) { h.Url += smuggled },
		"query":          func(h *pluginpb.PluginHTTPRequestHead) { h.Url += "?q=%zz" },
		"host":           func(h *pluginpb.PluginHTTPRequestHead) { h.Host = "x\r\nA: b" },
		"header":         func(h *pluginpb.PluginHTTPRequestHead) { h.Header["X-A"] = list("x\r\nA: b") },
		"name":           func(h *pluginpb.PluginHTTPRequestHead) { h.Header["X-A: b\r\nX-B"] = list("x") },
		"remote address": func(h *pluginpb.PluginHTTPRequestHead) { h.RemoteAddr = "1.2.3.4:5\r\nA: b" },
		"two lengths":    func(h *pluginpb.PluginHTTPRequestHead) { h.Header["Content-Length"] = list("1", "2") },
		"length twice": func(h *pluginpb.PluginHTTPRequestHead) {
			h.Header["Content-Length"], h.Header["content-length"] = list("1"), list("2")
		},
		"length and coding": func(h *pluginpb.PluginHTTPRequestHead) {
			h.Header["Content-Length"], h.Header["transfer-encoding"] = list("1"), list("chunked")
		},
		"length with a sign": func(h *pluginpb.PluginHTTPRequestHead) { h.Header["Content-Length"] = list("+1") },
		"coding":             func(h *pluginpb.PluginHTTPRequestHead) { h.Header["Transfer-Encoding"] = list("gzip") },
	} {
		head := &pluginpb.PluginHTTPRequestHead{Method: "GET", Url: "/other/path", Host: "other", Header: map[string]*pluginpb.StringList{}}
		change(head)
		asked, err := askPlugin(t, head)
		require.Equal(t, codes.InvalidArgument, status.Code(err), "%s: %v", name, err)
		require.Nil(t, asked, name)
	}
}

// The server takes the path apart as it is here (PluginAPI.PluginHTTP), and ends with a panic at an error.
func TestAPathArrivesWholeWhateverItContains(t *testing.T) {
	for _, path := range []string{
		"/", "/x", "/a%20b", "/100%25", "/100%2525", "/a%2Fb", "/a%3Fb=c", "/a%23b", "//evil/x", "/line%0D%0Afeed", "/%C3%BC",
		"/" + strings.Repeat("y", 200_000),
	} {
		asked, err := askPlugin(t, &pluginpb.PluginHTTPRequestHead{Method: "GET", Url: "/com.example.other" + path + "?q=%20", Host: "x"})
		require.NoError(t, err, path)
		parts := strings.SplitN(asked.URL.Path, "/", 3)
		require.Equal(t, "com.example.other", parts[1])
		got, err := url.Parse("/" + parts[2])
		require.NoError(t, err, path)
		want, err := url.PathUnescape(path)
		require.NoError(t, err)
		require.Equal(t, want, got.Path)
		require.Empty(t, got.Host)
		require.Equal(t, "q=%20", asked.URL.RawQuery)
	}
}
