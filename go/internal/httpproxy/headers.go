package httpproxy

import (
	"encoding/base64"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/mattermost/mattermost/server/public/plugin"
	"golang.org/x/net/http/httpguts"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// What travels beside a request, in headers that nobody but the host can set. The names are part of the contract
// with plugin processes (docs/design/http.md).
const (
	reservedPrefix = "X-Mattermost-Bridge-"
	contextHeader  = reservedPrefix + "Context" // base64url of the message Context
	rootHeader     = reservedPrefix + "Root"    // path under which clients reach the plugin, percent-encoded
	remoteHeader   = reservedPrefix + "Remote"  // address of the server's peer

	// serverPrefix begins the names of the headers in which the server says who asks.
	serverPrefix = "Mattermost-"
)

// hopByHop headers belong to one connection; ReverseProxy's list, which it applies before what the server vouches
// for is put in again. TE is set by outgoing.
var hopByHop = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// canonical returns a request whose headers have their names in canonical form, as net/http's Server has them. Another
// plugin may have spelled them otherwise, which makes them other keys here, and the same to whoever reads the request.
func canonical(r *http.Request) *http.Request {
	for name := range r.Header {
		if textproto.CanonicalMIMEHeaderKey(name) == name {
			continue
		}
		header := make(http.Header, len(r.Header))
		for name, values := range r.Header {
			if !forged(name) {
				name = textproto.CanonicalMIMEHeaderKey(name)
				header[name] = append(header[name], values...)
			}
		}
		r = r.WithContext(r.Context())
		r.Header = header
		return r
	}
	return r
}

// outgoing returns the URL and the headers of the request to the plugin.
func outgoing(c *plugin.Context, r *http.Request, pluginID string) (url.URL, http.Header) {
	out := make(http.Header, len(r.Header)+3)
	for name, values := range r.Header {
		if !forged(name) {
			out[name] = values
		}
	}
	for _, line := range r.Header["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name))
			// A client cannot make the plugin miss what the server says about it.
			if !strings.HasPrefix(name, serverPrefix) {
				out.Del(name)
			}
		}
	}
	for _, name := range hopByHop {
		out.Del(name)
	}
	if httpguts.HeaderValuesContainsToken(r.Header["Te"], "trailers") {
		out.Set("Te", "trailers")
	}
	if _, given := out["User-Agent"]; !given {
		out["User-Agent"] = nil // else ReverseProxy or net/http has its own sent
	}

	target, root := split(r, pluginID)
	out[contextHeader] = []string{encodeContext(c)}
	out[rootHeader] = []string{root}
	out[remoteHeader] = []string{r.RemoteAddr}
	return target, out
}

// forged tells whether a header claims to be from us or the server. The server removes the names that it uses itself
// in the one spelling it knows; with underscores in the place of hyphens they are others to it and to HTTP, but the
// same to a WSGI application. In lower case, which only another plugin can send, they are the same to every one.
func forged(name string) bool {
	folded := textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(name, "_", "-"))
	if strings.HasPrefix(folded, reservedPrefix) {
		return true
	}
	return strings.HasPrefix(folded, serverPrefix) && folded != name
}

// encodeContext is the inverse of what the SDK does in http/_scope.py.
func encodeContext(c *plugin.Context) string {
	return base64.RawURLEncoding.EncodeToString(convert.AppendContext(nil, c))
}

// split returns what the plugin is asked for, and the path under which the server has the plugin. The server hands
// over the path below the plugin's, and the line of the request as it came.
func split(r *http.Request, pluginID string) (url.URL, string) {
	target := url.URL{Scheme: "http", Host: "plugin", Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	if !strings.HasPrefix(target.Path, "/") {
		target.Path = "/" + target.Path
	}
	root := "/plugins/" + pluginID
	if asked, err := url.ParseRequestURI(r.RequestURI); err == nil && strings.HasSuffix(asked.Path, r.URL.Path) {
		prefix := url.URL{Path: strings.TrimSuffix(asked.Path, r.URL.Path)}
		root = prefix.EscapedPath()
		// Only the line still has %2F as it was.
		if rest, ok := strings.CutPrefix(asked.EscapedPath(), root); ok && strings.HasPrefix(rest, "/") {
			target.RawPath = rest
		}
	}
	return target, root
}
