package plaincall

import (
	"encoding/base64"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

var (
	// responseHead begins a response, okTrailers ends one that went well.
	responseHead = appendLiteral([]byte{0x80 | 8}, 31, "", "application/grpc") // :status 200
	okTrailers   = appendLiteral(nil, 0, "grpc-status", "0")
)

func appendMetadata(out []byte, md metadata.MD) []byte {
	for name, values := range md {
		for _, value := range values {
			if strings.HasSuffix(name, "-bin") {
				value = base64.RawStdEncoding.EncodeToString([]byte(value))
			}
			out = appendLiteral(out, 0, strings.ToLower(name), value)
		}
	}
	return out
}

// appendStatus appends the trailers that say how a call ended.
func appendStatus(out []byte, ended *status.Status, trailer metadata.MD) []byte {
	if ended.Code() == codes.OK && len(trailer) == 0 {
		return append(out, okTrailers...)
	}
	out = appendLiteral(out, 0, "grpc-status", strconv.Itoa(int(ended.Code())))
	if ended.Message() != "" {
		out = appendLiteral(out, 0, "grpc-message", percentEncode(ended.Message()))
	}
	if detailed := ended.Proto(); len(detailed.GetDetails()) > 0 {
		if raw, err := proto.Marshal(detailed); err == nil {
			out = appendLiteral(out, 0, "grpc-status-details-bin", base64.RawStdEncoding.EncodeToString(raw))
		}
	}
	return appendMetadata(out, trailer)
}

// percentEncode encodes a message as gRPC has it: what is not printable ASCII, and the percent sign.
func percentEncode(text string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		if c := text[i]; c >= ' ' && c <= '~' && c != '%' {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', digits[c>>4], digits[c&0xf]})
		}
	}
	return out.String()
}

// appendRefusal appends the head of a response that is HTTP but not gRPC.
func appendRefusal(out []byte, httpStatus string) []byte {
	return appendLiteral(out, 8, "", httpStatus)
}
