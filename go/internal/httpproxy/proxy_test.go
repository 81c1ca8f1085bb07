package httpproxy_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/mattermost/mattermost/server/public/shared/mlog"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpproxy"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

const pluginID = "com.example.http"

// answerTimeout is the deadline of a plugin in the test that waits for it. The others have patience.
const answerTimeout = time.Second

// site is a server with a plugin, and the HTTP server of that plugin.
type site struct {
	*httptest.Server
	app      *http.Server // the plugin's
	accepted atomic.Int64 // connections of the plugin's server
	answered atomic.Int64 // requests after which such a connection was left to the next one
	proxy    *httpproxy.Proxy
	endpoint atomic.Pointer[httpproxy.Endpoint]
	missing  atomic.Pointer[error]
	patience atomic.Int64 // nanoseconds that the plugin has to begin an answer
}

// bridged is the plugin as the server has it.
type bridged struct {
	plugin.MattermostPlugin
	proxy *httpproxy.Proxy
}

func (b *bridged) ServeMetrics(c *plugin.Context, w http.ResponseWriter, r *http.Request) {
	b.proxy.ServeMetrics(c, w, r)
}

func (b *bridged) ServeHTTP(c *plugin.Context, w http.ResponseWriter, r *http.Request) {
	b.proxy.ServeHTTP(c, w, r)
}

// sites runs a test with a host inside the server, and with one behind Mattermost's own net/rpc.
func sites(t *testing.T, app http.Handler, test func(t *testing.T, s *site)) {
	for name, over := range map[string]func(*testing.T, *httpproxy.Proxy) http.HandlerFunc{
		"in the server": direct, "over Mattermost's net/rpc": overNetRPC(plain), "over net/rpc": overNetRPC(lean),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, app, over)
			goroutines := runtime.NumGoroutine()
			test(t, s)
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
				s.Client().CloseIdleConnections()
				s.proxy.Close()
				if runtime.NumGoroutine() <= goroutines {
					return
				}
				if time.Now().After(deadline) {
					stacks := make([]byte, 1<<20)
					t.Fatalf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
				}
			}
		})
	}
}

func newSite(t *testing.T, app http.Handler, over func(*testing.T, *httpproxy.Proxy) http.HandlerFunc) *site {
	socket := filepath.Join(t.TempDir(), "http")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	s := &site{}
	s.patience.Store(int64(time.Minute))
	s.app = &http.Server{Handler: app, ConnState: func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.accepted.Add(1)
		case http.StateIdle:
			s.answered.Add(1)
		}
	}}
	go func() { _ = s.app.Serve(listener) }()
	t.Cleanup(func() { require.NoError(t, s.app.Close()) })

	s.endpoint.Store(&httpproxy.Endpoint{Network: "unix", Address: socket})
	proxy := httpproxy.New(httpproxy.Options{
		Locate: func(context.Context, string) (httpproxy.Endpoint, error) {
			if missing := s.missing.Load(); missing != nil {
				return httpproxy.Endpoint{}, *missing
			}
			return *s.endpoint.Load(), nil
		},
		Dial: func(ctx context.Context, endpoint httpproxy.Endpoint) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, endpoint.Network, endpoint.Address)
		},
		AnswerTimeout: func(string) time.Duration { return time.Duration(s.patience.Load()) },
		PluginID:      pluginID,
		Logger:        hclog.NewNullLogger(),
	})
	s.proxy = proxy
	t.Cleanup(proxy.Close)
	handler := over(t, proxy)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Server", "yes")
		w.Header().Set("Cache-Control", "no-store")
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/plugins/"+pluginID)
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func direct(_ *testing.T, proxy *httpproxy.Proxy) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { proxy.ServeHTTP(&plugin.Context{RequestId: "r1"}, w, r) }
}

// plain is a plugin as Mattermost's own code serves it.
func plain(*goplugin.ServeConfig, *bridged) {}

// lean is a plugin as the bridge serves it.
func lean(config *goplugin.ServeConfig, served *bridged) {
	config.Plugins["hooks"] = &leanHooks{Plugin: config.Plugins["hooks"], served: served}
}

type leanHooks struct {
	goplugin.Plugin
	served *bridged
}

func (l *leanHooks) Server(broker *goplugin.MuxBroker) (any, error) {
	server, err := l.Plugin.Server(broker)
	if err != nil {
		return nil, err
	}
	implemented := func() ([]string, error) { return []string{"ServeHTTP"}, nil }
	return service.NewNetRPCHooks(server, broker, nil, nil, l.served, implemented)
}

// overNetRPC runs the proxy in a plugin of Mattermost's own plugin environment.
func overNetRPC(configure func(*goplugin.ServeConfig, *bridged)) func(*testing.T, *httpproxy.Proxy) http.HandlerFunc {
	return func(t *testing.T, proxy *httpproxy.Proxy) http.HandlerFunc {
		ctx, cancel := context.WithCancel(context.Background())
		reattach, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
		served := &bridged{proxy: proxy}
		go plugin.ClientMain(served, plugin.WithTestContext(ctx), plugin.WithTestReattachConfigCh(reattach),
			plugin.WithTestCloseCh(closed), func(config *goplugin.ServeConfig) error {
				config.Logger = hclog.NewNullLogger()
				configure(config, served)
				return nil
			})
		logger, err := mlog.NewLogger()
		require.NoError(t, err)
		env, err := plugin.NewEnvironment(func(*model.Manifest) plugin.API { return nil }, nil, t.TempDir(), t.TempDir(), logger, nil)
		require.NoError(t, err)
		manifest := &model.Manifest{Id: pluginID, Version: "1.0.0", Server: &model.ManifestServer{Executable: "bridge"}}
		require.NoError(t, env.Reattach(manifest, model.NewPluginReattachConfig(<-reattach)))
		hooks, err := env.HooksForPlugin(pluginID)
		require.NoError(t, err)
		t.Cleanup(func() {
			env.Shutdown()
			cancel()
			<-closed
			require.NoError(t, logger.Shutdown())
		})
		return func(w http.ResponseWriter, r *http.Request) { hooks.ServeHTTP(&plugin.Context{RequestId: "r1"}, w, r) }
	}
}

func (s *site) path(path string) string { return s.URL + "/plugins/" + pluginID + path }

func (s *site) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	response, err := s.Client().Get(s.path(path))
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func TestRequestsReachThePluginAsTheServerHandedThemOver(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=1")
		fmt.Fprintf(w, "%s %s %s\n", r.Method, r.RequestURI, r.Host)
		for _, name := range []string{"X-Mattermost-Bridge-Context", "X-Mattermost-Bridge-Root", "Mattermost_user_id", "X_mattermost_bridge_root", "Mattermost-User-Id", "X-Forwarded-For"} {
			fmt.Fprintf(w, "%s=%s\n", name, r.Header.Get(name))
		}
	})
	sites(t, app, func(t *testing.T, s *site) {
		request, err := http.NewRequest(http.MethodGet, s.path("/a%2Fb/c?x=%zz;y"), nil)
		require.NoError(t, err)
		request.Header = http.Header{
			"X-Mattermost-Bridge-Root": {"/forged"}, "Mattermost_user_id": {"forged"}, "X_mattermost_bridge_root": {"forged"},
			"Mattermost-User-Id": {"u1"}, "X-Forwarded-For": {"10.0.0.1"}, "Connection": {"Mattermost-User-Id, X-Mattermost-Bridge-Context"},
		}
		response, err := s.Client().Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)

		require.Equal(t, "GET /a%2Fb/c?x=%zz;y "+request.URL.Host+"\n"+
			"X-Mattermost-Bridge-Context=GgJyMQ\nX-Mattermost-Bridge-Root=/plugins/com.example.http\n"+
			"Mattermost_user_id=\nX_mattermost_bridge_root=\nMattermost-User-Id=u1\nX-Forwarded-For=10.0.0.1\n", string(body))
		require.Equal(t, []string{"max-age=1"}, response.Header["Cache-Control"], "the plugin's value replaces the server's")
		require.Equal(t, []string{"yes"}, response.Header["X-Server"])
	})
}

func TestTrailersAndEarlyHintsPass(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Announced")
		io.WriteString(w, "body")
		w.Header().Set("X-Announced", "1")
		w.Header().Set(http.TrailerPrefix+"X-Sudden", "2")
	})
	sites(t, app, func(t *testing.T, s *site) {
		var hints []string
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			hints = append(hints, fmt.Sprint(code, header.Get("Link")))
			return nil
		}}
		request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, s.path("/"), nil)
		require.NoError(t, err)
		response, err := s.Client().Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, "body", string(body))
		require.Equal(t, []string{"103</style.css>"}, hints)
		require.Equal(t, http.Header{"X-Announced": {"1"}, "X-Sudden": {"2"}}, response.Trailer)
	})
}

func TestBodiesPassBothWays(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%d;", r.ContentLength)
		w.Write(body)
	})
	content := make([]byte, 5_000_000)
	_, err := rand.NewChaCha8([32]byte{}).Read(content)
	require.NoError(t, err)
	sites(t, app, func(t *testing.T, s *site) {
		for _, size := range []int{0, 1, 70_000, len(content)} {
			for _, announced := range []bool{true, false} {
				body := content[:size]
				var reader io.Reader = bytes.NewReader(body)
				length := int64(size)
				if !announced {
					reader, length = io.MultiReader(reader), -1
				}
				response, err := s.Client().Post(s.path("/"), "text/plain", reader)
				require.NoError(t, err)
				got, err := io.ReadAll(response.Body)
				response.Body.Close()
				require.NoError(t, err)
				if size == 0 {
					require.Regexp(t, "^(0|-1);$", string(got))
					continue
				}
				require.True(t, bytes.Equal(append(fmt.Appendf(nil, "%d;", length), body...), got))
			}
		}
	})
}

func TestPiecesArriveAsTheyAreWritten(t *testing.T) {
	next := make(chan struct{})
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/announced" {
			w.Header().Set("Content-Length", "15")
		}
		for i := range 3 {
			fmt.Fprintf(w, "piece%d", i)
			w.(http.Flusher).Flush()
			if i < 2 {
				<-next
			}
		}
	})
	sites(t, app, func(t *testing.T, s *site) {
		for _, path := range []string{"/", "/announced"} {
			response, err := s.Client().Get(s.path(path))
			require.NoError(t, err)
			piece := make([]byte, 6)
			for i := range 3 {
				if path == "/announced" {
					piece = piece[:min(6, 15-6*i)]
				}
				_, err := io.ReadFull(response.Body, piece)
				if path == "/announced" && i == 2 {
					break // the server cuts what is more than announced
				}
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf("piece%d", i), string(piece))
				if i < 2 {
					next <- struct{}{}
				}
			}
			response.Body.Close()
		}
	})
}

func TestAResponseThatBreaksOffIsNoWholeOne(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond)
		}
		panic(http.ErrAbortHandler)
	})
	sites(t, app, func(t *testing.T, s *site) {
		response, err := s.Client().Get(s.path("/late"))
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.Equal(t, "half", string(body))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)

		response, _ = s.get(t, "/early")
		require.Equal(t, http.StatusBadGateway, response.StatusCode)
	})
}

func TestAPluginThatIsNotThere(t *testing.T) {
	sites(t, http.NotFoundHandler(), func(t *testing.T, s *site) {
		for err, status := range map[error]int{
			httpproxy.ErrRestarting: http.StatusServiceUnavailable, errors.New("broken"): http.StatusBadGateway,
		} {
			s.missing.Store(&err)
			response, body := s.get(t, "/")
			require.Equal(t, status, response.StatusCode)
			require.NotContains(t, body, "broken")
			require.Equal(t, status == http.StatusServiceUnavailable, response.Header.Get("Retry-After") == "1")
		}
		s.missing.Store(nil)
		s.endpoint.Store(&httpproxy.Endpoint{Network: "unix", Address: s.endpoint.Load().Address + "-gone"})
		response, _ := s.get(t, "/")
		require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
		s.endpoint.Store(&httpproxy.Endpoint{})
		response, _ = s.get(t, "/")
		require.Equal(t, http.StatusNotFound, response.StatusCode)
	})
}

func TestARequestIsSentAgainWhenThePluginClosedTheConnection(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		buffered.ReadByte() // of the next request
	})
	sites(t, app, func(t *testing.T, s *site) {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
			for range 3 {
				request, err := http.NewRequest(method, s.path("/"), nil)
				require.NoError(t, err)
				response, err := s.Client().Do(request)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, http.StatusOK, response.StatusCode, method)
			}
		}
	})
}

func TestABodyMayComeWithAMethodThatUsuallyHasNone(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	})
	sites(t, app, func(t *testing.T, s *site) {
		for _, size := range []int{1, 511, 512, 513, 100_000} {
			body := bytes.Repeat([]byte("x"), size)
			request, err := http.NewRequest(http.MethodGet, s.path("/"), io.MultiReader(bytes.NewReader(body)))
			require.NoError(t, err)
			response, err := s.Client().Do(request)
			require.NoError(t, err)
			got, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, string(body), string(got))
		}
	})
}

func TestPatienceIsWithTheClientOnly(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silence" {
			<-r.Context().Done()
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
		w.(http.Flusher).Flush()
		time.Sleep(2 * answerTimeout) // a response that has begun may take its time
		io.WriteString(w, "!")
	})
	sites(t, app, func(t *testing.T, s *site) {
		s.patience.Store(int64(answerTimeout))
		response, _ := s.get(t, "/silence")
		require.Equal(t, http.StatusGatewayTimeout, response.StatusCode)

		reader, writer := io.Pipe()
		go func() {
			for range 5 {
				time.Sleep(answerTimeout / 2)
				io.WriteString(writer, "slow")
			}
			writer.Close()
		}()
		response, err := s.Client().Post(s.path("/"), "text/plain", reader)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("slow", 5)+"!", string(body))
	})
}

func TestAnUploadThatBreaksOffIsNoWholeOne(t *testing.T) {
	failed := make(chan error, 1)
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	})
	sites(t, app, func(t *testing.T, s *site) {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		fmt.Fprintf(conn, "POST /plugins/%s/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf", pluginID)
		time.Sleep(50 * time.Millisecond)
		require.NoError(t, conn.Close())
		require.Error(t, <-failed)
	})
}

func TestAClientThatLeavesEndsTheResponse(t *testing.T) {
	ended := make(chan struct{})
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	for name, over := range map[string]func(*testing.T, *httpproxy.Proxy) http.HandlerFunc{
		"in the server": direct, "over Mattermost's net/rpc": overNetRPC(plain), "over net/rpc": overNetRPC(lean),
	} {
		t.Run(name, func(t *testing.T) {
			ended = make(chan struct{})
			s := newSite(t, app, over)
			response, err := s.Client().Get(s.path("/"))
			require.NoError(t, err)
			_, err = io.ReadFull(response.Body, make([]byte, 1<<20))
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			select {
			case <-ended:
			case <-time.After(time.Minute):
				t.Fatal("the plugin goes on")
			}
		})
	}
}

func TestUpgradedConnectionsCarryWhatBothSidesSay(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Own: 1\r\n\r\n")
		io.Copy(conn, buffered)
	})
	sites(t, app, func(t *testing.T, s *site) {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		// "early" arrives with the request, before the server knows that it is not another one.
		fmt.Fprintf(conn, "GET /plugins/%s/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly", pluginID)
		reader := bufio.NewReader(conn)
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
		require.Equal(t, "1", response.Header.Get("X-Own"))
		for _, message := range []string{"early", "hello", strings.Repeat("long", 100_000)} {
			if message != "early" {
				go io.WriteString(conn, message)
			}
			echo := make([]byte, len(message))
			_, err = io.ReadFull(reader, echo)
			require.NoError(t, err)
			require.Equal(t, message, string(echo))
		}
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		rest, err := io.ReadAll(reader)
		require.NoError(t, err)
		require.Empty(t, rest)
	})
}

func TestWhatBreaksOffWhileThePluginEndsIsNoFault(t *testing.T) {
	for _, ending := range []bool{false, true} {
		server := newRaw(t, func(_ *http.Request, conn io.Writer) {
			conn.(io.Closer).Close()
		})
		var output bytes.Buffer
		proxy := httpproxy.New(httpproxy.Options{
			Locate: func(context.Context, string) (httpproxy.Endpoint, error) {
				return httpproxy.Endpoint{Network: "unix", Address: server.socket}, nil
			},
			Dial:          func(ctx context.Context, _ httpproxy.Endpoint) (net.Conn, error) { return server.dial(ctx) },
			AnswerTimeout: func(string) time.Duration { return time.Minute },
			Ending:        func() bool { return ending },
			PluginID:      pluginID,
			Logger:        hclog.New(&hclog.LoggerOptions{Output: &output, Level: hclog.Info}),
		})
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { proxy.ServeHTTP(&plugin.Context{}, w, r) })
		require.Equal(t, http.StatusBadGateway, ask(t, handler, http.MethodGet, "/").status)
		proxy.Close()
		require.Equal(t, !ending, strings.Contains(output.String(), "[ERROR]"), output.String())
	}
}
