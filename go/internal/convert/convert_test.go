package convert_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// sent returns a message as it arrives at the other end.
func sent[M proto.Message](t *testing.T, in, out M) M {
	t.Helper()
	data, err := proto.Marshal(in)
	if err == nil {
		err = proto.Unmarshal(data, out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func valueOnTheOtherSide(t *testing.T, in any) any {
	t.Helper()
	return convert.ValueFromProto(sent(t, convert.ValueElementToProto(in), new(pluginpb.Value)))
}

func errorOnTheOtherSide(t *testing.T, in error) error {
	t.Helper()
	return convert.ErrorFromProto(sent(t, convert.ErrorToProto(in), new(pluginpb.Error)))
}

// That values come back unchanged is tested in contracttest for every type. Both directions could be wrong alike,
// so here each message is compared with what reflection makes of the struct.
func TestEveryMessageHoldsWhatItsStructDoes(t *testing.T) {
	for _, item := range contracttest.Types() {
		value := item.New()
		if reflect.TypeOf(value).Elem().PkgPath() == reflect.TypeFor[contracttest.Holder]().PkgPath() {
			continue // Value and Error have no rules of their own
		}
		contracttest.NewFiller(1, false).Fill(value)
		want := item.NewProto().ProtoReflect()
		contracttest.SetStruct(want, reflect.ValueOf(value).Elem())
		if got := item.ToProto(value); !proto.Equal(want.Interface(), got) {
			t.Errorf("%s: want %v\ngot %v", item.Name, want, got)
		}
	}
}

func TestNilStaysNil(t *testing.T) {
	for _, item := range contracttest.Types() {
		if reflect.TypeOf(item.New()).Elem().PkgPath() == reflect.TypeFor[contracttest.Holder]().PkgPath() {
			continue
		}
		none := reflect.Zero(reflect.TypeOf(item.New())).Interface()
		if got := item.ToProto(none); got.ProtoReflect().IsValid() {
			t.Errorf("%s: nil became %v", item.Name, got)
		}
		noMessage := reflect.Zero(reflect.TypeOf(item.NewProto())).Interface().(proto.Message)
		if got := item.FromProto(noMessage); !reflect.ValueOf(got).IsNil() {
			t.Errorf("%s: no message became %v", item.Name, got)
		}
	}
	if convert.ValueToProto(nil) != nil || convert.ValueFromProto(nil) != nil || convert.ValueFromProto(&pluginpb.Value{}) != nil {
		t.Error("a nil value is not nil")
	}
	if convert.ErrorToProto(nil) != nil || convert.ErrorFromProto(nil) != nil || convert.ErrorFromProto(&pluginpb.Error{}) != nil {
		t.Error("a nil error is not nil")
	}
}

func TestTypedNilPointersAreNil(t *testing.T) {
	for _, err := range []error{(*model.AppError)(nil), (*pq.Error)(nil), (*plugin.ErrorString)(nil)} {
		if got := convert.ErrorToProto(err); got != nil {
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
		numbered := convert.ErrorToProto(err).GetErrorString()
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
		if got := convert.ValueFromProto(c.in); got != c.want {
			t.Errorf("%v became %T %v", c.in, got, got)
		}
	}
}

func TestTheZeroTimeIsNoTime(t *testing.T) {
	if convert.TimeToProto(time.Time{}) != nil || !convert.TimeFromProto(nil).IsZero() {
		t.Error("the zero time is something")
	}
	zero := time.Time{}
	if got := convert.TimePointerFromProto(convert.TimePointerToProto(&zero)); got == nil || !got.IsZero() {
		t.Errorf("a pointer to the zero time became %v", got)
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
	message := convert.PostToProto(&model.Post{Id: "p"})
	message.ProtoReflect().SetUnknown(protoreflect.RawFields{0xfa, 0xff, 0x03, 0x01, 'x'})
	if got := convert.PostFromProto(sent(t, message, new(pluginpb.Post))); got.Id != "p" {
		t.Errorf("got %v", got)
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
		if _, err := proto.Marshal(convert.PostToProto(post)); err != nil {
			t.Fatal(err)
		}
	}
	group.Wait()
}

func benchmark[G any, M proto.Message](b *testing.B, to func(*G) M, from func(M) *G) {
	in := new(G)
	filler := contracttest.NewFiller(1, false)
	filler.Fill(in)
	benchmarkValue(b, in, to, from)
}

func benchmarkValue[G any, M proto.Message](b *testing.B, in *G, to func(*G) M, from func(M) *G) {
	message := to(in)
	b.Run("ToProto", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			to(in)
		}
	})
	b.Run("FromProto", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			from(message)
		}
	})
}

func BenchmarkPost(b *testing.B) {
	post := &model.Post{
		Id: model.NewId(), CreateAt: 1, UpdateAt: 2, UserId: model.NewId(), ChannelId: model.NewId(),
		Message: "A message as people write it, of some length.", Hashtags: "#a", FileIds: model.StringArray{model.NewId()},
	}
	post.SetProps(model.StringInterface{"from_webhook": "true", "count": 3, "at": int64(1700000000000)})
	benchmarkValue(b, post, convert.PostToProto, convert.PostFromProto)
}

func BenchmarkUser(b *testing.B) {
	user := &model.User{
		Id: model.NewId(), Username: "someone", Email: "someone@example.com", Roles: "system_user", Locale: "en",
		Props: model.StringMap{"a": "b"}, NotifyProps: model.StringMap{"email": "true", "push": "mention"},
	}
	benchmarkValue(b, user, convert.UserToProto, convert.UserFromProto)
}

func BenchmarkChannel(b *testing.B) {
	channel := &model.Channel{Id: model.NewId(), TeamId: model.NewId(), Type: model.ChannelTypeOpen, Name: "town-square"}
	benchmarkValue(b, channel, convert.ChannelToProto, convert.ChannelFromProto)
}

func BenchmarkConfigWithEveryFieldSet(b *testing.B) {
	benchmark(b, convert.ConfigToProto, convert.ConfigFromProto)
}
