// Package gobwire has numbers, texts and the ids of types as gob's wire format has them.
package gobwire

import (
	"bufio"
	"encoding/binary"
	"math/bits"
)

// Ids that every gob has for the types that it begins with.
const (
	Bool   = 1
	Int    = 2
	Uint   = 3
	Float  = 4
	Bytes  = 5
	String = 6
	// Interface is that of all interfaces.
	Interface = 8
	// FirstDescribed is the least that a type can have that is described.
	FirstDescribed = 64
)

// AppendUint appends a number: up to 127 it is one octet, otherwise how many octets it has, negated, and those.
func AppendUint(out []byte, n uint64) []byte {
	if n <= 0x7f {
		return append(out, byte(n))
	}
	var whole [8]byte
	binary.BigEndian.PutUint64(whole[:], n)
	skip := bits.LeadingZeros64(n) / 8
	return append(append(out, byte(skip-8)), whole[skip:]...)
}

// AppendInt appends a number with a sign, which is in the last bit.
func AppendInt(out []byte, n int64) []byte {
	if n < 0 {
		return AppendUint(out, uint64(^n)<<1|1)
	}
	return AppendUint(out, uint64(n)<<1)
}

// AppendText appends a text.
func AppendText(out []byte, text string) []byte {
	return append(AppendUint(out, uint64(len(text))), text...)
}

// CutUint returns the number at the start of in and how many octets it has, 0 if it is not complete or none.
func CutUint(in []byte) (n uint64, size int) {
	if len(in) == 0 {
		return 0, 0
	}
	if in[0] <= 0x7f { // as most are
		return uint64(in[0]), 1
	}
	size = sizeOf(in[0])
	if size > maxSize || len(in) < size {
		return 0, 0
	}
	for _, octet := range in[1:size] {
		n = n<<8 | uint64(octet)
	}
	return n, size
}

// PeekUint returns the number that comes next and how many octets it has, 0 if it is none. They stay to be read.
func PeekUint(in *bufio.Reader) (n uint64, size int, err error) {
	start, err := in.Peek(1)
	if err != nil {
		return 0, 0, err
	}
	if start, err = in.Peek(min(sizeOf(start[0]), maxSize)); err != nil {
		return 0, 0, err
	}
	n, size = CutUint(start)
	return n, size, nil
}

// maxSize is how many octets a number has at most.
const maxSize = 9

// sizeOf returns how many octets a number has that begins with this one.
func sizeOf(first byte) int {
	if first <= 0x7f {
		return 1
	}
	return 1 - int(int8(first))
}

// ToInt returns the number with a sign that AppendInt appends as n.
func ToInt(n uint64) int64 {
	if n&1 != 0 {
		return ^int64(n >> 1)
	}
	return int64(n >> 1)
}
