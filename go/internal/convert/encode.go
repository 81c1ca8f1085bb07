package convert

import (
	"math"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Wire types, of which a tag is made together with the number of the field.
const (
	varint  = uint64(protowire.VarintType)
	fixed64 = uint64(protowire.Fixed64Type)
	octets  = uint64(protowire.BytesType)
)

// A map travels as a list of messages with two fields.
const entryKey, entryValue = 1 << 3, 2 << 3

func appendTag(b []byte, tag uint64) []byte {
	if tag < 0x80 {
		return append(b, byte(tag))
	}
	return protowire.AppendVarint(b, tag)
}

// begin appends what stands before a message, with room for a length of one byte. It returns where the message starts.
func begin(b []byte, tag uint64) ([]byte, int) {
	b = append(appendTag(b, tag), 0)
	return b, len(b)
}

// end puts the length before a message that has been appended. Most are short; a longer one is moved, which costs less
// than to find out its size before.
func end(b []byte, start int) []byte {
	size := len(b) - start
	if size < 0x80 {
		b[start-1] = byte(size)
		return b
	}
	var length [10]byte
	more := len(protowire.AppendVarint(length[:0], uint64(size))) - 1
	b = append(b, length[:more]...)
	copy(b[start+more:], b[start:start+size])
	copy(b[start-1:], length[:more+1])
	return b
}

// What is called appendSomething leaves a zero value out, appendSetSomething does not.

func appendText(b []byte, tag uint64, value string) []byte {
	if value == "" {
		return b
	}
	return appendSetText(b, tag, value)
}

func appendSetText(b []byte, tag uint64, value string) []byte {
	if !utf8.ValidString(value) {
		value = strings.ToValidUTF8(value, string(utf8.RuneError))
	}
	b = appendTag(b, tag)
	b = protowire.AppendVarint(b, uint64(len(value)))
	return append(b, value...)
}

func appendTextPointer(b []byte, tag uint64, value *string) []byte {
	if value == nil {
		return b
	}
	return appendSetText(b, tag, *value)
}

// appendInt appends a number of any width: protobuf extends a negative one to 64 bits, as Go's conversion does.
func appendInt(b []byte, tag, value uint64) []byte {
	if value == 0 {
		return b
	}
	return appendSetInt(b, tag, value)
}

func appendSetInt(b []byte, tag, value uint64) []byte {
	return protowire.AppendVarint(appendTag(b, tag), value)
}

// integer is every number that travels as a varint.
type integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

func appendIntPointer[T integer](b []byte, tag uint64, value *T) []byte {
	if value == nil {
		return b
	}
	return appendSetInt(b, tag, uint64(*value))
}

func appendBool(b []byte, tag uint64, value bool) []byte {
	if !value {
		return b
	}
	return append(appendTag(b, tag), 1)
}

func appendSetBool(b []byte, tag uint64, value bool) []byte {
	return appendSetInt(b, tag, protowire.EncodeBool(value))
}

func appendBoolPointer(b []byte, tag uint64, value *bool) []byte {
	if value == nil {
		return b
	}
	return appendSetBool(b, tag, *value)
}

func appendDouble(b []byte, tag uint64, value float64) []byte {
	if math.Float64bits(value) == 0 { // negative zero is something
		return b
	}
	return appendSetDouble(b, tag, value)
}

func appendSetDouble(b []byte, tag uint64, value float64) []byte {
	return protowire.AppendFixed64(appendTag(b, tag), math.Float64bits(value))
}

func appendBytes(b []byte, tag uint64, value []byte) []byte {
	if len(value) == 0 {
		return b
	}
	return appendSetBytes(b, tag, value)
}

func appendSetBytes(b []byte, tag uint64, value []byte) []byte {
	return protowire.AppendBytes(appendTag(b, tag), value)
}

// appendOptionalBytes is for a []byte whose nil is absence.
func appendOptionalBytes(b []byte, tag uint64, value []byte) []byte {
	if value == nil {
		return b
	}
	return appendSetBytes(b, tag, value)
}

func appendBytesPointer(b []byte, tag uint64, value *[]byte) []byte {
	if value == nil {
		return b
	}
	return appendSetBytes(b, tag, *value)
}

// appendMessage appends a struct, which for a nil pointer is absent.
func appendMessage[T any](b []byte, tag uint64, value *T, add func([]byte, *T) []byte) []byte {
	if value == nil {
		return b
	}
	return appendSetMessage(b, tag, value, add)
}

// appendSetMessage appends a struct that is always there.
func appendSetMessage[T any](b []byte, tag uint64, value *T, add func([]byte, *T) []byte) []byte {
	b, start := begin(b, tag)
	return end(add(b, value), start)
}

// appendWrapped appends a value that travels as a message.
func appendWrapped[T any](b []byte, tag uint64, value T, add func([]byte, T) []byte) []byte {
	b, start := begin(b, tag)
	return end(add(b, value), start)
}

// appendWrappedPointer is appendWrapped for what may be absent.
func appendWrappedPointer[T any](b []byte, tag uint64, value *T, add func([]byte, T) []byte) []byte {
	if value == nil {
		return b
	}
	return appendWrapped(b, tag, *value, add)
}

// What follows appends lists and maps, whose elements are all there.

func appendTexts[T ~string](b []byte, tag uint64, list []T) []byte {
	for _, item := range list {
		b = appendSetText(b, tag, string(item))
	}
	return b
}

func appendMessages[T any](b []byte, tag uint64, list []*T, add func([]byte, *T) []byte) []byte {
	for _, item := range list {
		b = appendSetMessage(b, tag, item, add)
	}
	return b
}

func appendStructs[T any](b []byte, tag uint64, list []T, add func([]byte, *T) []byte) []byte {
	for i := range list {
		b = appendSetMessage(b, tag, &list[i], add)
	}
	return b
}

func appendWrappedList[T any](b []byte, tag uint64, list []T, add func([]byte, T) []byte) []byte {
	for _, item := range list {
		b = appendWrapped(b, tag, item, add)
	}
	return b
}

// appendEntry begins an entry of a map.
func appendEntry(b []byte, tag uint64, key string) ([]byte, int) {
	b, start := begin(b, tag)
	return appendSetText(b, entryKey|octets, key), start
}

func appendTextMap[K, V ~string](b []byte, tag uint64, entries map[K]V) []byte {
	for key, value := range entries {
		var start int
		b, start = appendEntry(b, tag, string(key))
		b = end(appendSetText(b, entryValue|octets, string(value)), start)
	}
	return b
}

func appendBoolMap[K ~string](b []byte, tag uint64, entries map[K]bool) []byte {
	for key, value := range entries {
		var start int
		b, start = appendEntry(b, tag, string(key))
		b = end(appendSetBool(b, entryValue|varint, value), start)
	}
	return b
}

func appendMessageMap[K ~string, V any](b []byte, tag uint64, entries map[K]*V, add func([]byte, *V) []byte) []byte {
	for key, value := range entries {
		var start int
		b, start = appendEntry(b, tag, string(key))
		b = end(appendSetMessage(b, entryValue|octets, value, add), start)
	}
	return b
}

func appendStructMap[K ~string, V any](b []byte, tag uint64, entries map[K]V, add func([]byte, *V) []byte) []byte {
	for key, value := range entries {
		var start int
		b, start = appendEntry(b, tag, string(key))
		b = end(appendSetMessage(b, entryValue|octets, &value, add), start)
	}
	return b
}

func appendWrappedMap[K ~string, V any](b []byte, tag uint64, entries map[K]V, add func([]byte, V) []byte) []byte {
	for key, value := range entries {
		var start int
		b, start = appendEntry(b, tag, string(key))
		b = end(appendWrapped(b, entryValue|octets, value, add), start)
	}
	return b
}
