package plaincall

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"
)

func TestABlockMeansWhatTheTableSaysWhenItComes(t *testing.T) {
	var out bytes.Buffer
	encoder := hpack.NewEncoder(&out)
	block := func(path string) []byte {
		out.Reset()
		for _, field := range []hpack.HeaderField{
			{Name: ":method", Value: "POST"}, {Name: ":path", Value: path},
		} {
			require.NoError(t, encoder.WriteField(field))
		}
		return bytes.Clone(out.Bytes())
	}
	decoder := newRequests()
	// The encoder enters each new path into the table, and names it by its place there from the second time on. That
	// place moves with each further path, so that the same octets come to name another path.
	seen := map[string]string{}
	moved := false
	for round := range 3 {
		for _, path := range []string{"/a", "/b", "/a", "/c", "/c", "/b", "/b", "/a"} {
			encoded := block(path)
			got, err := decoder.decode(encoded)
			require.NoError(t, err)
			require.Equal(t, path, got.path, "round %d", round)
			if before, ok := seen[string(encoded)]; ok && before != path {
				moved = true
			}
			seen[string(encoded)] = path
		}
	}
	require.True(t, moved, "the test met no block that changed its meaning")
	require.NotEmpty(t, decoder.known)
}

func TestLiteralsThatEnterNoTableLeaveItAsItIs(t *testing.T) {
	block := appendLiteral([]byte{0x80 | 3}, 4, "", "/a")
	block = appendLiteral(block, 0, "name", string(bytes.Repeat([]byte("v"), 300)))
	require.False(t, changesTable(block))
	require.True(t, changesTable(append(block, 0x40, 1, 'n', 1, 'v')))
	require.True(t, changesTable([]byte{0x20}))
}

func TestTimeoutsAreRead(t *testing.T) {
	for text, want := range map[string]string{"1H": "1h0m0s", "30S": "30s", "5m": "5ms", "7u": "7µs", "9n": "9ns", "0n": "1ns"} {
		got, err := parseTimeout(text)
		require.NoError(t, err)
		require.Equal(t, want, got.String())
	}
	got, err := parseTimeout("99999999H")
	require.NoError(t, err)
	require.Positive(t, got)
	for _, text := range []string{"", "S", "1", "1x", "-1S", "123456789S"} {
		_, err := parseTimeout(text)
		require.Error(t, err, text)
	}
}
