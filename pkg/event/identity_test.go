package event

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestContentIsWhatIsSaidHoweverItIsWritten(t *testing.T) {
	body := string(told(CheckIn, `"method":"door","team":"Zoë & co"`))
	content := func(changes ...string) int64 {
		t.Helper()
		e := decoded(t, []byte(strings.NewReplacer(changes...).Replace(body)), Options{})
		return e.Content()
	}
	same := map[string][]string{
		"written again":              nil,
		"in another zone":            {"00:58:03Z", "02:58:03+02:00"},
		"with +00:00":                {"03Z", "03+00:00"},
		"with -00:00":                {"03Z", "03-00:00"},
		"with a fraction of nothing": {"03Z", "03.000Z"},
		"with nanoseconds":           {"03Z", "03.000000999Z"},
		"in another order":           {`"method":"door","team":"Zoë & co"`, `"team":"Zoë & co","method":"door"`},
		"with escapes":               {"Zoë & co", `Zo\u00eb \u0026 co`},
		"with a party of one":        {`"method"`, `"party_size":1,"method"`},
		"with fields that are null":  {`"method"`, `"party_size":null,"zone":null,"method"`},
		"with an unknown field":      {`"method"`, `"shoes":"red","method"`},
		"with an extension":          {`"source"`, `"traceparent":"00-1-2-03","source"`},
		"with a content type":        {`"source"`, `"specversion":"1.0","datacontenttype":"application/json","source"`},
		"under another id":           {`"id":"1"`, `"id":"2"`},
		"by another source":          {"lock-7", "lock-8"},
		"in another space":           {"mitte", "kreuzberg"},
	}
	for name, changes := range same {
		if content(changes...) != content() {
			t.Errorf("%s it is other content", name)
		}
	}
	blanks := decoded(t, []byte(strings.ReplaceAll(strings.ReplaceAll(body, `":"`, "\" :\n\""), `",`, "\"\t,\r ")), Options{})
	if blanks.Content() != content() {
		t.Error("with blanks it is other content")
	}

	other := map[string][]string{
		"a microsecond later":    {"03Z", "03.000001Z"},
		"of another member":      {"4711", "4712"},
		"of nobody":              {`"subject":"4711",`, ``},
		"of another kind":        {"v1.checkin", "v1.token_used", `"method"`, `"token_id":"1","method"`},
		"of two":                 {`"method"`, `"party_size":2,"method"`},
		"without a method":       {`"method":"door",`, ``},
		"with its values moved":  {`"method":"door","team"`, `"method":"door","zone"`},
		"with a letter composed": {"ë", "e\u0308"},
	}
	for name, changes := range other {
		if content(changes...) == content() {
			t.Errorf("%s it is the same content", name)
		}
	}
}

func TestEveryFieldIsContent(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(3, 3))
	for _, kind := range Kinds() {
		full := decoded(t, told(kind.Kind, examples[kind.Kind]), Options{Strict: true})
		said := map[string]string{}
		for i := range kind.Fields {
			f := &kind.Fields[i]
			before := string(f.write(nil, &full.Data))
			if before == "" {
				t.Errorf("the example of %s says no %s", kind.Kind, f.Name)
			}
			said[f.Name] = before
			changed := full
			if full.Data.Settings != nil {
				changed.Data.Settings = new(*full.Data.Settings)
			}
			for string(f.write(nil, &changed.Data)) == before {
				if other := generate(random, kind.Kind); string(f.write(nil, &other.Data)) != "" {
					if err := f.read(&changed.Data, f.write(nil, &other.Data)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if changed.Content() == full.Content() {
				t.Errorf("%s: another %s is the same content", kind.Kind, f.Name)
			}
			if changed.Key() != full.Key() {
				t.Errorf("%s: another %s is another key", kind.Kind, f.Name)
			}
		}
		if len(said) != len(kind.Fields) {
			t.Errorf("%s says only %v", kind.Kind, slices.Sorted(maps.Keys(said)))
		}
	}
}

func TestContentIsPositive(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(4, 4))
	seen := map[int64]bool{}
	for range 2000 {
		e := generate(random, CheckIn)
		if e.Content() <= 0 || seen[e.Content()] {
			t.Fatalf("%s has content %d", e.Encode(nil), e.Content())
		}
		seen[e.Content()] = true
	}
}

func TestAKeyIsAHashOfThreeNames(t *testing.T) {
	sum := sha256.Sum256([]byte("\x00\x05mitte\x00\x06lock-7\x00\x011"))
	if want, got := Key(sum[:16]), KeyOf("mitte", "lock-7", "1"); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
	seen := map[Key][3]string{}
	for _, names := range [][3]string{
		{"a", "bc", "d"},
		{"ab", "c", "d"},
		{"a", "b", "cd"},
		{"abc", "d", ""},
		{"", "abc", "d"},
		{"", "", "abcd"},
		{"abcd", "", ""},
		{"a", "bc", "e"},
		{"a", "be", "d"},
		{"e", "bc", "d"},
		{"a", "\x00\x01b", "c"},
		{"a\x00\x01b", "", "c"},
		{"a", strings.Repeat("b", 256), "c"},
		{"a", "", strings.Repeat("b", 256) + "c"},
	} {
		key := KeyOf(names[0], names[1], names[2])
		if before, there := seen[key]; there {
			t.Errorf("%q and %q have one key", before, names)
		}
		seen[key] = names
	}
}

func TestTheTimeOfAnIDComesFirstInItsKey(t *testing.T) {
	tests := map[string]struct {
		id   string
		want string // the first six bytes, "" for the hash's
	}{
		"a UUIDv7, RFC 9562's own":        {"017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e279b0"},
		"a UUIDv7 in small letters":       {"017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e279b0"},
		"a ULID, its specification's own": {"01ARZ3NDEKTSV4RRFFQ69G5FAV", "01563e3ab5d3"},
		"a ULID in small letters":         {"01arz3ndektsv4rrffq69g5fav", "01563e3ab5d3"},
		"the last ULID":                   {"7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "ffffffffffff"},
		"a UUIDv4":                        {"d7cf0237-5d0b-4a55-9c0e-0c1f6f6f6d11", ""},
		"a UUIDv7 of another variant":     {"017f22e2-79b0-7cc3-c8c4-dc0c0c07398f", ""},
		"a UUIDv7 without its dashes":     {"017f22e279b07cc398c4dc0c0c07398f", ""},
		"a UUIDv7 with a wrong letter":    {"017f22e2-79b0-7cc3-98c4-dc0c0c07398g", ""},
		"a UUIDv7 with a dash moved":      {"017f22e27-9b0-7cc3-98c4-dc0c0c07398f", ""},
		"a ULID that is too great":        {"8ZZZZZZZZZZZZZZZZZZZZZZZZZ", ""},
		"a ULID with a U":                 {"01ARZ3NDEKTSV4RRFFQ69G5FAU", ""},
		"26 other bytes":                  {"01ARZ3NDEKTSV4RRFFQ69G5F-V", ""},
		"a word":                          {"token/17/used", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			key := KeyOf("mitte", "lock-7", test.id)
			named := append([]byte("\x00\x05mitte\x00\x06lock-7\x00"), byte(len(test.id)))
			sum := sha256.Sum256(append(named, test.id...))
			want := hex.EncodeToString(sum[:16])
			if test.want != "" {
				want = test.want + want[12:]
			}
			if diff := cmp.Diff(want, hex.EncodeToString(key[:])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if KeyOf("mitte", "lock-8", test.id) == key || KeyOf("mittf", "lock-7", test.id) == key {
				t.Error("another door's event has the same key")
			}
		})
	}
}

func TestNewIDIsAUUIDv7(t *testing.T) {
	// RFC 9562, A.6, but for its random bits: all of them 1, or 0.
	at := time.Date(2022, 2, 22, 14, 22, 22, 0, time.FixedZone("", -5*60*60))
	for fill, want := range map[byte]string{0xff: "017f22e2-79b0-7fff-bfff-ffffffffffff", 0: "017f22e2-79b0-7000-8000-000000000000"} {
		id, err := NewID(at, bytes.NewReader(bytes.Repeat([]byte{fill}, 10)))
		if err != nil || id != want {
			t.Errorf("got %s, %v, want %s", id, err, want)
		}
	}
	first, err := NewID(at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	second, err := NewID(at.Add(time.Millisecond), rand.Reader)
	if err != nil || first >= second {
		t.Errorf("%s, then %s: %v", first, second, err)
	}
	if ms, ok := idTime(first); !ok || int64(ms) != at.UnixMilli() {
		t.Errorf("%s is of %d: %v", first, ms, ok)
	}
	broken := errors.New("no more dice")
	if id, err := NewID(at, iotest.ErrReader(broken)); !errors.Is(err, broken) || id != "" {
		t.Errorf("got %q, %v", id, err)
	}
}

func TestAKindOrAFieldIsListedOnce(t *testing.T) {
	for name, list := range map[string][]KindInfo{
		"a kind twice":                  {checkIn, checkIn},
		"a field twice":                 {{Kind: "a", Fields: []Field{method, method}}},
		"a field: space":                {{Kind: "a", Fields: []Field{{Name: "space"}}}},
		"too many fields":               {{Kind: "a", Fields: manyFields(maxFields + 1)}},
		"a text in the place of a time": {{Kind: "a", Fields: []Field{words("x", "X.", 1, inExpiresAt)}}},
		"a time in the place of a text": {{Kind: "a", Fields: []Field{moment("x", "X.", inZone)}}},
		"a field without words":         {{Kind: "a", Fields: []Field{words("x", "", 1, inZone)}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("nobody noticed")
				}
			}()
			table(list...)
		})
	}
}

func manyFields(n int) []Field {
	fields := make([]Field, n)
	for i := range fields {
		fields[i] = words(strings.Repeat("x", i+1), "X.", 1, inZone)
	}
	return fields
}
