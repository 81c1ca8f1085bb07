package httpcheck_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/httpcheck"
)

func TestOnlyWhatHTTPHasIsAccepted(t *testing.T) {
	for name, each := range map[string]struct {
		check    func(string) error
		good, no []string
	}{
		"method": {
			httpcheck.Method,
			[]string{"GET", "PROPFIND", "x", "M-SEARCH"},
			[]string{"", "GET ", "GET /x HTTP/1.1\r\nA: b\r\n\r\nGET", "GE\nT", "G\x00T", "GÉT", "GET:", "A/B"},
		},
		"target": {
			httpcheck.Target,
			[]string{"/", "/a%20b?x=%zz;y", "/ü"},
			[]string{"/a b", "/a\r\nb", "/a\nb", "/?a\tb", "/?\x00", "/?\x7f"},
		},
		"host": {
			httpcheck.Host,
			[]string{"", "example.com:8065", "[::1]:8065", "a_b"},
			[]string{"a b", "a\r\nB: c", "a/b", "a\x00", "ü", "[fe80::1%25eth0]", "a@b\n"},
		},
		"name of a header": {
			func(name string) error { return httpcheck.Header(http.Header{name: {"x"}}) },
			[]string{"X-A", "x_a"},
			[]string{"", "A B", "A:", "A\r\nB", "A\x00", "Ü", "Content-Length "},
		},
		"value of a header": {
			func(value string) error { return httpcheck.Header(http.Header{"X": {"first", value}}) },
			[]string{"", "a b\tc", "gr\xfcn", "ü"},
			[]string{"a\r\nB: c", "a\nb", "a\rb", "a\x00b", "a\x7fb"},
		},
	} {
		for _, text := range each.good {
			require.NoError(t, each.check(text), "%s %q", name, text)
		}
		for _, text := range each.no {
			require.Error(t, each.check(text), "%s %q", name, text)
		}
	}
}

func TestAMessageHasOneLength(t *testing.T) {
	for _, each := range []struct {
		header http.Header
		want   int64
	}{
		{nil, -1},
		{http.Header{"Content-Length": {"0"}}, 0},
		{http.Header{"Content-Length": {"12", "12"}}, 12},
		{http.Header{"Transfer-Encoding": {"Chunked"}}, -1},
	} {
		length, err := httpcheck.BodyLength(each.header)
		require.NoError(t, err)
		require.Equal(t, each.want, length)
	}
	for _, header := range []http.Header{
		{"Content-Length": {"1", "2"}},
		{"Content-Length": {"+1"}},
		{"Content-Length": {"-1"}},
		{"Content-Length": {"0x1"}},
		{"Content-Length": {"1 "}},
		{"Content-Length": {""}},
		{"Content-Length": {"99999999999999999999"}},
		{"Content-Length": {"1"}, "Transfer-Encoding": {"chunked"}},
		{"Transfer-Encoding": {"gzip"}},
		{"Transfer-Encoding": {"chunked", "chunked"}},
		{"Transfer-Encoding": {"chunked, identity"}},
	} {
		_, err := httpcheck.BodyLength(header)
		require.Error(t, err, "%v", header)
	}
}
