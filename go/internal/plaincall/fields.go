package plaincall

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"
)

// malformed says what makes a header list malformed by RFC 9113, sections 8.2 and 8.3; empty: nothing. pseudo are the
// pseudo-header fields that may be in it, each once and before all regular ones.
func malformed(fields []hpack.HeaderField, pseudo ...string) string {
	var seen []string
	regular := false
	for _, field := range fields {
		if !strings.HasPrefix(field.Name, ":") {
			regular = true
			if reason := malformedField(field); reason != "" {
				return reason
			}
			continue
		}
		switch {
		case regular:
			return fmt.Sprintf("the pseudo-header field %s follows a regular one", field.Name)
		case !slices.Contains(pseudo, field.Name):
			return fmt.Sprintf("the pseudo-header field %q is not allowed here", field.Name)
		case slices.Contains(seen, field.Name):
			return fmt.Sprintf("the pseudo-header field %s appears twice", field.Name)
		}
		seen = append(seen, field.Name)
	}
	return ""
}

func malformedField(field hpack.HeaderField) string {
	switch {
	case !httpguts.ValidHeaderFieldName(field.Name) || strings.ToLower(field.Name) != field.Name:
		return fmt.Sprintf("%q is no name of a header field", field.Name)
	case !httpguts.ValidHeaderFieldValue(field.Value):
		return fmt.Sprintf("the header field %s has a value that is not allowed", field.Name)
	}
	switch field.Name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
		return fmt.Sprintf("the header field %s is not allowed in HTTP/2", field.Name)
	case "te":
		if field.Value != "trailers" {
			return "the header field te may only be trailers"
		}
	}
	return ""
}

// hasPseudo tells whether a header list has pseudo-header fields, which trailers have not.
func hasPseudo(fields []hpack.HeaderField) bool {
	return slices.ContainsFunc(fields, func(field hpack.HeaderField) bool { return strings.HasPrefix(field.Name, ":") })
}
