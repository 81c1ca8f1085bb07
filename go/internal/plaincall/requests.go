package plaincall

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/metadata"
)

// request is what a header block of a request says.
type request struct {
	path     string
	timeout  time.Duration // 0: none
	metadata metadata.MD
	refusal  string // not gRPC: the HTTP status it is answered with
	encoding string // other than identity
	broken   string // not even HTTP: why
	pseudo   bool   // has pseudo-header fields, which trailers have not
}

// requests decodes the header blocks of a connection. Most are the same few, and as long as the dynamic table stays as
// it is they mean the same, so what was made of them is remembered.
type requests struct {
	decoder *hpack.Decoder
	known   map[string]*request
}

const headerTableSize = 4096 // what a client may assume

func newRequests() *requests {
	return &requests{decoder: hpack.NewDecoder(headerTableSize, nil), known: map[string]*request{}}
}

func (r *requests) decode(block []byte) (*request, error) {
	if found, ok := r.known[string(block)]; ok {
		return found, nil
	}
	fields, err := r.decoder.DecodeFull(block)
	if err != nil {
		return nil, fmt.Errorf("header block: %w", err)
	}
	out := interpretRequest(fields)
	changed := changesTable(block)
	if changed || len(r.known) >= maxRemembered {
		clear(r.known)
	}
	if !changed {
		r.known[string(block)] = out
	}
	return out, nil
}

func interpretRequest(fields []hpack.HeaderField) *request {
	out := &request{
		broken: malformed(fields, ":method", ":scheme", ":path", ":authority"),
		pseudo: hasPseudo(fields),
	}
	method, contentType := "", ""
	for _, field := range fields {
		switch field.Name {
		case ":method":
			method = field.Value
		case ":path":
			out.path = field.Value
		case "content-type":
			contentType = field.Value
		case "grpc-timeout":
			timeout, err := parseTimeout(field.Value)
			if err != nil {
				out.broken = err.Error()
			}
			out.timeout = timeout
		case "grpc-encoding":
			if field.Value != "identity" {
				out.encoding = field.Value
			}
		case ":scheme", ":authority", "host", "te", "user-agent", "grpc-accept-encoding", "accept-encoding", "grpc-message-type", "content-length":
		default:
			if out.metadata == nil {
				out.metadata = metadata.MD{}
			}
			value := field.Value
			if strings.HasSuffix(field.Name, "-bin") {
				raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
				if err != nil {
					out.broken = fmt.Sprintf("%s is not base64", field.Name)
				}
				value = string(raw)
			}
			out.metadata.Append(field.Name, value)
		}
	}
	switch {
	case out.broken != "":
	case method == "" || out.path == "":
		out.broken = ":method and :path are required"
	case method != "POST":
		out.refusal = "405"
	case !strings.HasPrefix(contentType, "application/grpc"):
		out.refusal = "415"
	}
	return out
}

var timeoutUnits = map[byte]time.Duration{
	'H': time.Hour, 'M': time.Minute, 'S': time.Second,
	'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
}

// parseTimeout reads grpc-timeout; more than a Duration holds is as much as it holds.
func parseTimeout(text string) (time.Duration, error) {
	if len(text) < 2 || len(text) > 9 {
		return 0, fmt.Errorf("grpc-timeout %q is malformed", text)
	}
	unit, ok := timeoutUnits[text[len(text)-1]]
	number, err := strconv.ParseUint(text[:len(text)-1], 10, 63)
	if err != nil || !ok {
		return 0, fmt.Errorf("grpc-timeout %q is malformed", text)
	}
	const most = 1<<63 - 1
	if number > most/uint64(unit) {
		return most, nil
	}
	return max(time.Duration(number)*unit, 1), nil
}

// changesTable tells whether a block, which has been decoded without an error, enters fields into the dynamic table or
// changes its size.
func changesTable(block []byte) bool {
	for at := 0; at < len(block); {
		first := block[at]
		switch {
		case first&0x80 != 0: // indexed
			_, at = integer(block, at, 7)
		case first&0xe0 == 0: // literal that enters no table
			var name int
			if name, at = integer(block, at, 4); name == 0 {
				at = skipString(block, at)
			}
			at = skipString(block, at)
		default:
			return true
		}
	}
	return false
}

// integer reads an integer of RFC 7541, section 5.1, and returns it and where the next octet is. What is out of range
// is as large as it matters.
func integer(block []byte, at, prefix int) (int, int) {
	most := 1<<prefix - 1
	value := int(block[at]) & most
	at++
	if value < most {
		return value, at
	}
	for shift := 0; at < len(block); shift += 7 {
		octet := block[at]
		at++
		value += int(octet&0x7f) << min(shift, 28)
		if octet&0x80 == 0 {
			break
		}
	}
	return value, at
}

func skipString(block []byte, at int) int {
	if at >= len(block) {
		return at
	}
	length, next := integer(block, at, 7)
	return next + length
}
