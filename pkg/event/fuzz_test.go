package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

// codes is every code that Decode may refuse an event with.
var codes = []string{
	"empty_body", "not_an_object", "invalid_json", "trailing_data", "duplicate_key", "unknown_field", "invalid_id", "unknown_type",
	"invalid_field", "kind_mismatch", "invalid_time", "invalid_text", "invalid_space", "space_mismatch",
}

// unsound is the codes of what is no JSON, or JSON that means two things.
var unsound = []string{"empty_body", "invalid_json", "trailing_data", "duplicate_key", "invalid_text"}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(busiest), true)
	for _, kind := range Kinds() {
		f.Add(told(kind.Kind, examples[kind.Kind]), true)
		f.Add(told(kind.Kind, `"x":[1,{"y":null}]`), false)
	}
	for _, r := range mistakes() {
		if len(r.body) < 1000 {
			f.Add(r.body, r.options.Strict)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, strict bool) {
		e, err := Decode(body, Options{Strict: strict})
		if err != nil {
			checkRefusal(t, body, err)
			return
		}
		checkAgainstANaiveReader(t, body, e)
		checkRoundTrip(t, e)
		if _, err := Decode(body, Options{Strict: strict, SubjectSpace: e.Space, SubjectKind: string(e.Kind)}); err != nil {
			t.Errorf("published to its own subject: %v", err)
		}
		if _, err := Decode(body, Options{Strict: strict, SubjectSpace: "elsewhere-" + e.Space[:min(9, len(e.Space))]}); err == nil {
			t.Error("published to another space's subject, it was taken")
		}
	})
}

func checkRefusal(t *testing.T, body []byte, err error) {
	t.Helper()
	code := fault.Code(err)
	if fault.Of(err) != fault.Invalid || !slices.Contains(codes, code) {
		t.Fatalf("%s: %v is %v, %q", body, err, fault.Of(err), code)
	}
	if pointer := fault.Pointer(err); pointer != "" && pointer[0] != '/' {
		t.Errorf("%s: %v is at %q", body, err, pointer)
	}
	if !json.Valid(body) && !slices.Contains(unsound, code) {
		t.Errorf("%s: it is no JSON, but %v", body, err)
	}
	deep := bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > maxDepth
	if (code == "invalid_json" || code == "trailing_data") && json.Valid(body) && !deep {
		t.Errorf("%s: it is JSON, but %v", body, err)
	}
}

// checkAgainstANaiveReader reads the body with encoding/json and compares.
func checkAgainstANaiveReader(t *testing.T, body []byte, e Event) {
	t.Helper()
	var said map[string]any
	if err := json.Unmarshal(body, &said); err != nil {
		t.Fatalf("%s: taken, but %v", body, err)
	}
	text := func(in map[string]any, name string) string {
		value, _ := in[name].(string)
		return value
	}
	data, _ := said["data"].(map[string]any)
	space := text(data, "space")
	if data["space"] == nil && e.Kind == MemberUpserted {
		space = NoSpace
	}
	want := []string{text(said, "id"), text(said, "source"), text(said, "type"), plainTime(t, text(said, "time")), text(said, "subject"), space}
	got := []string{e.ID, e.Source, e.Type(), e.Time.Format(time.RFC3339Nano), e.Member, e.Space}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", body, diff)
	}

	kind := kinds.byName[string(e.Kind)]
	known := map[string]any{}
	for i := range kind.Fields {
		f := &kind.Fields[i]
		value := data[f.Name]
		switch {
		case value == nil && f.holds == aParty:
			known[f.Name] = 1.0
		case value == nil:
		case f.holds == aTime:
			known[f.Name] = plainTime(t, text(data, f.Name))
		default:
			known[f.Name] = value
		}
	}
	var kept map[string]any
	if err := json.Unmarshal(e.EncodeData(nil), &kept); err != nil {
		t.Fatalf("%s: kept as %s: %v", body, e.EncodeData(nil), err)
	}
	if diff := cmp.Diff(known, kept); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", body, diff)
	}
}

// plainTime is a time in UTC in whole microseconds.
func plainTime(t *testing.T, said string) string {
	t.Helper()
	at, err := time.Parse(time.RFC3339, strings.ToUpper(said))
	if err != nil {
		t.Fatalf("%s was taken as a time, but %v", said, err)
	}
	return at.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
}

func checkRoundTrip(t *testing.T, e Event) {
	t.Helper()
	body := e.Encode(nil)
	again, err := Decode(body, Options{Strict: true, SubjectSpace: e.Space, SubjectKind: string(e.Kind)})
	if err != nil {
		t.Fatalf("%s: what we wrote ourselves: %v", body, err)
	}
	if diff := cmp.Diff(e, again); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", body, diff)
	}
	if again.Content() != e.Content() || again.Key() != e.Key() || again.Content() <= 0 {
		t.Errorf("%s has content %d and key %x, read again %d and %x", body, e.Content(), e.Key(), again.Content(), again.Key())
	}
	if diff := cmp.Diff(string(body), string(again.Encode(nil))); diff != "" {
		t.Errorf("written twice (-want +got):\n%s", diff)
	}
}

// A batch is cut where its elements end, and never reads beyond.
func FuzzSplitBatch(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"a":[1,"]"]},{}]`, `["\\","\""]`, `[1}`, `[{"a":[}],{}]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := SplitBatch(body, 100)
		if err != nil {
			if code := fault.Code(err); !slices.Contains(append([]string{"not_an_array", "too_many_events"}, unsound...), code) {
				t.Errorf("%s: %v, %q", body, err, code)
			}
			if code := fault.Code(err); code != "too_many_events" && code != "not_an_array" && json.Valid(body) && bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
				t.Errorf("%s is an array, but %v", body, err)
			}
			return
		}
		var want []json.RawMessage
		if err := json.Unmarshal(body, &want); err != nil {
			return // some element is broken; Decode says which
		}
		if len(events) != len(want) {
			t.Fatalf("%s: %d events, not %d", body, len(events), len(want))
		}
		for i := range want {
			if string(events[i]) != string(want[i]) {
				t.Errorf("%s: event %d is %s, not %s", body, i, events[i], want[i])
			}
		}
	})
}
