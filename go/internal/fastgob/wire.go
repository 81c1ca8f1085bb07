package fastgob

import (
	"encoding/binary"
	"math/bits"
	"reflect"
)

// Ids that every gob has for the types that it begins with.
const (
	idBool = iota + 1
	idInt
	idUint
	idFloat
	idBytes
	idString
)

const (
	// idInterface is that of all interfaces.
	idInterface = 8

	// firstOwn is the first that a type can have that is described.
	firstOwn = 64
)

// basic holds, by the names under which gob registers them, types that may be in interfaces and need no description.
var basic = map[string]struct {
	id     int64
	goType reflect.Type
}{
	"bool":    {idBool, reflect.TypeFor[bool]()},
	"int":     {idInt, reflect.TypeFor[int]()},
	"int64":   {idInt, reflect.TypeFor[int64]()},
	"float64": {idFloat, reflect.TypeFor[float64]()},
	"string":  {idString, reflect.TypeFor[string]()},
}

// appendUint appends a number as gob has it: up to 127 one octet, otherwise how many octets there are, negated, and those.
func appendUint(out []byte, n uint64) []byte {
	if n <= 0x7f {
		return append(out, byte(n))
	}
	var whole [8]byte
	binary.BigEndian.PutUint64(whole[:], n)
	skip := bits.LeadingZeros64(n) / 8
	return append(append(out, byte(skip-8)), whole[skip:]...)
}

// appendInt appends a number with a sign, which is in the last bit.
func appendInt(out []byte, n int64) []byte {
	if n < 0 {
		return appendUint(out, uint64(^n)<<1|1)
	}
	return appendUint(out, uint64(n)<<1)
}

// cutUint returns the number at the start of in and how many octets it has, 0 if it is not complete or none.
func cutUint(in []byte) (n uint64, size int) {
	if len(in) == 0 {
		return 0, 0
	}
	if in[0] <= 0x7f {
		return uint64(in[0]), 1
	}
	size = 1 - int(int8(in[0]))
	if size > 9 || len(in) < size {
		return 0, 0
	}
	for _, octet := range in[1:size] {
		n = n<<8 | uint64(octet)
	}
	return n, size
}

func toInt(n uint64) int64 {
	if n&1 != 0 {
		return ^int64(n >> 1)
	}
	return int64(n >> 1)
}
