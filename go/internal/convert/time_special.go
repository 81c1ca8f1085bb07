package convert

import "time"

const (
	timeSeconds = 1<<3 | varint
	timeNanos   = 2<<3 | varint
)

// appendTime appends a google.protobuf.Timestamp.
func appendTime(b []byte, in time.Time) []byte {
	b = appendInt(b, timeSeconds, uint64(in.Unix()))
	return appendInt(b, timeNanos, uint64(in.Nanosecond()))
}

// appendSetTime leaves the zero time out, which is Go's way to say that there is none.
func appendSetTime(b []byte, tag uint64, in time.Time) []byte {
	if in.IsZero() {
		return b
	}
	return appendWrapped(b, tag, in, appendTime)
}

// parseTime is the way back of appendTime, in UTC.
func parseTime(in source) (time.Time, error) {
	var seconds int64
	var nanos int32
	f := in.fields()
	for f.next() {
		switch f.tag {
		case timeSeconds:
			seconds = int64(f.value)
		case timeNanos:
			nanos = int32(f.value)
		}
	}
	return time.Unix(seconds, int64(nanos)).UTC(), f.err
}
