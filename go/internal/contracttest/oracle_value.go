package contracttest

import (
	"database/sql"
	"database/sql/driver"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// The messages of interfaces and errors, for SetMessage: what is said of them in value.proto and error.proto.

// registeredCases are the cases of a Value for the types registered with gob.
var registeredCases = map[reflect.Type]protoreflect.Name{
	reflect.TypeFor[[]*model.MessageAttachment]():                         "message_attachment_list",
	reflect.TypeFor[*model.AppError]():                                    "app_error",
	reflect.TypeFor[*pq.Error]():                                          "pq_error",
	reflect.TypeFor[*plugin.ErrorString]():                                "error_string",
	reflect.TypeFor[*model.AutocompleteDynamicListArg]():                  "autocomplete_dynamic_list_arg",
	reflect.TypeFor[*model.AutocompleteStaticListArg]():                   "autocomplete_static_list_arg",
	reflect.TypeFor[*model.AutocompleteTextArg]():                         "autocomplete_text_arg",
	reflect.TypeFor[*model.PreviewPost]():                                 "preview_post",
	reflect.TypeFor[model.PropertyOptions[*model.PluginPropertyOption]](): "plugin_property_option_list",
	reflect.TypeFor[[]model.PropertyOwner]():                              "property_owner_list",
}

// valueMessage returns the message of what an interface holds, which is of one of AnyTypes; nil for nothing.
func valueMessage(in any) *pluginpb.Value {
	if in == nil {
		return nil
	}
	value, out := reflect.ValueOf(in), &pluginpb.Value{GoKind: goKind(reflect.TypeOf(in))}
	message := out.ProtoReflect()
	field := func(name protoreflect.Name) protoreflect.FieldDescriptor {
		return message.Descriptor().Fields().ByName(name)
	}
	if name, ok := registeredCases[value.Type()]; ok {
		SetMessage(message, field(name), value)
		return out
	}
	switch in := in.(type) {
	case time.Time:
		out.Kind = &pluginpb.Value_TimeValue{TimeValue: timestamppb.New(in)}
		return out
	case []byte:
		out.Kind = &pluginpb.Value_BytesValue{BytesValue: in}
		return out
	}
	switch value.Kind() {
	case reflect.Bool:
		message.Set(field("bool_value"), protoreflect.ValueOfBool(value.Bool()))
	case reflect.String:
		message.Set(field("string_value"), protoreflect.ValueOfString(value.String()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		message.Set(field("int64_value"), protoreflect.ValueOfInt64(value.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		message.Set(field("uint64_value"), protoreflect.ValueOfUint64(value.Uint()))
	case reflect.Float32, reflect.Float64:
		message.Set(field("double_value"), protoreflect.ValueOfFloat64(value.Float()))
	case reflect.Complex64, reflect.Complex128:
		number := &pluginpb.Complex{Real: real(value.Complex()), Imaginary: imag(value.Complex())}
		out.Kind = &pluginpb.Value_ComplexValue{ComplexValue: number}
	case reflect.Slice:
		list := &pluginpb.ValueList{}
		for i := range value.Len() {
			list.Items = append(list.Items, valueElement(value.Index(i), value.Type()))
		}
		out.Kind = &pluginpb.Value_ListValue{ListValue: list}
	case reflect.Map:
		entries := map[string]*pluginpb.Value{}
		for item := value.MapRange(); item.Next(); {
			entries[item.Key().String()] = valueElement(item.Value(), value.Type())
		}
		out.Kind = &pluginpb.Value_MapValue{MapValue: &pluginpb.ValueMap{Entries: entries}}
	default:
		panic("no rule for a " + value.Type().String() + " in an interface")
	}
	return out
}

// valueElement is valueMessage for an element of a slice or map, whose kind says what its elements are.
func valueElement(in reflect.Value, whole reflect.Type) *pluginpb.Value {
	out := valueMessage(in.Interface())
	if out == nil {
		return &pluginpb.Value{}
	}
	if whole.Elem().Kind() != reflect.Interface {
		out.GoKind = pluginpb.GoKind_GO_KIND_UNSPECIFIED
	}
	return out
}

// goKind returns the number for a type that its case leaves open, by its name.
func goKind(t reflect.Type) pluginpb.GoKind {
	if t == reflect.TypeFor[map[string]string]() {
		return pluginpb.GoKind_GO_KIND_STRING_MAP
	}
	name := t.String()
	if element, ok := strings.CutPrefix(name, "[]"); ok {
		name = element + "_slice"
	}
	return pluginpb.GoKind(pluginpb.GoKind_value["GO_KIND_"+strings.ToUpper(name)])
}

// numberedErrors are the errors that travel by number, from 1.
var numberedErrors = []error{
	io.EOF, sql.ErrNoRows, sql.ErrConnDone, sql.ErrTxDone, driver.ErrSkip, driver.ErrBadConn, driver.ErrRemoveArgument,
}

// errorMessage returns the message of an error; nil for none.
func errorMessage(in error) *pluginpb.Error {
	switch err := in.(type) {
	case nil:
		return nil
	case *model.AppError:
		return &pluginpb.Error{Kind: &pluginpb.Error_AppError{AppError: structMessage(err, &pluginpb.AppError{})}}
	case *pq.Error:
		return &pluginpb.Error{Kind: &pluginpb.Error_PqError{PqError: structMessage(err, &pluginpb.PqError{})}}
	case *plugin.ErrorString:
		return &pluginpb.Error{Kind: &pluginpb.Error_ErrorString{ErrorString: structMessage(err, &pluginpb.ErrorString{})}}
	}
	text := &pluginpb.ErrorString{Err: in.Error(), Code: int64(slices.Index(numberedErrors, in) + 1)}
	return &pluginpb.Error{Kind: &pluginpb.Error_ErrorString{ErrorString: text}}
}

func structMessage[M proto.Message](in any, out M) M {
	SetStruct(out.ProtoReflect(), reflect.ValueOf(in).Elem())
	return out
}

// timeMessage returns the message of a time; nil for none, which the zero time is, too.
func timeMessage(value reflect.Value) *timestamppb.Timestamp {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return nil
		}
		return timestamppb.New(value.Elem().Interface().(time.Time))
	}
	if value.IsZero() {
		return nil
	}
	return timestamppb.New(value.Interface().(time.Time))
}

// Oracle returns the message that a value of the type should travel as, made without package convert.
func (t Type) Oracle(value any) proto.Message {
	switch holder := value.(type) {
	case *Holder:
		if out := valueMessage(holder.Value); out != nil {
			return out
		}
		return new(pluginpb.Value)
	case *ErrorHolder:
		if out := errorMessage(holder.Err); out != nil {
			return out
		}
		return new(pluginpb.Error)
	}
	return structMessage(value, t.NewProto())
}
