package grpcplugin_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/grpcplugin"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpproxy"
)

// withAPI runs a plugin without hooks and returns its API, whose server is a function.
func withAPI(t *testing.T, api contracttest.APIFunc) plugin.API {
	t.Helper()
	p := &nearly{}
	run(t, p, &serverSide{api: api})
	return p.API
}

// content is more than a message of a stream carries.
var content = bytes.Repeat([]byte("0123456789abcdef"), 100_000)

func TestTheConfigurationIsDecodedIntoThePluginsType(t *testing.T) {
	api := withAPI(t, func(_ string, args ...any) []any {
		return []any{json.Unmarshal([]byte(`{"words": ["a", "b"], "limit": 9007199254740993}`), args[0])}
	})
	var configuration struct {
		Words []string
		Limit int64
	}
	require.NoError(t, api.LoadPluginConfiguration(&configuration))
	require.Equal(t, []string{"a", "b"}, configuration.Words)
	require.Equal(t, int64(9007199254740993), configuration.Limit)
}

func TestAnythingCanBeLogged(t *testing.T) {
	var lines []string
	api := withAPI(t, func(method string, args ...any) []any {
		lines = append(lines, fmt.Sprint(method, args))
		return nil
	})
	api.LogDebug("d", "error", errors.New("oops"), "n", 3)
	api.LogInfo("i")
	api.LogWarn("w", "f", func() {} == nil)
	api.LogError("e", "nil", nil)
	require.Equal(t, []string{"LogDebug[d [error oops n 3]]", "LogInfo[i []]", "LogWarn[w [f false]]", "LogError[e [nil <nil>]]"}, lines)
}

func TestContentStreamsToAndFromTheServer(t *testing.T) {
	var got []byte
	failing := false
	api := withAPI(t, func(method string, args ...any) []any {
		for _, arg := range args {
			if reader, ok := arg.(io.Reader); ok {
				var err error
				if got, err = io.ReadAll(reader); err != nil {
					return []any{nil, model.NewAppError(method, "cut", nil, err.Error(), 400)}
				}
			}
		}
		switch {
		case failing:
			return []any{nil, model.NewAppError(method, "failing", nil, "", 404)}
		case method == "InstallPlugin":
			return []any{&model.Manifest{Id: "installed"}, nil}
		case method == "GetFile" || method == "ReadFile":
			return []any{content, nil}
		}
		return []any{&model.FileInfo{Name: method}, nil}
	})

	manifest, appErr := api.InstallPlugin(bytes.NewReader(content), true)
	require.Nil(t, appErr)
	require.Equal(t, "installed", manifest.Id)
	require.True(t, bytes.Equal(content, got))
	info, err := api.UploadData(&model.UploadSession{}, bytes.NewReader(content[:10]))
	require.NoError(t, err)
	require.Equal(t, "UploadData", info.Name)
	require.Equal(t, content[:10], got)
	_, err = api.ReceiveSharedChannelAttachmentSyncMsg("r", "c", &model.FileInfo{}, bytes.NewReader(content))
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	data, appErr := api.GetFile("f")
	require.Nil(t, appErr)
	require.True(t, bytes.Equal(content, data))
	data, appErr = api.ReadFile("p")
	require.Nil(t, appErr)
	require.True(t, bytes.Equal(content, data))

	_, err = api.UploadData(&model.UploadSession{}, io.MultiReader(strings.NewReader("x"), broken{}))
	require.ErrorIs(t, err, errDisk)
	failing = true
	_, appErr = api.GetFile("f")
	require.Equal(t, "failing", appErr.Id)
	_, appErr = api.UploadFile(content, "c", "name")
	require.Equal(t, "failing", appErr.Id)
}

var errDisk = errors.New("disk error")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errDisk }

func TestACallThatDoesNotReachTheServerIsAnError(t *testing.T) {
	api := withAPI(t, func(method string, _ ...any) []any { panic("the server fails in " + method) })
	_, appErr := api.GetUser("u")
	require.Equal(t, http.StatusInternalServerError, appErr.StatusCode)
	require.Contains(t, appErr.DetailedError, "GetUser")
	require.ErrorContains(t, api.RegisterCommand(&model.Command{}), "RegisterCommand")
	require.Empty(t, api.GetServerVersion())
}

func TestRowsAreFetchedAheadAndReadOneByOne(t *testing.T) {
	p := &nearly{}
	next := 0
	run(t, p, &serverSide{driver: contracttest.DriverFunc(func(method string, args ...any) []any {
		switch method {
		case "RowsColumns":
			return []any{[]string{"n"}}
		case "RowsNext":
			if next == 3 {
				return []any{io.EOF}
			}
			args[1].([]driver.Value)[0] = int64(next)
			next++
		case "RowsNextResultSet":
			next = 2
		case "ConnPing":
			return []any{sql.ErrConnDone}
		}
		return []any{nil}
	})})
	read := func() (numbers []int64) {
		row := make([]driver.Value, 1)
		for {
			err := p.Driver.RowsNext("r", row)
			if err == io.EOF {
				return numbers
			}
			require.NoError(t, err)
			numbers = append(numbers, row[0].(int64))
		}
	}
	require.Equal(t, []int64{0, 1, 2}, read())
	require.NoError(t, p.Driver.RowsNextResultSet("r"))
	require.Equal(t, []int64{2}, read())
	require.NoError(t, p.Driver.RowsClose("r"))
	require.Equal(t, sql.ErrConnDone, p.Driver.ConnPing("c"))
}

// web is a plugin that serves HTTP and replaces files.
type web struct{ plugin.MattermostPlugin }

func (*web) ServeHTTP(c *plugin.Context, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("X-Reserved", fmt.Sprint(r.Header.Get("X-Mattermost-Bridge-Context") != ""))
	w.WriteHeader(http.StatusTeapot)
	fmt.Fprintf(w, "%s %s %s %s %s %s", r.Method, r.URL, r.RequestURI, r.RemoteAddr, c.SessionId, body)
}

func (*web) ServeMetrics(_ *plugin.Context, w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, "metrics")
}

func (*web) FileWillBeUploaded(_ *plugin.Context, info *model.FileInfo, file io.Reader, output io.Writer) (*model.FileInfo, string) {
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err.Error()
	}
	if _, err := output.Write(bytes.ToUpper(data)); err != nil {
		return nil, err.Error()
	}
	info.Size = int64(len(data))
	return info, ""
}

func TestHTTPStreamsThroughThePlugin(t *testing.T) {
	hooks := run(t, &web{}, &serverSide{})
	request := httptest.NewRequest(http.MethodPut, "/plugins/com.example.web/a%2Fb?q=1", bytes.NewReader(content))
	request.URL.Path, request.URL.RawPath = "/a/b", "" // as the server hands it over: the path below the plugin's
	request.RemoteAddr = "192.0.2.7:1234"
	response := httptest.NewRecorder()
	hooks.ServeHTTP(&plugin.Context{SessionId: "s1"}, response, request)
	require.Equal(t, http.StatusTeapot, response.Code)
	require.Equal(t, "false", response.Header().Get("X-Reserved"))
	require.Equal(t, "PUT /a%2Fb?q=1 /plugins/com.example.web/a%2Fb?q=1 192.0.2.7:1234 s1 "+string(content), response.Body.String())

	response = httptest.NewRecorder()
	hooks.ServeMetrics(&plugin.Context{}, response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, "metrics", response.Body.String())
}

func TestAPluginWithoutHTTPAnswersNotFound(t *testing.T) {
	hooks := run(t, &nearly{}, &serverSide{})
	response := httptest.NewRecorder()
	hooks.ServeHTTP(&plugin.Context{}, response, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, http.StatusNotFound, response.Code)
}

func TestNobodyButTheHostReachesTheHTTPServer(t *testing.T) {
	_, _, err := httpproxy.Incoming(httptest.NewRequest(http.MethodGet, "/", nil))
	require.ErrorContains(t, err, "not a request of the plugin's host")
}

func TestFilesStreamThroughThePlugin(t *testing.T) {
	for name, server := range map[string]func([]grpc.ServerOption) *grpc.Server{
		"on its own server": grpcplugin.Server, "on a server with gRPC's codec": goplugin.DefaultGRPCServer,
	} {
		t.Run(name, func(t *testing.T) { filesStream(t, server) })
	}
}

func filesStream(t *testing.T, server func([]grpc.ServerOption) *grpc.Server) {
	hooks := run(t, &web{}, &serverSide{}, func(config *goplugin.ServeConfig) { config.GRPCServer = server })
	var output bytes.Buffer
	info, reason := hooks.FileWillBeUploaded(&plugin.Context{}, &model.FileInfo{Name: "n"}, bytes.NewReader(content), &output)
	require.Empty(t, reason)
	require.Equal(t, int64(len(content)), info.Size)
	require.Equal(t, "n", info.Name)
	require.True(t, bytes.Equal(bytes.ToUpper(content), output.Bytes()))
}

func TestAnotherPluginIsAskedWithAStreamBothWays(t *testing.T) {
	var asked *http.Request
	api := withAPI(t, func(method string, args ...any) []any {
		if method != "PluginHTTP" {
			return nil
		}
		asked = args[0].(*http.Request)
		if asked.URL.Path == "/nobody" {
			return []any{nil}
		}
		return []any{&http.Response{StatusCode: http.StatusAccepted, Header: http.Header{"X-A": {"1", "2"}}, Body: asked.Body}}
	})
	for _, length := range []int64{int64(len(content)), -1} {
		request, err := http.NewRequest(http.MethodPost, "/com.example.other/path?q=1", bytes.NewReader(content))
		require.NoError(t, err)
		request.ContentLength = length
		response := api.PluginHTTP(request)
		require.NotNil(t, response)
		require.Equal(t, http.StatusAccepted, response.StatusCode)
		require.Equal(t, []string{"1", "2"}, response.Header["X-A"])
		require.Equal(t, "/com.example.other/path?q=1", asked.URL.String())
		data, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, data))
		require.NoError(t, response.Body.Close())
	}
	request, err := http.NewRequest(http.MethodGet, "/nobody", nil)
	require.NoError(t, err)
	require.Nil(t, api.PluginHTTP(request))
}
