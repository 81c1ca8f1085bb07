package contracttest

import (
	"bytes"
	"encoding/gob"
	"errors"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

var seeds = []int64{1, 2, 3}

func TestEveryFieldOfEveryTypeIsSet(t *testing.T) {
	for _, item := range append(Types(), MessageTypes()...) {
		for _, seed := range seeds {
			value := item.New()
			NewFiller(seed, false).Fill(value)
			unset, err := UnsetFields(value)
			if err != nil {
				t.Fatal(err)
			}
			if len(unset) > 0 {
				t.Errorf("%s: not set: %s", item.Name, strings.Join(unset, ", "))
			}
		}
	}
}

func TestEveryFieldOfEveryTypeIsCompared(t *testing.T) {
	for _, item := range append(Types(), MessageTypes()...) {
		original := filledType(item, 1, false)
		structure := reflect.TypeOf(original).Elem()
		for i := range structure.NumField() {
			if !Travels(structure.Field(i)) {
				continue
			}
			changed := filledType(item, 1, false)
			reflect.ValueOf(changed).Elem().Field(i).SetZero()
			found := Diff(original, changed)
			if len(found) == 0 || !strings.HasPrefix(found[0], "."+structure.Field(i).Name) {
				t.Errorf("%s: a change of %s is not noticed: %v", item.Name, structure.Field(i).Name, found)
			}
		}
	}
}

func TestTheSameSeedFillsTheSame(t *testing.T) {
	for _, item := range append(Types(), MessageTypes()...) {
		if found := Diff(filledType(item, 7, false), filledType(item, 7, false)); len(found) > 0 {
			t.Errorf("%s: %s", item.Name, strings.Join(found, "; "))
		}
	}
}

func TestEveryTypeComesBackFromProtobufUnchanged(t *testing.T) {
	for _, item := range append(Types(), MessageTypes()...) {
		for _, sparse := range []bool{false, true} {
			for _, seed := range seeds {
				original := filledType(item, seed, sparse)
				returned := throughCodec(t, item, original)
				if found := Diff(original, returned); len(found) > 0 {
					t.Errorf("%s, seed %d, sparse %t: %s", item.Name, seed, sparse, strings.Join(found, "; "))
				}
			}
		}
	}
}

func TestEveryTypeGobCarriesInAnInterfaceComesBackFromProtobufUnchanged(t *testing.T) {
	value := Types()[len(Types())-2]
	for _, kind := range AnyTypes() {
		for _, sparse := range []bool{false, true} {
			for _, seed := range seeds {
				original := &Holder{NewFiller(seed, sparse).Of(kind)}
				returned := throughCodec(t, value, original)
				if found := Diff(original, returned); len(found) > 0 {
					t.Errorf("%s, seed %d, sparse %t: %s", kind, seed, sparse, strings.Join(found, "; "))
				}
			}
		}
	}
}

// What Any makes is what a plugin can meet: gob must carry all of it.
func TestGobCarriesWhatAnyMakes(t *testing.T) {
	for _, kind := range AnyTypes() {
		var buffer bytes.Buffer
		original := &Holder{NewFiller(1, false).Of(kind)}
		if err := gob.NewEncoder(&buffer).Encode(original); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		returned := new(Holder)
		if err := gob.NewDecoder(&buffer).Decode(returned); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if found := Diff(original, returned); len(found) > 0 {
			t.Errorf("%s: %s", kind, strings.Join(found, "; "))
		}
	}
}

func TestUnsetFieldsWantsAPointerToAStruct(t *testing.T) {
	if _, err := UnsetFields("text"); !errors.Is(err, errNotAPointer) {
		t.Errorf("got %v", err)
	}
}

func TestDiffTellsNilFromSetAndIgnoresEmptiness(t *testing.T) {
	one := 1
	for _, c := range []struct {
		name  string
		a, b  any
		equal bool
	}{
		{"nil and empty slice", []string(nil), []string{}, true},
		{"nil and empty map", map[string]int(nil), map[string]int{}, true},
		{"nil and set pointer", (*int)(nil), &one, false},
		{"types in an interface", Holder{int64(1)}, Holder{1}, false},
		{"nil and empty slice in an interface", Holder{nil}, Holder{[]any{}}, false},
		{"missing key", map[string]int{"a": 0}, map[string]int{"b": 0}, false},
		{"order", []int{1, 2}, []int{2, 1}, false},
	} {
		if found := Diff(c.a, c.b); (len(found) == 0) != c.equal {
			t.Errorf("%s: %v", c.name, found)
		}
	}
}

func filledType(item Type, seed int64, sparse bool) any {
	value := item.New()
	NewFiller(seed, sparse).Fill(value)
	return value
}

// throughCodec returns what is read of what is written, after both have been compared with what protobuf itself writes.
func throughCodec(t *testing.T, item Type, original any) any {
	t.Helper()
	want := item.Oracle(original)
	encoded, err := proto.Marshal(want)
	if err != nil {
		t.Fatalf("%s: %v", item.Name, err)
	}
	data, got := item.Append(nil, original), item.NewProto()
	if err := proto.Unmarshal(data, got); err != nil {
		t.Fatalf("%s: protobuf cannot read it: %v", item.Name, err)
	}
	if !proto.Equal(want, got) {
		t.Errorf("%s: want %v\ngot %v", item.Name, want, got)
	}
	if len(data) != len(encoded) {
		t.Errorf("%s: %d bytes where protobuf writes %d", item.Name, len(data), len(encoded))
	}
	returned, theirs := item.New(), item.New()
	if err := errors.Join(item.Parse(data, returned), item.Parse(encoded, theirs)); err != nil {
		t.Fatalf("%s: %v", item.Name, err)
	}
	if found := Diff(returned, theirs); len(found) > 0 {
		t.Errorf("%s: what protobuf writes is read as something else: %s", item.Name, strings.Join(found, "; "))
	}
	return returned
}
