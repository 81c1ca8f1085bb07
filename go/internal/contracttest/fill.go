// Package contracttest has what tests of the plugin contract share: values with every field set, a comparison that
// knows what counts as equal, a conversion to protobuf by reflection to judge the generated one by, and
// implementations of Mattermost's interfaces that hand every call to a function.
package contracttest

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// Filler makes random values. Every exported field of a struct is set to something other than its zero value, but
// where a type contains itself: there it ends after two rounds.
type Filler struct {
	Rand *rand.Rand
	// GobOnly keeps to types that gob carries inside an interface.
	GobOnly bool

	set   map[reflect.Type]map[string]bool
	stack map[reflect.Type]int
}

// NewFiller returns a filler whose values the seed decides.
func NewFiller(seed uint64) *Filler {
	return &Filler{
		Rand:  rand.New(rand.NewPCG(seed, seed)),
		set:   map[reflect.Type]map[string]bool{},
		stack: map[reflect.Type]int{},
	}
}

// Value returns a value of a type.
func (f *Filler) Value(t reflect.Type) reflect.Value {
	out := reflect.New(t).Elem()
	f.Fill(out)
	return out
}

// Of returns a value of a type.
func Of[T any](f *Filler) T {
	return f.Value(reflect.TypeFor[T]()).Interface().(T)
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	errorType = reflect.TypeFor[error]()
)

// Fill sets what an addressable value consists of.
func (f *Filler) Fill(v reflect.Value) {
	switch v.Type() {
	case timeType:
		v.Set(reflect.ValueOf(f.time()))
		return
	case errorType:
		v.Set(reflect.ValueOf(f.err()))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(f.text())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.bits(v.Type().Bits())))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(f.bits(v.Type().Bits()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(f.Rand.NormFloat64() * math.MaxInt16)))
	case reflect.Pointer:
		if f.ends(v.Type().Elem()) {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		f.Fill(v.Elem())
	case reflect.Slice:
		if f.ends(v.Type().Elem()) {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1+f.Rand.IntN(3), 3))
		for i := range v.Len() {
			f.Fill(v.Index(i))
		}
	case reflect.Map:
		if f.ends(v.Type().Elem()) {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + f.Rand.IntN(3) {
			v.SetMapIndex(f.Value(v.Type().Key()), f.Value(v.Type().Elem()))
		}
	case reflect.Struct:
		f.fields(v)
	case reflect.Interface:
		if v.NumMethod() > 0 && v.Type() != reflect.TypeFor[driver.Value]() {
			panic(fmt.Sprintf("contracttest cannot make a %s", v.Type()))
		}
		v.Set(reflect.ValueOf(f.any()))
	default:
		panic(fmt.Sprintf("contracttest cannot make a %s", v.Type()))
	}
}

func (f *Filler) fields(v reflect.Value) {
	t := v.Type()
	f.stack[t]++
	defer func() { f.stack[t]-- }()
	if f.set[t] == nil {
		f.set[t] = map[string]bool{}
	}
	for i := range t.NumField() {
		field := t.Field(i)
		if !travels(field) {
			continue
		}
		f.Fill(v.Field(i))
		f.set[t][field.Name] = f.set[t][field.Name] || !v.Field(i).IsZero()
	}
}

// travels tells whether any encoding could carry a field.
func travels(field reflect.StructField) bool {
	return field.IsExported() && field.Type.Kind() != reflect.Func && field.Type.Kind() != reflect.Chan
}

// ends tells whether a type contains itself for the second time.
func (f *Filler) ends(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return f.stack[t] >= 2
}

// Unset returns the fields, as "type.field", of the structs met so far that were never set.
func (f *Filler) Unset() []string {
	var out []string
	for t, fields := range f.set {
		for i := range t.NumField() {
			if field := t.Field(i); travels(field) && !fields[field.Name] {
				out = append(out, t.String()+"."+field.Name)
			}
		}
	}
	return out
}

func (f *Filler) bits(width int) uint64 {
	for {
		if out := f.Rand.Uint64() >> (64 - width); out != 0 {
			return out
		}
	}
}

func (f *Filler) text() string {
	alphabet := []rune("abcXYZ019 -_./\n\"'\x00äß€漢😀")
	out := make([]rune, 1+f.Rand.IntN(12))
	for i := range out {
		out[i] = alphabet[f.Rand.IntN(len(alphabet))]
	}
	return string(out)
}

// time returns an instant between the years 1 and 9999, which is what Timestamp holds.
func (f *Filler) time() time.Time {
	first := time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
	return time.Unix(first+f.Rand.Int64N(last-first), f.Rand.Int64N(int64(time.Second))).UTC()
}

func (f *Filler) err() error {
	switch f.Rand.IntN(4) {
	case 0:
		return Of[*model.AppError](f)
	case 1:
		return Of[*pq.Error](f)
	case 2:
		known := []error{io.EOF, sql.ErrNoRows, sql.ErrConnDone, sql.ErrTxDone, driver.ErrSkip, driver.ErrBadConn,
			driver.ErrRemoveArgument}
		return known[f.Rand.IntN(len(known))]
	}
	return errors.New(f.text())
}

// GobTypes are the types that gob carries inside an interface: its basic ones and those Mattermost registers.
var GobTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](),
	reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](),
	reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[uintptr](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](),
	reflect.TypeFor[[]bool](), reflect.TypeFor[[]string](), reflect.TypeFor[[]int](), reflect.TypeFor[[]int8](),
	reflect.TypeFor[[]int16](), reflect.TypeFor[[]int32](), reflect.TypeFor[[]int64](), reflect.TypeFor[[]uint](),
	reflect.TypeFor[[]uint16](), reflect.TypeFor[[]uint32](), reflect.TypeFor[[]uint64](),
	reflect.TypeFor[[]uintptr](), reflect.TypeFor[[]float32](), reflect.TypeFor[[]float64](),
	reflect.TypeFor[[]any](), reflect.TypeFor[map[string]any](),
	reflect.TypeFor[[]*model.MessageAttachment](), reflect.TypeFor[*model.AppError](), reflect.TypeFor[*pq.Error](),
	reflect.TypeFor[*plugin.ErrorString](), reflect.TypeFor[*model.AutocompleteDynamicListArg](),
	reflect.TypeFor[*model.AutocompleteStaticListArg](), reflect.TypeFor[*model.AutocompleteTextArg](),
	reflect.TypeFor[*model.PreviewPost](), reflect.TypeFor[model.PropertyOptions[*model.PluginPropertyOption]](),
	reflect.TypeFor[[]model.PropertyOwner](),
}

// OtherTypes are types inside an interface that only a host in the server's own process can meet.
var OtherTypes = []reflect.Type{timeType, reflect.TypeFor[map[string]string]()}

var anyType = reflect.TypeFor[any]()

// any returns a value for an interface. Containers of further ones become rare with their depth.
func (f *Filler) any() any {
	types := GobTypes
	if !f.GobOnly {
		types = append(append([]reflect.Type{}, GobTypes...), OtherTypes...)
	}
	f.stack[anyType]++
	defer func() { f.stack[anyType]-- }()
	if f.stack[anyType] > 2 {
		types = types[:16]
	}
	return f.Value(types[f.Rand.IntN(len(types))]).Interface()
}
