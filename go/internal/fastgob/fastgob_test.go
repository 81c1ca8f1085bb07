package fastgob

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/stretchr/testify/require"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/contracttest"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/gobwire"
)

// stream has a value, or several, as encoding/gob encodes them.
func stream(t testing.TB, values ...any) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := gob.NewEncoder(&out)
	for _, value := range values {
		require.NoError(t, encoder.Encode(value))
	}
	return out.Bytes()
}

func newLike(value any) any { return reflect.New(reflect.TypeOf(value).Elem()).Interface() }

// samples are values of every type of the contract, full ones and ones in which much is zero, that gob takes.
func samples(t testing.TB, test func(name string, value any)) {
	t.Helper()
	types := append(contracttest.Types(), contracttest.MessageTypes()...)
	for _, item := range types {
		for seed := range int64(6) {
			value := item.New()
			if seed > 0 {
				contracttest.NewFiller(seed, seed > 2).Fill(value)
			}
			if gob.NewEncoder(io.Discard).Encode(value) == nil {
				test(fmt.Sprintf("%s %d", item.Name, seed), value)
			}
		}
	}
}

func TestGobDecodesWhatIsEncoded(t *testing.T) {
	samples(t, func(name string, value any) {
		encoder := NewEncoder()
		var out []byte
		var err error
		for range 3 { // the first describes the type
			out, err = encoder.Append(out, value)
			require.NoError(t, err, name)
		}
		want := newLike(value)
		require.NoError(t, gob.NewDecoder(bytes.NewReader(stream(t, value))).Decode(want))
		decoder := gob.NewDecoder(bytes.NewReader(out))
		for range 3 {
			got := newLike(value)
			require.NoError(t, decoder.Decode(got), name)
			require.Equal(t, want, got, name)
		}
		require.ErrorIs(t, decoder.Decode(newLike(value)), io.EOF, name)
	})
}

func TestWhatGobEncodesIsDecoded(t *testing.T) {
	samples(t, func(name string, value any) {
		in := stream(t, value, value, value)
		judge, decoder := gob.NewDecoder(bytes.NewReader(in)), NewDecoder(bytes.NewReader(in))
		for range 3 {
			want, got := newLike(value), newLike(value)
			require.NoError(t, judge.Decode(want), name)
			require.NoError(t, decoder.Decode(got), name)
			require.Equal(t, want, got, name)
		}
		require.ErrorIs(t, decoder.Decode(newLike(value)), io.EOF, name)
	})
}

// Numbers are values at the ends of their ranges.
type Numbers struct {
	I   []int64
	U   []uint64
	F   []float64
	I8  []int8
	U16 []uint16
	B   []bool
	P   *int
	PP  *string
	In  []any
}

func numbers() *Numbers {
	zero, empty := 0, ""
	return &Numbers{
		I:   []int64{0, 1, -1, 63, 64, -64, -65, 127, 128, 255, 256, math.MaxInt64, math.MinInt64},
		U:   []uint64{0, 1, 127, 128, 255, 256, 1<<16 - 1, 1 << 16, 1<<56 - 1, math.MaxUint64},
		F:   []float64{0, math.Copysign(0, -1), 1, -2.5, math.Inf(-1), math.MaxFloat64},
		I8:  []int8{math.MinInt8, math.MaxInt8},
		U16: []uint16{math.MaxUint16},
		B:   []bool{true, false},
		P:   &zero, PP: &empty,
		In: []any{nil, "", "text", strings.Repeat("long", 50), true, false, 5, int64(-5), 2.5},
	}
}

func TestNumbersAreEncodedToTheSameOctets(t *testing.T) {
	want := stream(t, numbers(), numbers())
	encoder := NewEncoder()
	out, err := encoder.Append(nil, numbers())
	require.NoError(t, err)
	out, err = encoder.Append(out, numbers())
	require.NoError(t, err)
	require.Equal(t, want, out)
	_, ok := encoder.append(nil, encoder.plans[reflect.TypeFor[*Numbers]()], numbers())
	require.True(t, ok, "without encoding/gob")
}

// decoderBefore returns a decoder that has read one value, and the id of the type and the content of the next.
func decoderBefore(t *testing.T, value any) (*Decoder, int64, []byte) {
	in := stream(t, value, value)
	decoder := NewDecoder(bytes.NewReader(in))
	require.NoError(t, decoder.Decode(newLike(value)))
	message, prefix := decoder.message()
	number, size := gobwire.CutUint(message[prefix:])
	return decoder, gobwire.ToInt(number), message[prefix+size:]
}

func TestWhatIsOrdinaryNeedsNoEncodingGob(t *testing.T) {
	ordinary := &model.Post{
		Id: "id", CreateAt: 5, Message: "hello", FileIds: []string{"a", "b"}, Participants: []*model.User{{Id: "u"}},
		Metadata: &model.PostMetadata{Files: []*model.FileInfo{{Id: "f", Size: 7}}},
	}
	ordinary.SetProps(map[string]any{"from_bot": "true", "n": 1.5})
	for _, value := range []any{ordinary, &model.AppError{Id: "x", StatusCode: 404}, &model.CommandArgs{Command: "/x"}, numbers()} {
		encoder := NewEncoder()
		_, err := encoder.Append(nil, value)
		require.NoError(t, err)
		_, ok := encoder.append(nil, encoder.plans[reflect.TypeOf(value)], value)
		require.True(t, ok, "%T", value)
		decoder, id, content := decoderBefore(t, value)
		got := newLike(value)
		require.True(t, decoder.decode(id, content, got), "%T", value)
	}
}

// Fewer and Other have some fields of Fields, and one that another type has.
type (
	Fields struct {
		A    int
		Text string
		List []string
		In   Inner
	}
	Inner struct{ X, Y int }
	Fewer struct{ Text string }
	Other struct {
		In   struct{ Y int64 }
		A    *int
		More bool
	}
	Wrong  struct{ A string }
	Narrow struct{ A int8 }
)

func TestOtherFieldsAreAsWithGob(t *testing.T) {
	for _, sent := range []*Fields{{}, {A: 5, Text: "t", List: []string{"x"}, In: Inner{1, 2}}, {A: 1000}, {In: Inner{Y: 3}}} {
		for _, target := range []any{new(Fewer), new(Other), new(Wrong), new(Narrow), new(Fields), new(int)} {
			in := stream(t, sent, sent, sent)
			judge, decoder := gob.NewDecoder(bytes.NewReader(in)), NewDecoder(bytes.NewReader(in))
			for range 3 {
				want, got := newLike(target), newLike(target)
				wanted, err := judge.Decode(want), decoder.Decode(got)
				require.Equal(t, fmt.Sprint(wanted), fmt.Sprint(err), "%T of %+v", target, sent)
				require.Equal(t, want, got, "%T of %+v", target, sent)
			}
		}
	}
}

func TestAValueThatIsThereAlreadyIsAsWithGob(t *testing.T) {
	in := stream(t, &Fields{A: 5}, &Fields{A: 6})
	decoder := NewDecoder(bytes.NewReader(in))
	require.NoError(t, decoder.Decode(new(Fields)))
	got := Fields{Text: "stays"}
	require.NoError(t, decoder.Decode(&got))
	require.Equal(t, Fields{A: 6, Text: "stays"}, got)
}

func TestSkippedAndLargeValuesLeaveTheNextOnes(t *testing.T) {
	large := &Fields{Text: strings.Repeat("0123456789", maxMessage)}
	in := stream(t, &Fields{A: 1}, &Fields{A: 2}, large, &Inner{X: 3}, &Fields{A: 4})
	decoder := NewDecoder(bytes.NewReader(in))
	require.NoError(t, decoder.Decode(nil))
	var got Fields
	require.NoError(t, decoder.Decode(&got))
	require.Equal(t, Fields{A: 2}, got)
	got = Fields{}
	require.NoError(t, decoder.Decode(&got))
	require.Equal(t, *large, got)
	require.NoError(t, decoder.Decode(nil))
	got = Fields{}
	require.NoError(t, decoder.Decode(&got))
	require.Equal(t, Fields{A: 4}, got)
}

func TestWhatGobRefusesLeavesTheNextOnes(t *testing.T) {
	type list struct {
		List []*Inner
		Any  any
	}
	encoder := NewEncoder()
	var sent []byte
	good := &list{List: []*Inner{{X: 1}}, Any: "text"}
	for range 3 {
		out, err := encoder.Append(sent, good)
		require.NoError(t, err)
		sent, err = encoder.Append(out, &list{List: []*Inner{nil}})
		require.ErrorContains(t, err, "nil element")
		sent, err = encoder.Append(sent, &list{Any: func() {}})
		require.ErrorContains(t, err, "not registered")
	}
	decoder := NewDecoder(bytes.NewReader(sent))
	for range 3 {
		var got list
		require.NoError(t, decoder.Decode(&got))
		require.Equal(t, *good, got)
	}
}

func TestTypesAreDescribedBeforehand(t *testing.T) {
	encoder := NewEncoder(Inner{}, make(chan int))
	out, err := encoder.Append(nil, &Fewer{"text"})
	require.NoError(t, err)
	require.Contains(t, string(out), "Inner")
	var got Fewer
	require.NoError(t, NewDecoder(bytes.NewReader(out)).Decode(&got))
	require.Equal(t, Fewer{"text"}, got)
}

// TestBrokenStreamsEndAsWithGob changes octets of streams at random: whatever comes of it is what comes of it in
// encoding/gob.
func TestBrokenStreamsEndAsWithGob(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	// No maps: encoding/gob makes room for as many entries as are announced, even for a thousand millions.
	for _, value := range []any{numbers(), &Fields{A: 5, Text: "t", List: []string{"x"}, In: Inner{1, 2}}} {
		whole := stream(t, value, value, value)
		start := len(stream(t, value))
		for range 3_000 {
			in := bytes.Clone(whole)
			for range 1 + random.IntN(2) {
				in[start+random.IntN(len(in)-start)] = byte(random.IntN(256)) // after the descriptions
			}
			if random.IntN(10) == 0 {
				in = in[:start+random.IntN(len(in)-start)]
			}
			judge, decoder := gob.NewDecoder(bytes.NewReader(in)), NewDecoder(bytes.NewReader(in))
			for range 3 {
				want, got := newLike(value), newLike(value)
				wanted, err := judge.Decode(want), decoder.Decode(got)
				require.Equal(t, wanted == nil, err == nil, "%v, %v: %+v\n%x", wanted, err, got, in)
				if err != nil {
					require.Equal(t, errors.Is(wanted, io.EOF), errors.Is(err, io.EOF), "%x: %v, %v", in, wanted, err)
					break
				}
				if !strings.Contains(fmt.Sprintf("%+v", want), "NaN") { // which is not equal to itself
					require.Equal(t, want, got, "%x", in)
				}
			}
		}
	}
}

func BenchmarkPost(b *testing.B) {
	type arguments struct{ Post *model.Post }
	value := &arguments{&model.Post{
		Id: "8xkqsm3ktjdm9ne9jm3bq6x1wy", CreateAt: 1700000000000, UpdateAt: 1700000000000, UserId: "jxwwq3bqh3yrxk5n6x4w1k6o1e",
		ChannelId: "4yj5d7csj3n1mk8o9q5h1d1y3a", Message: "A message of ordinary length, as people write them.",
	}}
	b.Run("encode, encoding-gob", func(b *testing.B) {
		encoder := gob.NewEncoder(io.Discard)
		for b.Loop() {
			_ = encoder.Encode(value)
		}
	})
	b.Run("encode", func(b *testing.B) {
		encoder := NewEncoder()
		var out []byte
		for b.Loop() {
			out, _ = encoder.Append(out[:0], value)
		}
	})
	one := stream(b, value)
	again := stream(b, value, value)[len(one):]
	endless := func() io.Reader { return io.MultiReader(bytes.NewReader(one), &repeated{octets: again}) }
	b.Run("decode, encoding-gob", func(b *testing.B) {
		decoder := gob.NewDecoder(endless())
		for b.Loop() {
			_ = decoder.Decode(new(arguments))
		}
	})
	b.Run("decode", func(b *testing.B) {
		decoder := NewDecoder(endless())
		for b.Loop() {
			_ = decoder.Decode(new(arguments))
		}
	})
}

// repeated is the same octets again and again.
type repeated struct {
	octets []byte
	at     int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.octets[r.at:])
	r.at = (r.at + n) % len(r.octets)
	return n, nil
}
