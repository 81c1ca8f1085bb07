package plaincall

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// requestBlocks holds the header block of each method.
type requestBlocks struct{ byMethod sync.Map }

func (b *requestBlocks) get(method string) []byte {
	if found, ok := b.byMethod.Load(method); ok {
		return found.([]byte)
	}
	block := []byte{0x80 | 3, 0x80 | 6} // :method POST, :scheme http
	block = appendLiteral(block, 4, "", method)
	block = appendLiteral(block, 1, "", "localhost")
	block = appendLiteral(block, 31, "", "application/grpc")
	block = appendLiteral(block, 0, "te", "trailers")
	block = appendLiteral(block, 58, "", "mattermost-plugin-host")
	b.byMethod.Store(method, block)
	return block
}

// appendLiteral appends a header field that enters no table (RFC 7541, section 6.2.2). index names the field in the
// static table; 0: by name.
func appendLiteral(out []byte, index byte, name, value string) []byte {
	if index < 15 {
		out = append(out, index)
	} else {
		out = append(out, 15, index-15)
	}
	if index == 0 {
		out = appendString(out, name)
	}
	return appendString(out, value)
}

func appendString(out []byte, text string) []byte {
	length := len(text)
	if length < 0x7f {
		return append(append(out, byte(length)), text...)
	}
	out = append(out, 0x7f)
	for length -= 0x7f; length >= 0x80; length >>= 7 {
		out = append(out, byte(length)|0x80)
	}
	return append(append(out, byte(length)), text...)
}

// appendTimeout appends grpc-timeout. What is left of many seconds is rounded up to whole ones: the deadline is kept
// on this side, to the moment.
func appendTimeout(out []byte, left time.Duration) []byte {
	text := ""
	switch {
	case left >= 5*time.Second:
		text = strconv.FormatInt(min(int64((left+time.Second-1)/time.Second), 99999999), 10) + "S"
	case left >= 10*time.Millisecond:
		text = strconv.FormatInt(int64((left+time.Millisecond-1)/time.Millisecond), 10) + "m"
	default:
		text = strconv.FormatInt(max(int64(left/time.Microsecond), 1), 10) + "u"
	}
	return appendLiteral(out, 0, "grpc-timeout", text)
}

// reply is what a header block of a response says.
type reply struct {
	final   bool // holds grpc-status: the call has ended
	failure error
}

// replies remembers what blocks mean. There is no dynamic table, so that the same octets always mean the same.
type replies struct{ known map[string]reply }

const maxRemembered = 64

func (r *replies) decode(block []byte) (reply, error) {
	if found, ok := r.known[string(block)]; ok {
		return found, nil
	}
	decoder := hpack.NewDecoder(0, nil)
	fields, err := decoder.DecodeFull(block)
	if err != nil {
		return reply{}, fmt.Errorf("header block: %w", err)
	}
	out := interpret(fields)
	if r.known == nil || len(r.known) >= maxRemembered {
		r.known = map[string]reply{}
	}
	r.known[string(block)] = out
	return out, nil
}

func interpret(fields []hpack.HeaderField) reply {
	if reason := malformed(fields, ":status"); reason != "" {
		return reply{final: true, failure: status.Errorf(codes.Internal, "the server sent a malformed response: %s", reason)}
	}
	var code, message, details, httpStatus, contentType, encoding string
	for _, field := range fields {
		switch field.Name {
		case "grpc-status":
			code = field.Value
		case "grpc-message":
			message = field.Value
		case "grpc-status-details-bin":
			details = field.Value
		case ":status":
			httpStatus = field.Value
		case "content-type":
			contentType = field.Value
		case "grpc-encoding":
			encoding = field.Value
		}
	}
	switch {
	case code != "":
		return reply{final: true, failure: failureOf(code, message, details)}
	case httpStatus != "" && (httpStatus != "200" || !strings.HasPrefix(contentType, "application/grpc")):
		return reply{final: true, failure: httpFailure(httpStatus, contentType)}
	case encoding != "" && encoding != "identity":
		return reply{final: true, failure: status.Errorf(codes.Internal, "the response is encoded as %s, which was not offered", encoding)}
	}
	return reply{}
}

// failureOf makes an error of a status, nil of OK.
func failureOf(code, message, details string) error {
	number, err := strconv.ParseUint(code, 10, 32)
	if err != nil {
		return status.Errorf(codes.Unknown, "the server sent the status %q", code)
	}
	if number == 0 {
		return nil
	}
	if text, err := url.PathUnescape(message); err == nil {
		message = text
	}
	if details != "" {
		raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(details, "="))
		var detailed spb.Status
		if err == nil && proto.Unmarshal(raw, &detailed) == nil && detailed.Code == int32(number) {
			return status.ErrorProto(&detailed)
		}
	}
	return status.Error(codes.Code(number), message)
}

// httpFailure makes an error of a response that is not gRPC's, as gRPC maps it.
func httpFailure(httpStatus, contentType string) error {
	number, err := strconv.Atoi(httpStatus)
	if err != nil {
		number = 0
	}
	code := codes.Unknown
	switch number {
	case http.StatusBadRequest:
		code = codes.Internal
	case http.StatusUnauthorized:
		code = codes.Unauthenticated
	case http.StatusForbidden:
		code = codes.PermissionDenied
	case http.StatusNotFound:
		code = codes.Unimplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		code = codes.Unavailable
	}
	return status.Errorf(code, "the server answered with HTTP status %s and content-type %q", httpStatus, contentType)
}
