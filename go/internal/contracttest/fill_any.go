package contracttest

import (
	"reflect"

	"github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

// plainTypes are the types gob carries inside an interface without registration.
var plainTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](),
	reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](),
	reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[uintptr](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](),
	reflect.TypeFor[complex64](), reflect.TypeFor[complex128](),
	reflect.TypeFor[[]bool](), reflect.TypeFor[[]string](),
	reflect.TypeFor[[]int](), reflect.TypeFor[[]int8](), reflect.TypeFor[[]int16](), reflect.TypeFor[[]int32](),
	reflect.TypeFor[[]int64](), reflect.TypeFor[[]uint](), reflect.TypeFor[[]uint16](), reflect.TypeFor[[]uint32](),
	reflect.TypeFor[[]uint64](), reflect.TypeFor[[]uintptr](),
	reflect.TypeFor[[]float32](), reflect.TypeFor[[]float64](),
	reflect.TypeFor[[]complex64](), reflect.TypeFor[[]complex128](),
}

// nestingTypes hold further values of any type.
var nestingTypes = []reflect.Type{reflect.TypeFor[[]any](), reflect.TypeFor[map[string]any]()}

// registeredTypes are those that package plugin registers with gob.
var registeredTypes = []reflect.Type{
	reflect.TypeFor[[]*model.MessageAttachment](),
	reflect.TypeFor[*model.AppError](),
	reflect.TypeFor[*pq.Error](),
	reflect.TypeFor[*plugin.ErrorString](),
	reflect.TypeFor[*model.AutocompleteDynamicListArg](),
	reflect.TypeFor[*model.AutocompleteStaticListArg](),
	reflect.TypeFor[*model.AutocompleteTextArg](),
	reflect.TypeFor[*model.PreviewPost](),
	reflect.TypeFor[model.PropertyOptions[*model.PluginPropertyOption]](),
	reflect.TypeFor[[]model.PropertyOwner](),
}

// AnyTypes returns every type that Any may return a value of, nil aside.
func AnyTypes() []reflect.Type {
	types := append([]reflect.Type{}, plainTypes...)
	types = append(types, nestingTypes...)
	return append(types, registeredTypes...)
}

// Any makes a value of a type that gob carries inside an interface; nil only if the Filler is sparse.
func (f *Filler) Any() any {
	if f.skip() {
		return nil
	}
	f.depth++
	defer func() { f.depth-- }()
	types := plainTypes
	if f.depth < maxDepth {
		switch f.Rand.Intn(5) {
		case 0, 1:
			types = nestingTypes
		case 2:
			types = registeredTypes
		}
	}
	return f.Of(types[f.Rand.Intn(len(types))])
}

// Of makes a value of the given type.
func (f *Filler) Of(t reflect.Type) any {
	if f.open == nil {
		f.open = map[reflect.Type]int{}
	}
	if f.endless(t) {
		t = reflect.TypeFor[string]()
	}
	value := reflect.New(t).Elem()
	f.fill(value)
	return value.Interface()
}
