package plaincall

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func block(t *testing.T, fields ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := hpack.NewEncoder(&out)
	encoder.SetMaxDynamicTableSize(0)
	for i := 0; i < len(fields); i += 2 {
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}))
	}
	return out.Bytes()
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	whole := []string{":method", "POST", ":scheme", "http", ":path", "/a", ":authority", "x", "content-type", "application/grpc", "te", "trailers"}
	with := func(fields ...string) []string { return append(append([]string{}, whole...), fields...) }
	before := func(fields ...string) []string { return append(fields, whole...) }
	got, err := newRequests().decode(block(t, whole...))
	require.NoError(t, err)
	require.Empty(t, got.broken)
	for name, fields := range map[string][]string{
		"path twice":              before(":path", "/b"),
		"method twice":            before(":method", "POST"),
		"scheme twice":            before(":scheme", "http"),
		"authority twice":         before(":authority", "y"),
		"pseudo after regular":    with(":path", "/b"),
		"regular first":           before("x-a", "b"),
		"unknown pseudo":          before(":other", "x"),
		"pseudo of responses":     before(":status", "200"),
		"empty pseudo":            before(":", "x"),
		"upper case":              with("X-A", "b"),
		"space in a name":         with("x a", "b"),
		"line break in a value":   with("x-a", "b\r\nc: d"),
		"connection":              with("connection", "close"),
		"transfer-encoding":       with("transfer-encoding", "chunked"),
		"te that is not trailers": with("te", "gzip"),
		"no path":                 {":method", "POST", "content-type", "application/grpc"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newRequests().decode(block(t, fields...))
			require.NoError(t, err)
			require.NotEmpty(t, got.broken)
		})
	}
}

func TestMalformedResponsesEndTheCall(t *testing.T) {
	for name, fields := range map[string][]string{
		"status twice":         {":status", "200", ":status", "200", "content-type", "application/grpc", "grpc-status", "0"},
		"pseudo after regular": {"content-type", "application/grpc", ":status", "200", "grpc-status", "0"},
		"pseudo of requests":   {":status", "200", ":path", "/a", "content-type", "application/grpc", "grpc-status", "0"},
		"upper case":           {":status", "200", "Grpc-Status", "0"},
		"connection":           {":status", "200", "content-type", "application/grpc", "connection", "close"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := (&replies{}).decode(block(t, fields...))
			require.NoError(t, err)
			require.True(t, got.final)
			require.Equal(t, codes.Internal, status.Code(got.failure))
		})
	}
	got, err := (&replies{}).decode(block(t, ":status", "200", "content-type", "application/grpc", "grpc-status", "0"))
	require.NoError(t, err)
	require.True(t, got.final)
	require.NoError(t, got.failure)
}
