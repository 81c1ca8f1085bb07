package contracttest

import (
	"fmt"
	"reflect"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// SetMessage sets the field of a message from a Go value by the rules of the schema, read off both types at run time.
// It is slow, and knows nothing of package convert, which tests judge by it. It panics where a type does not fit, and where
// a struct and its message do not have the same fields.
func SetMessage(message protoreflect.Message, field protoreflect.FieldDescriptor, value reflect.Value) {
	switch {
	case field.IsMap():
		setMap(message.Mutable(field).Map(), field, value)
	case field.IsList():
		list := message.Mutable(field).List()
		for i := range value.Len() {
			list.Append(element(field, value.Index(i), list.NewElement))
		}
	default:
		if out, ok := single(field, value, func() protoreflect.Value { return message.NewField(field) }); ok {
			message.Set(field, out)
		}
	}
}

func setMap(entries protoreflect.Map, field protoreflect.FieldDescriptor, value reflect.Value) {
	for item := value.MapRange(); item.Next(); {
		key := protoreflect.ValueOfString(item.Key().String()).MapKey()
		entries.Set(key, element(field.MapValue(), item.Value(), entries.NewValue))
	}
}

// element is single for what is always there: an entry of a list or map.
func element(field protoreflect.FieldDescriptor, value reflect.Value, fresh func() protoreflect.Value) protoreflect.Value {
	if out, ok := single(field, value, fresh); ok {
		return out
	}
	return fresh()
}

// single returns the value of a field that is neither list nor map; false for one that is not set.
func single(field protoreflect.FieldDescriptor, value reflect.Value, fresh func() protoreflect.Value) (protoreflect.Value, bool) {
	if field.Message() != nil {
		return message(field.Message(), value, fresh)
	}
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return protoreflect.Value{}, false
		}
		value = value.Elem()
	}
	return scalar(field, value)
}

func message(descriptor protoreflect.MessageDescriptor, value reflect.Value, fresh func() protoreflect.Value) (protoreflect.Value, bool) {
	switch descriptor.FullName() {
	case "mattermost.plugin.v1.Value":
		return set(valueMessage(value.Interface()))
	case "mattermost.plugin.v1.Error":
		err, _ := value.Interface().(error)
		return set(errorMessage(err))
	case "google.protobuf.Timestamp":
		return set(timeMessage(value))
	}
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return protoreflect.Value{}, false
		}
		value = value.Elem()
	}
	out := fresh()
	if value.Kind() != reflect.Struct { // a list or map in a message of its own
		SetMessage(out.Message(), descriptor.Fields().Get(0), value)
		return out, true
	}
	setFields(out.Message(), value)
	return out, true
}

func set[M interface {
	comparable
	proto.Message
}](message M) (protoreflect.Value, bool) {
	var none M
	if message == none {
		return protoreflect.Value{}, false
	}
	return protoreflect.ValueOfMessage(message.ProtoReflect()), true
}

func setFields(message protoreflect.Message, value reflect.Value) {
	fields := message.Descriptor().Fields()
	known := map[string]protoreflect.FieldDescriptor{}
	for i := range fields.Len() {
		known[flat(string(fields.Get(i).Name()))] = fields.Get(i)
	}
	for i := range value.NumField() {
		goField := value.Type().Field(i)
		if !Travels(goField) {
			continue
		}
		field, ok := known[flat(goField.Name)]
		if !ok {
			panic(fmt.Sprintf("%s has no field for %s.%s", message.Descriptor().FullName(), value.Type(), goField.Name))
		}
		delete(known, flat(goField.Name))
		SetMessage(message, field, value.Field(i))
	}
	for name := range known {
		panic(fmt.Sprintf("%s has no field for %s of %s", value.Type(), name, message.Descriptor().FullName()))
	}
}

// flat is what names have in common in Go and protobuf.
func flat(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}

func scalar(field protoreflect.FieldDescriptor, value reflect.Value) (protoreflect.Value, bool) {
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(value.String()), true
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(value.Bool()), true
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(value.Bytes()), !field.HasPresence() || !value.IsNil()
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(value.Int()), true
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(value.Int())), true
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(value.Uint()), true
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(value.Uint())), true
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(value.Float()), true
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(value.Float())), true
	}
	panic(fmt.Sprintf("no rule for a %s of kind %s", value.Type(), field.Kind()))
}

// SetStruct sets every field of a message from the struct it was made for, see SetMessage.
func SetStruct(message protoreflect.Message, value reflect.Value) {
	setFields(message, value)
}
