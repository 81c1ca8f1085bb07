package contracttest

import (
	"go/token"
	"reflect"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Diff describes how two values differ, "" if they do not. Fields that no encoding carries are not looked at, an
// empty slice or map equals a nil one, times are equal if they are the same instant, errors if they read the same
// and have the same type, or a type that travels as its text only.
func Diff(want, got any) string {
	return cmp.Diff(want, got,
		cmpopts.EquateEmpty(),
		cmp.FilterPath(hidden, cmp.Ignore()),
		cmp.FilterValues(bothErrors, cmp.Comparer(sameError)),
	)
}

func hidden(path cmp.Path) bool {
	field, ok := path.Last().(cmp.StructField)
	if !ok {
		return false
	}
	kind := field.Type().Kind()
	return !token.IsExported(field.Name()) || kind == reflect.Func || kind == reflect.Chan
}

// bothErrors selects pairs of plain errors. Structs that are errors are compared field by field.
func bothErrors(a, b error) bool {
	return isPlain(a) && isPlain(b)
}

func isPlain(err error) bool {
	if err == nil {
		return false
	}
	t := reflect.TypeOf(err)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return true
	}
	switch t.PkgPath() {
	case "errors", "fmt", "github.com/mattermost/mattermost/server/public/plugin":
		return true // errors.New, fmt.Errorf, ErrorString: a text
	}
	return false
}

func sameError(a, b error) bool {
	return a == b || a.Error() == b.Error()
}
