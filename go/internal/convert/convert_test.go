package convert_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	saml2 "github.com/mattermost/gosaml2"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

func valueOnTheOtherSide(t *testing.T, in any) any {
	t.Helper()
	out, err := convert.ParseValue(convert.AppendValue(nil, in))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func errorOnTheOtherSide(t *testing.T, in error) error {
	t.Helper()
	out, err := convert.ParseError(convert.AppendError(nil, in))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// That values come back unchanged, and are written as protobuf would, is tested in contracttest for every type.

func TestNothingIsNothing(t *testing.T) {
	for _, item := range contracttest.Types() {
		none := reflect.Zero(reflect.TypeOf(item.New())).Interface()
		switch none.(type) {
		case *contracttest.Holder, *contracttest.ErrorHolder:
			none = item.New()
		}
		if got := item.Append(nil, none); len(got) != 0 {
			t.Errorf("%s: nil became %x", item.Name, got)
		}
	}
	if valueOnTheOtherSide(t, nil) != nil || errorOnTheOtherSide(t, nil) != nil {
		t.Error("nil is not nil")
	}
}

func TestTypedNilPointersAreNil(t *testing.T) {
	for _, err := range []error{(*model.AppError)(nil), (*pq.Error)(nil), (*plugin.ErrorString)(nil)} {
		if got := convert.AppendError(nil, err); len(got) != 0 {
			t.Errorf("%T: %v", err, got)
		}
		if got := (&convert.OnActivateResponse{Error: err}).Append(nil); len(got) != 0 {
			t.Errorf("%T: %v", err, got)
		}
		if got := valueOnTheOtherSide(t, err); got != nil {
			t.Errorf("%T: %v", err, got)
		}
	}
	if got := valueOnTheOtherSide(t, (*int)(nil)); got != nil {
		t.Errorf("%v", got)
	}
}

func TestNilInsideListsAndMapsStays(t *testing.T) {
	in := map[string]any{"a": nil, "b": []any{nil, 1, nil}}
	if found := contracttest.Diff(any(in), valueOnTheOtherSide(t, in)); len(found) > 0 {
		t.Error(found)
	}
}

func TestErrorsThatAreComparedByIdentityKeepIt(t *testing.T) {
	for _, err := range []error{
		io.EOF, sql.ErrNoRows, sql.ErrConnDone, sql.ErrTxDone, driver.ErrSkip, driver.ErrBadConn, driver.ErrRemoveArgument,
	} {
		if got := errorOnTheOtherSide(t, err); got != err {
			t.Errorf("%v became %#v", err, got)
		}
		// As Mattermost's own RPC delivers them.
		numbered := contracttest.ToProto[pluginpb.Error](convert.AppendError(nil, err)).GetErrorString()
		if got := convert.Sentinel(&plugin.ErrorString{Code: int(numbered.Code), Err: "x"}); got != err {
			t.Errorf("number %d is %v", numbered.Code, got)
		}
	}
	wrapped := fmt.Errorf("read: %w", io.EOF)
	if got := errorOnTheOtherSide(t, wrapped); got.Error() != wrapped.Error() {
		t.Errorf("a wrapped one lost its text: %v", got)
	}
	if got := convert.Sentinel(&plugin.ErrorString{Code: 99, Err: "x"}); got.Error() != "x" {
		t.Errorf("got %v", got)
	}
}

func TestOtherErrorsKeepTheirText(t *testing.T) {
	for _, err := range []error{errors.New("plain"), plugin.ErrorString{Err: "by value"}} {
		var text *plugin.ErrorString
		if got := errorOnTheOtherSide(t, err); !errors.As(got, &text) || got.Error() != err.Error() {
			t.Errorf("%v became %#v", err, got)
		}
	}
}

type (
	color   string
	colors  []color
	palette map[color]int32
	shape   struct {
		Name  string `json:"name"`
		Sides int    `json:"sides"`
	}
)

func TestTypesThatGobRefusesTravelAsWhatTheyAreMadeOf(t *testing.T) {
	seven := 7
	for _, c := range []struct{ in, want any }{
		{color("red"), "red"},
		{time.Second, int64(time.Second)},
		{colors{"red", "blue"}, []any{"red", "blue"}},
		{[2]bool{true, false}, []any{true, false}},
		{palette{"red": 3}, map[string]any{"red": int32(3)}},
		{[]map[string]any{{"a": int64(1)}}, []any{map[string]any{"a": int64(1)}}},
		{map[int]string{1: "a"}, map[string]any{"1": "a"}},
		{&seven, 7},
		{shape{"cube", 6}, map[string]any{"name": "cube", "sides": int64(6)}},
		{&shape{"cube", 6}, map[string]any{"name": "cube", "sides": int64(6)}},
		{errors.New("text"), &plugin.ErrorString{Err: "text"}},
		{model.StringArray{"a"}, []any{"a"}},
		{[]byte(nil), []byte(nil)},
	} {
		if found := contracttest.Diff(c.want, valueOnTheOtherSide(t, c.in)); len(found) > 0 {
			t.Errorf("%#v: %v", c.in, found)
		}
	}
	if _, ok := valueOnTheOtherSide(t, func() {}).(string); !ok {
		t.Error("a function has no description")
	}
}

func TestTypesOfAHostInTheServersProcessTravel(t *testing.T) {
	for _, in := range []any{map[string]string{"a": "b"}, time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)} {
		if found := contracttest.Diff(in, valueOnTheOtherSide(t, in)); len(found) > 0 {
			t.Error(found)
		}
	}
}

func TestANumberThatOutgrewItsKindIsNotCut(t *testing.T) {
	for _, c := range []struct {
		in   *pluginpb.Value
		want any
	}{
		{&pluginpb.Value{Kind: &pluginpb.Value_Int64Value{Int64Value: 300}, GoKind: pluginpb.GoKind_GO_KIND_INT8}, int64(300)},
		{&pluginpb.Value{Kind: &pluginpb.Value_Int64Value{Int64Value: 100}, GoKind: pluginpb.GoKind_GO_KIND_INT8}, int8(100)},
		{&pluginpb.Value{Kind: &pluginpb.Value_Uint64Value{Uint64Value: 1 << 40}, GoKind: pluginpb.GoKind_GO_KIND_UINT32}, uint64(1 << 40)},
		{&pluginpb.Value{Kind: &pluginpb.Value_Uint64Value{Uint64Value: 9}, GoKind: pluginpb.GoKind_GO_KIND_UINT32}, uint32(9)},
	} {
		if got := contracttest.ValueFromProto(c.in); got != c.want {
			t.Errorf("%v became %T %v", c.in, got, got)
		}
	}
}

func TestTheZeroTimeIsNoTime(t *testing.T) {
	if got := convert.AppendCustomStatus(nil, &model.CustomStatus{}); len(got) != 0 {
		t.Errorf("the zero time is something: %x", got)
	}
	var none model.CustomStatus
	if err := convert.ParseCustomStatus(nil, &none); err != nil || !none.ExpiresAt.IsZero() {
		t.Errorf("no time is %v, %v", none.ExpiresAt, err)
	}
	zero := time.Time{}
	got := new(saml2.AssertionInfo)
	if err := convert.ParseSamlAssertionInfo(convert.AppendSamlAssertionInfo(nil, &saml2.AssertionInfo{AuthnInstant: &zero}), got); err != nil || got.AuthnInstant == nil || !got.AuthnInstant.IsZero() {
		t.Errorf("a pointer to the zero time became %v, %v", got.AuthnInstant, err)
	}
}

func TestJSONIntegersStayIntegers(t *testing.T) {
	got, err := convert.DecodeJSON([]byte(`[9007199254740993, -1, 18446744073709551615, 1.5, 1e3, {"a": [2]}]`))
	want := []any{int64(9007199254740993), int64(-1), uint64(18446744073709551615), 1.5, 1000.0, map[string]any{"a": []any{int64(2)}}}
	if found := contracttest.Diff(any(want), got); err != nil || len(found) > 0 {
		t.Error(err, found)
	}
	for _, broken := range []string{"", "{", "1e999"} {
		if _, err := convert.DecodeJSON([]byte(broken)); err == nil {
			t.Errorf("%q is no JSON", broken)
		}
	}
}

func TestUnknownFieldsOfANewerSideDoNoHarm(t *testing.T) {
	unknown := []byte{0xfa, 0xff, 0x03, 0x01, 'x', 0xf8, 0xff, 0x03, 0x01, 0xfd, 0xff, 0x03, 1, 2, 3, 4, 0xfb, 0xff, 0x03, 0xfc, 0xff, 0x03}
	data := append(unknown, convert.AppendPost(nil, &model.Post{Id: "p"})...)
	var got model.Post
	if err := convert.ParsePost(append(data, unknown...), &got); err != nil || got.Id != "p" {
		t.Errorf("got %v, %v", &got, err)
	}
}

func TestAPostMayBeChangedWhileItIsConverted(t *testing.T) {
	post := &model.Post{Id: "p"}
	post.AddProp("a", "b")
	var group sync.WaitGroup
	group.Go(func() {
		for i := range 200 {
			post.AddProp("count", i)
		}
	})
	for range 200 {
		convert.AppendPost(nil, post)
	}
	group.Wait()
}

func TestTextsThatAreNoUTF8TravelMarked(t *testing.T) {
	const broken, marked = "a\xff\xfeb", "a\ufffdb"
	post := &model.Post{Message: broken, FileIds: model.StringArray{broken}, RemoteId: model.NewPointer(broken)}
	post.SetProps(model.StringInterface{broken: broken, "list": []string{broken}})
	var got model.Post
	if err := convert.ParsePost(convert.AppendPost(nil, post), &got); err != nil {
		t.Fatal(err)
	}
	want := &model.Post{Message: marked, FileIds: model.StringArray{marked}, RemoteId: model.NewPointer(marked)}
	want.SetProps(model.StringInterface{marked: marked, "list": []string{marked}})
	if found := contracttest.Diff(want, &got); len(found) > 0 {
		t.Error(found)
	}
	if post.Message != broken {
		t.Error("the original was changed")
	}
}

// Texts of a small message lie in the memory that it came in, those of a large one do not.
func TestATextKeepsNoMoreOfItsMessageThanALittle(t *testing.T) {
	list := &model.PostList{Order: []string{"first"}}
	for range 100 {
		list.Order = append(list.Order, strings.Repeat("x", 100))
	}
	data := convert.AppendPostList(nil, list)
	var got model.PostList
	if err := convert.ParsePostList(data, &got); err != nil {
		t.Fatal(err)
	}
	clear(data)
	if got.Order[0] != "first" || got.Order[100] != list.Order[100] {
		t.Error("a text lies in the memory of a large message")
	}
}

func TestBytesAreNobodyElses(t *testing.T) {
	for _, size := range []int{1, 10, 2000} {
		in := &convert.KVSetRequest{Key: "key", Value: bytes.Repeat([]byte{1}, size)}
		var out convert.KVSetRequest
		if err := out.Parse(append(in.Append(nil), 0xfa, 0xff, 0x03, 0x01, 'x')); err != nil {
			t.Fatal(err)
		}
		grown := append(out.Value, 7)
		clear(grown)
		clear(out.Value)
		if out.Key != "key" {
			t.Error("to change bytes changed a text")
		}
	}
}
