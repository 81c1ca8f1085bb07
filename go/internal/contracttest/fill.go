// Package contracttest fills Go values of the plugin contract's types with random content and compares them as gob
// would. The tests that send every type through protobuf, and through Python, are built on it.
package contracttest

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand"
	"reflect"
	"time"

	"github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// Filler fills values. The same source of randomness gives the same content.
type Filler struct {
	Rand *rand.Rand
	// Sparse leaves some fields at their zero value and makes some slices and maps empty; otherwise every exported
	// field is set to something else than its zero value.
	Sparse bool

	open  map[reflect.Type]int
	depth int
}

const (
	// maxOpen is how often a struct type may be inside itself.
	maxOpen = 2
	// maxDepth is how deep values of interfaces nest.
	maxDepth = 4
)

var (
	timeType  = reflect.TypeFor[time.Time]()
	errorType = reflect.TypeFor[error]()
)

// NewFiller returns a Filler that draws from a seed.
func NewFiller(seed int64, sparse bool) *Filler {
	return &Filler{Rand: rand.New(rand.NewSource(seed)), Sparse: sparse}
}

// Fill fills what target, a pointer, points to. It panics on a type that the contract cannot contain.
func (f *Filler) Fill(target any) {
	if f.open == nil {
		f.open = map[reflect.Type]int{}
	}
	f.fill(reflect.ValueOf(target).Elem())
}

func (f *Filler) fill(v reflect.Value) {
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(f.time()))
		return
	case v.Type() == errorType:
		v.Set(reflect.ValueOf(f.err()))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(f.text())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(f.signed(v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(f.unsigned(v.Type().Bits()))
	case reflect.Float32:
		v.SetFloat(float64(float32(f.float())))
	case reflect.Float64:
		v.SetFloat(f.float())
	case reflect.Complex64:
		v.SetComplex(complex(float64(float32(f.float())), float64(float32(f.float()))))
	case reflect.Complex128:
		v.SetComplex(complex(f.float(), f.float()))
	case reflect.Pointer:
		if f.endless(v.Type().Elem()) {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		f.slice(v)
	case reflect.Map:
		f.mapping(v)
	case reflect.Struct:
		f.structure(v)
	case reflect.Interface:
		if v.NumMethod() != 0 {
			panic(fmt.Sprintf("contracttest: cannot fill the interface %s", v.Type()))
		}
		if value := f.Any(); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	default:
		panic(fmt.Sprintf("contracttest: cannot fill a %s", v.Type()))
	}
}

func (f *Filler) structure(v reflect.Value) {
	f.open[v.Type()]++
	defer func() { f.open[v.Type()]-- }()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !Travels(field) || f.skip() {
			continue
		}
		f.fill(v.Field(i))
	}
}

// Travels says whether a struct's field is part of the contract: exported, and neither a function nor a channel.
func Travels(field reflect.StructField) bool {
	kind := field.Type.Kind()
	return field.IsExported() && kind != reflect.Func && kind != reflect.Chan
}

// endless says whether a value of that type would have to contain itself too often.
func (f *Filler) endless(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && f.open[t] >= maxOpen
}

func (f *Filler) skip() bool {
	return f.Sparse && f.Rand.Intn(3) == 0
}

func (f *Filler) length() int {
	if f.Sparse {
		return f.Rand.Intn(4)
	}
	return 1 + f.Rand.Intn(3)
}

func (f *Filler) slice(v reflect.Value) {
	if f.endless(v.Type().Elem()) {
		return
	}
	n := f.length()
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		f.fill(v.Index(i))
	}
}

func (f *Filler) mapping(v reflect.Value) {
	if f.endless(v.Type().Elem()) {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range f.length() {
		key := reflect.New(v.Type().Key()).Elem()
		f.fill(key)
		value := reflect.New(v.Type().Elem()).Elem()
		f.fill(value)
		v.SetMapIndex(key, value)
	}
}

// err makes an error of each kind that travels as itself.
func (f *Filler) err() error {
	switch f.Rand.Intn(5) {
	case 0:
		return filled[model.AppError](f)
	case 1:
		return filled[pq.Error](f)
	case 2:
		return io.EOF
	case 3:
		return sql.ErrNoRows
	}
	return &plugin.ErrorString{Err: f.text()}
}

func filled[T any](f *Filler) *T {
	value := new(T)
	f.fill(reflect.ValueOf(value).Elem())
	return value
}

func (f *Filler) time() time.Time {
	// The years 1 to 9999, which both Timestamp and Python know.
	first, last := time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	seconds := first.Unix() + f.Rand.Int63n(last.Unix()-first.Unix())
	return time.Unix(seconds, f.Rand.Int63n(int64(time.Second))).UTC()
}

var letters = []rune("abcXYZ019 _-./\\\"'\n\t\x00äßéλЖ中文字🎉\u200d\ufeff\uffff")

func (f *Filler) text() string {
	runes := make([]rune, 1+f.Rand.Intn(12))
	for i := range runes {
		runes[i] = letters[f.Rand.Intn(len(letters))]
	}
	return string(runes)
}

func (f *Filler) signed(bits int) int64 {
	shift := 64 - bits
	edges := []int64{1, -1, math.MaxInt64 >> shift, math.MinInt64 >> shift}
	if bits == 64 {
		edges = append(edges, 1<<53+1, -(1<<53 + 1))
	}
	if f.Rand.Intn(2) == 0 {
		return edges[f.Rand.Intn(len(edges))]
	}
	if value := int64(f.Rand.Uint64()) >> shift; value != 0 {
		return value
	}
	return 1
}

func (f *Filler) unsigned(bits int) uint64 {
	if f.Rand.Intn(2) == 0 {
		return []uint64{1, math.MaxUint64 >> (64 - bits)}[f.Rand.Intn(2)]
	}
	if value := f.Rand.Uint64() >> (64 - bits); value != 0 {
		return value
	}
	return 1
}

func (f *Filler) float() float64 {
	edges := []float64{1, -0.5, math.Pi, math.MaxFloat32, math.SmallestNonzeroFloat32, math.Inf(1), math.Inf(-1)}
	if f.Rand.Intn(2) == 0 {
		return edges[f.Rand.Intn(len(edges))]
	}
	return f.Rand.NormFloat64() * 1e6
}

var errNotAPointer = errors.New("not a pointer to a struct")

// UnsetFields returns the names of the fields of a struct that travel and have their zero value.
func UnsetFields(pointer any) ([]string, error) {
	v := reflect.ValueOf(pointer)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%T: %w", pointer, errNotAPointer)
	}
	var unset []string
	for i := range v.Elem().NumField() {
		field := v.Elem().Type().Field(i)
		if Travels(field) && v.Elem().Field(i).IsZero() {
			unset = append(unset, field.Name)
		}
	}
	return unset, nil
}
