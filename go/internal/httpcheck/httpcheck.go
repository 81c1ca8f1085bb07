// Package httpcheck tells what may be part of the head of an HTTP message.
//
// A head that a client sent was checked by the server's net/http. One that came over net/rpc or gRPC was not: its
// fields are any text, and would forge headers and whole requests if they were written as they are. The checks are
// those of net/http's Transport. What that repairs is an error here, so that nothing arrives as something else.
package httpcheck

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Method returns an error for what is no method of HTTP.
func Method(method string) error {
	if !httpguts.ValidHeaderFieldName(method) { // a method is a token as well
		return fmt.Errorf("%s is no method of HTTP", quoted(method))
	}
	return nil
}

// Target returns an error for a path with query that would not be one word of a request line.
func Target(target string) error {
	if strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("the path and query %s contain a control character or a space", quoted(target))
	}
	return nil
}

// Host returns an error for what cannot be the value of the header Host.
func Host(host string) error {
	// A zone means something on the client's machine only. net/http removes it.
	if !httpguts.ValidHostHeader(host) || strings.HasPrefix(host, "[") && strings.Contains(host, "%") {
		return fmt.Errorf("%s is no host", quoted(host))
	}
	return nil
}

// Header returns an error for a name or a value that would not be read as it is.
func Header(header http.Header) error {
	for name, values := range header {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("%s is no name of a header", quoted(name))
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("the header %s contains a control character", quoted(name))
			}
		}
	}
	return nil
}

// BodyLength returns how many bytes the body of a message has by its header, whose names are canonical; -1: the header
// does not say. It is an error if two readers could come to different lengths.
func BodyLength(header http.Header) (int64, error) {
	lengths, codings := header["Content-Length"], header["Transfer-Encoding"]
	switch {
	case len(codings) > 1 || len(codings) == 1 && !strings.EqualFold(codings[0], "chunked"):
		return 0, fmt.Errorf("the transfer encoding %s is not supported", quoted(strings.Join(codings, ", ")))
	case len(codings) > 0 && len(lengths) > 0:
		return 0, errors.New("the message has a Content-Length and a Transfer-Encoding")
	case len(lengths) == 0:
		return -1, nil
	}
	for _, other := range lengths[1:] {
		if other != lengths[0] {
			return 0, errors.New("the message has two values of Content-Length")
		}
	}
	length, err := strconv.ParseUint(lengths[0], 10, 63) // not ParseInt, which takes a sign
	if err != nil {
		return 0, fmt.Errorf("%s is no Content-Length", quoted(lengths[0]))
	}
	return int64(length), nil
}

// quoted returns a text for a message, or the beginning of a long one.
func quoted(text string) string {
	const enough = 40
	if len(text) > enough {
		return strconv.Quote(text[:enough]) + "..."
	}
	return strconv.Quote(text)
}
