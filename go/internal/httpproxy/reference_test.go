package httpproxy_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mattermost/mattermost/server/public/plugin"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpproxy"
)

// The proxy against net/http's: what one makes of a request or a response, the other must make of it too, or refuse it.

// raw is a plugin's server that answers each request with bytes of the test's choice.
type raw struct {
	socket string
	answer func(r *http.Request, connection io.Writer)

	lock sync.Mutex
	got  []byte // of all connections
}

func newRaw(t *testing.T, answer func(r *http.Request, connection io.Writer)) *raw {
	s := &raw{socket: filepath.Join(t.TempDir(), "http"), answer: answer}
	listener, err := net.Listen("unix", s.socket)
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *raw) serve(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(io.TeeReader(conn, s))
	timer := time.NewTimer(time.Hour)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil || !timer.Stop() {
			return
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return
		}
		s.answer(request, conn)
		// Who takes the answer for the beginning of something longer does not wait for ever.
		timer = time.AfterFunc(100*time.Millisecond, func() { conn.Close() })
	}
}

// Write implements io.Writer, for what comes.
func (s *raw) Write(p []byte) (int, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.got = append(s.got, p...)
	return len(p), nil
}

// received returns what has come since it was asked last.
func (s *raw) received() []byte {
	s.lock.Lock()
	defer s.lock.Unlock()
	got := s.got
	s.got = nil
	return got
}

func (s *raw) dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", s.socket)
}

// proxy returns ours before the server.
func (s *raw) proxy(t *testing.T) http.Handler {
	proxy := httpproxy.New(httpproxy.Options{
		Locate: func(context.Context, string) (httpproxy.Endpoint, error) {
			return httpproxy.Endpoint{Network: "unix", Address: s.socket}, nil
		},
		Dial:          func(ctx context.Context, _ httpproxy.Endpoint) (net.Conn, error) { return s.dial(ctx) },
		AnswerTimeout: func(string) time.Duration { return time.Minute },
		PluginID:      pluginID,
		Logger:        hclog.NewNullLogger(),
	})
	t.Cleanup(proxy.Close)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { proxy.ServeHTTP(&plugin.Context{}, w, r) })
}

// reference returns net/http's before the server.
func (s *raw) reference(t *testing.T) http.Handler {
	transport := &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return s.dial(ctx) },
		DisableCompression: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "plugin"})
			r.Out.Host = r.In.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery
		},
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
	}
}

// seen is a response as a client has it.
type seen struct {
	status int
	header http.Header
	body   string
	whole  bool
}

func ask(t *testing.T, proxy http.Handler, method, path string) seen {
	t.Helper()
	server := httptest.NewUnstartedServer(proxy)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	require.NoError(t, err)
	response, err := server.Client().Do(request)
	if err != nil {
		return seen{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	response.Header.Del("Date")
	response.Header.Del("Content-Type") // the server guesses it, if the beginning of the body comes with the head
	return seen{response.StatusCode, response.Header, string(body), err == nil}
}

var oddResponses = map[string]string{
	"plain":                       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"chunked":                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	"trailers":                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
	"204 with a body":             "HTTP/1.1 204 No Content\r\nContent-Length: 40\r\n\r\n" + forged,
	"204 with chunks":             "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	"silently a body after 204":   "HTTP/1.1 204 No Content\r\n\r\n" + forged,
	"304 with a body":             "HTTP/1.1 304 Not Modified\r\nContent-Length: 40\r\n\r\n" + forged,
	"longer than announced":       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + forged,
	"silently a body after none":  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + forged,
	"longer than its chunks":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + forged,
	"two lengths":                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 42\r\n\r\nok" + forged,
	"one length twice":            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
	"length and chunks":           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	"negative length":             "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
	"length with a sign":          "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
	"other coding":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	"coding twice":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	"size that is no number":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nok\r\n0\r\n\r\n",
	"chunk longer than its size":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
	"extensions of chunks":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0;c\r\n\r\n",
	"endless extension":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("a", 100_000) + "\r\nok\r\n0\r\n\r\n",
	"many extensions":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("a", 2000)+"\r\nx\r\n", 40) + "0\r\n\r\n",
	"folded header":               "HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\nContent-Length: 2\r\n\r\nok",
	"line feeds alone":            "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
	"line feed in a header":       "HTTP/1.1 200 OK\r\nX-A: one\nX-B: two\r\nContent-Length: 2\r\n\r\nok",
	"carriage return in a header": "HTTP/1.1 200 OK\r\nX-A: one\rX-B: two\r\nContent-Length: 2\r\n\r\nok",
	"NUL in a header":             "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 2\r\n\r\nok",
	"space before the colon":      "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
	"line without a colon":        "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nok",
	"header without a name":       "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok",
	"hints":                       "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"hints with a body":           "HTTP/1.1 103 Early Hints\r\nContent-Length: 40\r\n\r\n" + forged + forged,
	"hints with chunks":           "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" + forged + forged,
	"continue unasked":            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"upgrade unasked":             "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + forged,
	"upgrade to nothing":          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n" + forged,
	"status below 100":            "HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nok",
	"status with a sign":          "HTTP/1.1 +20 OK\r\nContent-Length: 2\r\n\r\nok",
	"status of four digits":       "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
	"status 999":                  "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok",
	"no version":                  "200 OK\r\nContent-Length: 2\r\n\r\nok",
	"older version":               "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"hop-by-hop":                  "HTTP/1.1 200 OK\r\nConnection: X-Own, keep-alive\r\nX-Own: 1\r\nKeep-Alive: 5\r\nContent-Length: 2\r\n\r\nok",
	"close":                       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
	"nonsense":                    "nonsense\r\n\r\n",
	"two responses":               forged + forged,
	"large head":                  "HTTP/1.1 200 OK\r\nX-Large: " + strings.Repeat("a", 2<<20) + "\r\nContent-Length: 2\r\n\r\nok",
	"many headers":                "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Many: "+strings.Repeat("a", 1000)+"\r\n", 2000) + "Content-Length: 2\r\n\r\nok",
}

const forged = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!"

func TestResponsesAreWhatNetHTTPMakesOfThem(t *testing.T) {
	for name, response := range oddResponses {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			for _, slowly := range []bool{false, true} {
				if slowly && strings.HasPrefix(name, "silently ") {
					continue // what comes when the next request was sent is taken for its response by net/http as well
				}
				t.Run(fmt.Sprintf("%s %s slowly=%t", method, name, slowly), func(t *testing.T) {
					t.Parallel()
					server := newRaw(t, func(r *http.Request, conn io.Writer) {
						text := response
						if r.URL.Path == "/next" {
							text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"
						}
						head, rest, _ := strings.Cut(text, "\r\n\r\n")
						io.WriteString(conn, head+"\r\n\r\n")
						if slowly {
							time.Sleep(20 * time.Millisecond)
						}
						io.WriteString(conn, rest)
					})
					ours := server.proxy(t)
					got := ask(t, ours, method, "/odd")
					// Whatever it was, the next request gets its own response.
					for range 3 {
						require.Equal(t, "next", ask(t, ours, http.MethodGet, "/next").body)
					}
					want := ask(t, server.reference(t), method, "/odd")
					switch {
					case got.status == http.StatusBadGateway:
						return // refused
					case !want.whole:
						require.True(t, !got.whole || got.status == http.StatusInternalServerError)
						return
					case method != http.MethodHead:
						// The server may count a short body. Who reads less or more than it all is found by the body.
						got.header.Del("Content-Length")
						want.header.Del("Content-Length")
					}
					require.Equal(t, want, got)
				})
			}
		}
	}
}

func TestWhatIsNoResponseIsRefused(t *testing.T) {
	for _, name := range []string{
		"two lengths", "negative length", "other coding", "hints with a body", "hints with chunks", "upgrade unasked",
		"upgrade to nothing", "status below 100", "status with a sign", "NUL in a header", "large head", "nonsense",
	} {
		server := newRaw(t, func(_ *http.Request, conn io.Writer) { io.WriteString(conn, oddResponses[name]) })
		require.Equal(t, http.StatusBadGateway, ask(t, server.proxy(t), http.MethodGet, "/").status, name)
	}
}

// A request that did not ask for another protocol gets none by the way that is for those which do.
func TestAnUpgradeIsAskedFor(t *testing.T) {
	server := newRaw(t, func(_ *http.Request, conn io.Writer) { io.WriteString(conn, oddResponses["upgrade to nothing"]) })
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Expect", "100-continue")
	response := httptest.NewRecorder()
	server.proxy(t).ServeHTTP(response, request)
	require.Equal(t, http.StatusBadGateway, response.Code)
}

func TestRequestsAreWhatNetHTTPMakesOfThem(t *testing.T) {
	const smuggled = "\r\nMattermost-User-Id: forged\r\n\r\nGET /forged HTTP/1.1\r\nHost: x"
	for name, change := range map[string]func(*http.Request){
		"nothing":                   func(*http.Request) {},
		"method of several lines":   func(r *http.Request) { r.Method = "GET / HTTP/1.1" + smuggled + "\r\n\r\nGET" },
		"method with a space":       func(r *http.Request) { r.Method = "GET /x" },
		"no method":                 func(r *http.Request) { r.Method = "" },
		"own method":                func(r *http.Request) { r.Method = "PROPFIND" },
		"CONNECT":                   func(r *http.Request) { r.Method = http.MethodConnect },
		"host of several lines":     func(r *http.Request) { r.Host = "x" + smuggled },
		"host with a path":          func(r *http.Request) { r.Host = "x/y" },
		"host with a zone":          func(r *http.Request) { r.Host = "[fe80::1%25eth0]:80" },
		"no host":                   func(r *http.Request) { r.Host = "" },
		"query of several lines":    func(r *http.Request) { r.URL.RawQuery = "x HTTP/1.1" + smuggled },
		"query with a space":        func(r *http.Request) { r.URL.RawQuery = "x HTTP/1.1" },
		"query that is not escaped": func(r *http.Request) { r.URL.RawQuery = "ü;%zz" },
		"path of several lines":     func(r *http.Request) { r.URL.Path = "/x HTTP/1.1" + smuggled },
		"raw path of several lines": func(r *http.Request) { r.URL.RawPath = "/x HTTP/1.1" + smuggled },
		"path that begins with two": func(r *http.Request) { r.URL.Path = "//evil/x" },
		"header of several lines":   func(r *http.Request) { r.Header["X-A"] = []string{"x" + smuggled} },
		"header with a NUL":         func(r *http.Request) { r.Header["X-A"] = []string{"a\x00b"} },
		"name of several lines":     func(r *http.Request) { r.Header["X-A: b"+smuggled] = []string{"x"} },
		"name with a space":         func(r *http.Request) { r.Header["Content-Length "] = []string{"5"} },
		"length in lower case":      func(r *http.Request) { r.Header["content-length"] = []string{"5"} },
		"coding in lower case":      func(r *http.Request) { r.Header["transfer-encoding"] = []string{"chunked"} },
		"length and coding": func(r *http.Request) {
			r.Header["Content-Length"], r.Header["Transfer-Encoding"] = []string{"5"}, []string{"chunked"}
		},
		"two lengths":                  func(r *http.Request) { r.Header["Content-Length"] = []string{"5", "6"} },
		"connection in lower case":     func(r *http.Request) { r.Header["connection"] = []string{"close"} },
		"host among the headers":       func(r *http.Request) { r.Header["Host"] = []string{"other"} },
		"connection names a length":    func(r *http.Request) { r.Header["Connection"] = []string{"Content-Length, Host"} },
		"trailers are welcome":         func(r *http.Request) { r.Header["Te"] = []string{"deflate, trailers"} },
		"trailers are nearly welcome":  func(r *http.Request) { r.Header["Te"] = []string{"xtrailers"} },
		"remote address of more lines": func(r *http.Request) { r.RemoteAddr = "1.2.3.4:5" + smuggled },
	} {
		for _, body := range []string{"", "12345"} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, len(body)), func(t *testing.T) {
				server := newRaw(t, func(r *http.Request, conn io.Writer) {
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				})
				send := func(change func(*http.Request), proxy http.Handler) ([]*http.Request, int) {
					request := httptest.NewRequest(http.MethodPost, "/path?a=b", strings.NewReader(body))
					request.Header.Set("Content-Length", fmt.Sprint(len(body)))
					change(request)
					response := httptest.NewRecorder()
					proxy.ServeHTTP(response, request)
					return parsed(t, server.received()), response.Code
				}
				got, status := send(change, server.proxy(t))
				if status != http.StatusOK {
					require.Contains(t, []int{http.StatusBadRequest, http.StatusNotImplemented}, status)
					require.Empty(t, got)
					return
				}
				require.Len(t, got, 1)
				require.Empty(t, got[0].Header.Values("Mattermost-User-Id"))
				given := change
				change := func(r *http.Request) {
					given(r)
					header := make(http.Header) // another spelling is the same header
					for name, values := range r.Header {
						header[http.CanonicalHeaderKey(name)] = values
					}
					r.Header = header
				}
				want, _ := send(change, server.reference(t))
				require.Len(t, want, 1)
				for _, request := range append(got, want...) {
					for name := range request.Header {
						if strings.HasPrefix(name, "X-Mattermost-Bridge-") || strings.HasPrefix(name, "X-Forwarded-") {
							request.Header.Del(name)
						}
					}
				}
				require.Equal(t, described(want[0]), described(got[0]))
			})
		}
	}
}

// parsed returns the requests in what a server got.
func parsed(t *testing.T, data []byte) (requests []*http.Request) {
	t.Helper()
	for reader := bufio.NewReader(bytes.NewReader(data)); ; {
		request, err := http.ReadRequest(reader)
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return requests
		}
		body, err := io.ReadAll(request.Body)
		require.NoError(t, err)
		request.Body = io.NopCloser(bytes.NewReader(body))
		requests = append(requests, request)
	}
}

func described(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	return fmt.Sprintln(r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding, r.Header, string(body))
}

func TestWhatAPluginSaysAboutUsersIsNotBelieved(t *testing.T) {
	server := newRaw(t, func(_ *http.Request, conn io.Writer) {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header = http.Header{
		"Mattermost-User-Id": {"u1"}, "mattermost-user-id": {"forged"}, "MATTERMOST-USER-ID": {"forged"},
		"mattermost_user_id": {"forged"}, "x-mattermost-bridge-context": {"forged"}, "x-own": {"kept"},
	}
	server.proxy(t).ServeHTTP(httptest.NewRecorder(), request)
	got := string(server.received())
	require.NotContains(t, got, "forged")
	require.Contains(t, got, "Mattermost-User-Id: u1\r\n")
	require.Contains(t, got, "X-Own: kept\r\n")
}

func TestAnAddressThatIsTooLongIsRefused(t *testing.T) {
	server := newRaw(t, func(r *http.Request, conn io.Writer) {
		body := fmt.Sprint(len(r.RequestURI))
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	})
	proxy := server.proxy(t)
	for _, size := range []int{65534, 65535, 65536, 65537, 70_000, 131_072, 500_000} {
		for _, start := range []string{"/", "/?q="} {
			got := ask(t, proxy, http.MethodGet, start+strings.Repeat("y", size-len(start)))
			if size <= 65535 {
				require.Equal(t, fmt.Sprint(size), got.body)
			} else {
				require.Equal(t, http.StatusRequestURITooLong, got.status)
			}
		}
	}
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("X-Large", strings.Repeat("x", 2<<20))
	response := httptest.NewRecorder()
	proxy.ServeHTTP(response, request)
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.Code)
}
