package convert_test

import (
	"bytes"
	"math/rand"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// allTypes are all types that have a codec.
func allTypes() []contracttest.Type {
	types := append(contracttest.Types(), contracttest.MessageTypes()...)
	return append(types, contracttest.PartTypes()...)
}

// parsesAsProtobufDoes checks that bytes are refused if package proto refuses them, and else mean the same.
func parsesAsProtobufDoes(t *testing.T, item contracttest.Type, data []byte) {
	t.Helper()
	message, value := item.NewProto(), item.New()
	refused, err := proto.Unmarshal(data, message), item.Parse(bytes.Clone(data), value)
	if (refused == nil) != (err == nil) {
		t.Fatalf("%s, %x: protobuf says %v, we %v", item.Name, data, refused, err)
	}
	if err != nil {
		return
	}
	canonical, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	other := item.New()
	if err := item.Parse(canonical, other); err != nil {
		t.Fatalf("%s, %x: %v", item.Name, canonical, err)
	}
	if got, want := rewritten(t, item, value), rewritten(t, item, other); !proto.Equal(want, got) {
		t.Fatalf("%s, %x: want %v\ngot %v", item.Name, data, want, got)
	}
}

// rewritten returns the message that a value is written as.
func rewritten(t *testing.T, item contracttest.Type, value any) proto.Message {
	t.Helper()
	out, written := item.NewProto(), item.Append(nil, value)
	if err := proto.Unmarshal(written, out); err != nil {
		t.Fatalf("%s, %x: %v", item.Name, written, err)
	}
	return out
}

func encodedExample(item contracttest.Type, seed int64, sparse bool) []byte {
	value := item.New()
	contracttest.NewFiller(seed, sparse).Fill(value)
	return item.Append(nil, value)
}

// mutated returns bytes that are nearly a message.
func mutated(random *rand.Rand, data, other []byte) []byte {
	out := bytes.Clone(data)
	for range 1 + random.Intn(3) {
		at := random.Intn(len(out) + 1)
		switch random.Intn(6) {
		case 0: // cut off
			out = out[:at]
		case 1: // changed
			if at < len(out) {
				out[at] ^= byte(1 << random.Intn(8))
			}
		case 2: // with something between
			out = append(out[:at:at], append([]byte{byte(random.Intn(256))}, out[at:]...)...)
		case 3: // with something left out
			if at < len(out) {
				out = append(out[:at:at], out[at+1:]...)
			}
		default: // followed by another of its kind
			out = append(out, other...)
		}
	}
	return out
}

func TestWhatIsNearlyAMessageIsWhatProtobufTakesItFor(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for _, item := range allTypes() {
		for seed := range int64(3) {
			first, second := encodedExample(item, seed, false), encodedExample(item, seed+100, true)
			parsesAsProtobufDoes(t, item, first)
			parsesAsProtobufDoes(t, item, append(bytes.Clone(first), second...))
			for range 8 {
				parsesAsProtobufDoes(t, item, mutated(random, first, second))
			}
		}
	}
}

// FuzzParse finds bytes that are taken for something else than protobuf takes them for.
func FuzzParse(f *testing.F) {
	types := allTypes()
	for i, item := range types {
		f.Add(i, encodedExample(item, 1, true))
	}
	f.Fuzz(func(t *testing.T, index int, data []byte) {
		parsesAsProtobufDoes(t, types[uint(index)%uint(len(types))], data)
	})
}

func typeNamed(t *testing.T, name string) contracttest.Type {
	t.Helper()
	for _, item := range allTypes() {
		if item.Name == name {
			return item
		}
	}
	t.Fatalf("there is no %s", name)
	return contracttest.Type{}
}

func field(number protowire.Number, content ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), bytes.Join(content, nil))
}

func number(number protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), value)
}

// The fields of a Value: 1 its kind, 3 an int64, 6 a text, 8 a list, 9 a map.
func TestMessagesThatComeTwiceAreReadTogether(t *testing.T) {
	value := typeNamed(t, "Value")
	kindOnly, list, entry := number(1, 2), field(8, field(1, number(3, 5))), field(9, field(1, field(1, []byte("k")), field(2, number(3, 5))))
	for name, data := range map[string][]byte{
		"two lists":                   bytes.Join([][]byte{list, list}, nil),
		"two lists and the kind last": bytes.Join([][]byte{list, list, number(1, 15)}, nil),
		"a list between two maps":     bytes.Join([][]byte{entry, list, entry}, nil),
		"two maps":                    bytes.Join([][]byte{entry, entry}, nil),
		"a broken list, then a text":  bytes.Join([][]byte{field(8, []byte{0x0a}), field(6, []byte("x"))}, nil),
		"halves of a list":            bytes.Join([][]byte{field(8, []byte{0x0a, 2}), field(8, []byte{0x18, 5})}, nil),
		"no text, then a number":      bytes.Join([][]byte{field(6, []byte{0xff}), number(3, 1)}, nil),
	} {
		t.Run(name, func(t *testing.T) { parsesAsProtobufDoes(t, value, data) })
	}
	// A field whose Value comes in two pieces, in a message that comes in two pieces itself.
	named := typeNamed(t, "NamedValue")
	pieces := [][]byte{field(3, kindOnly), field(1, []byte("name")), field(3, number(3, 7)), number(2, 1), field(3, field(8)), field(3, list)}
	parsesAsProtobufDoes(t, named, bytes.Join(pieces, nil))
	post := typeNamed(t, "CreatePostRequest")
	first, second := encodedExample(typeNamed(t, "Post"), 1, false), encodedExample(typeNamed(t, "Post"), 2, true)
	parsesAsProtobufDoes(t, post, bytes.Join([][]byte{field(1, first), field(1, second), field(1, first)}, nil))
	parsesAsProtobufDoes(t, post, bytes.Join([][]byte{field(1, first), field(1, second[:len(second)-1])}, nil))
}

func TestNestingIsLimitedAsInProtobuf(t *testing.T) {
	value := typeNamed(t, "Value")
	for _, depth := range []int{10, 4999, 5000} {
		data := number(3, 1)
		for range depth { // a list in a Value is two messages
			data = field(8, field(1, data))
		}
		parsesAsProtobufDoes(t, value, data)
	}
}

func TestAMessageOfManyPiecesIsReadInNoTime(t *testing.T) {
	// A megabyte of pieces of one message, which to put together anew with each of them would take minutes.
	data := bytes.Repeat(field(1, field(1, []byte("p"))), 200000)
	var out convert.CreatePostRequest
	if err := out.Parse(data); err != nil || out.Post.Id != "p" {
		t.Fatal(err)
	}
	values := bytes.Repeat(field(8, field(1, number(3, 5))), 100000)
	if found, err := convert.ParseValue(values); err != nil || len(found.([]any)) != 100000 {
		t.Fatal(err)
	}

	// Two pieces on each of many levels, of which none may be read more than once: that would double the work each time.
	var nested []byte
	for range 100 {
		preview := field(2, nested)                               // of a post, in
		embed := field(1, field(3, field(19, preview)))           // the metadata
		nested = append(field(25, embed), field(25, field(1))...) // of a post
	}
	parsesAsProtobufDoes(t, typeNamed(t, "Post"), nested)
}
