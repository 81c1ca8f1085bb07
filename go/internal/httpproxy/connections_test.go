package httpproxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConnectionsToThePluginAreUsedAgain(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d", r.Method, len(body))
	})
	sites(t, app, func(t *testing.T, s *site) {
		for range 10 {
			_, body := s.get(t, "/")
			require.Equal(t, "GET 0", body)
			response, err := s.Client().Post(s.path("/"), "text/plain", strings.NewReader("12345"))
			require.NoError(t, err)
			got, err := io.ReadAll(response.Body)
			response.Body.Close()
			require.NoError(t, err)
			require.Equal(t, "POST 5", string(got))
		}
		require.EqualValues(t, 1, s.accepted.Load())
	})
}

func TestAConnectionThatThePluginHasClosedIsReplaced(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") })
	sites(t, app, func(t *testing.T, s *site) {
		for request := range int64(3) {
			_, body := s.get(t, "/")
			require.Equal(t, "here", body)
			// The answer may be here before the plugin's server has done with it.
			require.Eventually(t, func() bool { return s.answered.Load() > request }, time.Minute, time.Millisecond)
			s.app.SetKeepAlivesEnabled(false) // closes those that are idle
			s.app.SetKeepAlivesEnabled(true)
		}
		require.EqualValues(t, 3, s.accepted.Load())
	})
}

func TestResponsesBelongToTheirRequests(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Path", r.URL.Path)
		io.WriteString(w, r.URL.Path)
	})
	sites(t, app, func(t *testing.T, s *site) {
		var asking sync.WaitGroup
		for caller := range 16 {
			asking.Go(func() {
				for i := range 25 {
					path := fmt.Sprintf("/%d/%d", caller, i)
					response, err := s.Client().Get(s.path(path))
					if err != nil {
						t.Error(err)
						return
					}
					body, err := io.ReadAll(response.Body)
					response.Body.Close()
					if err != nil || string(body) != path || response.Header.Get("X-Path") != path {
						t.Errorf("%s: %q, %v, %v", path, body, response.Header, err)
					}
				}
			})
		}
		asking.Wait()
	})
}

func TestAGetHasABodyOnlyIfItHas(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d %v %s", r.ContentLength, r.TransferEncoding, body)
	})
	sites(t, app, func(t *testing.T, s *site) {
		for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodOptions} {
			for _, each := range []struct {
				body io.Reader
				want string
			}{
				{nil, "0 [] "},
				{strings.NewReader("known"), "5 [] known"},
				{io.MultiReader(strings.NewReader("in pieces")), "-1 [chunked] in pieces"},
			} {
				request, err := http.NewRequest(method, s.path("/"), each.body)
				require.NoError(t, err)
				response, err := s.Client().Do(request)
				require.NoError(t, err)
				got, err := io.ReadAll(response.Body)
				response.Body.Close()
				require.NoError(t, err)
				require.Equal(t, each.want, string(got), method)
			}
		}
	})
}

func TestPiecesOfAnUploadArriveAsTheyAreSent(t *testing.T) {
	arrived := make(chan string)
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 64)
		for {
			n, err := r.Body.Read(piece)
			if n > 0 {
				arrived <- string(piece[:n])
			}
			if err != nil {
				return
			}
		}
	})
	sites(t, app, func(t *testing.T, s *site) {
		for _, framing := range []string{"Content-Length: 18\r\n", "Transfer-Encoding: chunked\r\n"} {
			conn, err := net.Dial("tcp", s.Listener.Addr().String())
			require.NoError(t, err)
			fmt.Fprintf(conn, "POST /plugins/%s/ HTTP/1.1\r\nHost: x\r\n%s\r\n", pluginID, framing)
			for i := range 3 {
				piece := fmt.Sprintf("piece%d", i)
				if strings.HasPrefix(framing, "T") {
					fmt.Fprintf(conn, "6\r\n%s\r\n", piece)
				} else {
					io.WriteString(conn, piece)
				}
				select {
				case got := <-arrived:
					require.Equal(t, piece, got)
				case <-time.After(time.Minute):
					t.Fatal("nothing has arrived")
				}
			}
			if strings.HasPrefix(framing, "T") {
				io.WriteString(conn, "0\r\n\r\n")
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.NoError(t, conn.Close())
		}
	})
}

func TestAnAnswerComesBeforeTheEndOfTheUpload(t *testing.T) {
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		http.Error(w, "too much", http.StatusRequestEntityTooLarge)
	})
	sites(t, app, func(t *testing.T, s *site) {
		body, more := io.Pipe()
		go func() {
			for err := error(nil); err == nil; {
				_, err = more.Write(make([]byte, 10_000))
			}
		}()
		request, err := http.NewRequest(http.MethodPost, s.path("/"), body)
		require.NoError(t, err)
		response, err := s.Client().Do(request)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
		require.NoError(t, body.Close())
	})
}
