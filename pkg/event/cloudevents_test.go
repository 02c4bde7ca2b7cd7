package event

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"coworking/pkg/fault"

	"github.com/cloudevents/sdk-go/v2/binding"
	sdk "github.com/cloudevents/sdk-go/v2/event"
	sdkhttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/google/go-cmp/cmp"
)

// exchanged is events of all kinds that the SDK can carry: its sources are URIs, and
// it does not encode what HTTP headers cannot hold.
func exchanged() []Event {
	random := rand.New(rand.NewPCG(6, 6))
	var events []Event
	for _, kind := range Kinds() {
		for range 20 {
			e := generate(random, kind.Kind)
			e.ID, e.Source = "a-"+e.Space, "kisi/place-12?x=1"
			if e.Member != "" {
				e.Member = "Ada Lovelace"
			}
			events = append(events, e)
		}
	}
	return events
}

// asTheSDKReads is one of our events as the SDK reads it.
func asTheSDKReads(t *testing.T, e Event) sdk.Event {
	t.Helper()
	var read sdk.Event
	if err := json.Unmarshal(e.Encode(nil), &read); err != nil {
		t.Fatalf("%s: %v", e.Encode(nil), err)
	}
	return read
}

func TestTheSDKReadsWhatWeWrite(t *testing.T) {
	for _, e := range exchanged() {
		read := asTheSDKReads(t, e)
		if err := read.Validate(); err != nil {
			t.Fatalf("%s: %v", e.Encode(nil), err)
		}
		want := []string{"1.0", e.ID, e.Source, e.Type(), e.Member, "application/json", e.Time.String()}
		got := []string{read.SpecVersion(), read.ID(), read.Source(), read.Type(), read.Subject(), read.DataContentType(), read.Time().UTC().String()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		var data struct{ Space string }
		if err := read.DataAs(&data); err != nil || data.Space != e.Space {
			t.Fatalf("%s: %v", read.Data(), err)
		}
	}
}

func TestWeReadWhatTheSDKWrites(t *testing.T) {
	for _, e := range exchanged() {
		body, err := json.Marshal(asTheSDKReads(t, e))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, decoded(t, body, Options{Strict: true})); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestWeReadWhatTheSDKSendsInStructuredMode(t *testing.T) {
	for _, e := range exchanged() {
		request, err := sdkhttp.NewHTTPRequestFromEvent(binding.WithForceStructured(t.Context()), "http://example.com", asTheSDKReads(t, e))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, decoded(t, sent(t, request), Options{Strict: true})); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func TestWeReadWhatTheSDKSendsInBinaryMode(t *testing.T) {
	for _, e := range exchanged() {
		request, err := sdkhttp.NewHTTPRequestFromEvent(binding.WithForceBinary(t.Context()), "http://example.com", asTheSDKReads(t, e))
		if err != nil {
			t.Fatal(err)
		}
		if request.Header.Get("Ce-Id") != e.ID {
			t.Fatalf("no binary mode: %v", request.Header)
		}
		body, err := FromBinary(request.Header.Values, sent(t, request))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, decoded(t, body, Options{Strict: true})); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestBatchesGoBothWays(t *testing.T) {
	events := exchanged()
	theirs := make([]sdk.Event, len(events))
	ours := make([][]byte, len(events))
	for i, e := range events {
		theirs[i], ours[i] = asTheSDKReads(t, e), e.Encode(nil)
	}

	request, err := sdkhttp.NewHTTPRequestFromEvents(t.Context(), "http://example.com", theirs)
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := SplitBatch(sent(t, request), len(events))
	if err != nil || len(bodies) != len(events) {
		t.Fatalf("%d events, %v", len(bodies), err)
	}
	for i, body := range bodies {
		if diff := cmp.Diff(events[i], decoded(t, body, Options{Strict: true})); diff != "" {
			t.Fatalf("from the SDK (-want +got):\n%s", diff)
		}
	}

	batch := append(append([]byte("["), bytes.Join(ours, []byte(","))...), ']')
	request, err = http.NewRequestWithContext(t.Context(), http.MethodPost, "http://example.com", bytes.NewReader(batch))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", sdk.ApplicationCloudEventsBatchJSON)
	read, err := sdkhttp.NewEventsFromHTTPRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	for i := range read {
		if diff := cmp.Diff(theirs[i].String(), read[i].String()); diff != "" {
			t.Fatalf("to the SDK (-want +got):\n%s", diff)
		}
	}
	if len(read) != len(events) {
		t.Errorf("the SDK reads %d of %d events", len(read), len(events))
	}
}

func sent(t *testing.T, request *http.Request) []byte {
	t.Helper()
	body, err := io.ReadAll(request.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestABatchIsSplit(t *testing.T) {
	tests := map[string]struct {
		batch string
		want  []string
	}{
		"none":                   {" [ ] ", nil},
		"one":                    {`[{"a":1}]`, []string{`{"a":1}`}},
		"two, with blanks":       {"\t[ {\"a\" : 1}\r\n,\n{} ]\n", []string{`{"a" : 1}`, `{}`}},
		"brackets in texts":      {`[{"a":"]},{"},{"b\"]":"\\"}]`, []string{`{"a":"]},{"}`, `{"b\"]":"\\"}`}},
		"nested":                 {`[{"a":[{"b":[]},[1,2]]},{"c":{}}]`, []string{`{"a":[{"b":[]},[1,2]]}`, `{"c":{}}`}},
		"what is no event":       {`[1,"x",null,[2]]`, []string{`1`, `"x"`, `null`, `[2]`}},
		"what is no JSON":        {`[{"a":},{"b":1} {"c":2},x]`, []string{`{"a":}`, `{"b":1} {"c":2}`, `x`}},
		"brackets of two shapes": {`[{"a":[}],{}]`, []string{`{"a":[}]`, `{}`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			events, err := SplitBatch([]byte(test.batch), 4)
			var got []string
			for _, e := range events {
				got = append(got, string(e))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestWhatIsNoBatch(t *testing.T) {
	for batch, want := range map[string]string{
		"":              "empty_body",
		" \n":           "empty_body",
		`{"id":"1"}`:    "not_an_array",
		`null`:          "not_an_array",
		`nul`:           "invalid_json",
		`{`:             "invalid_json",
		`[`:             "invalid_json",
		`[1`:            "invalid_json",
		`[1,`:           "invalid_json",
		`[1,]`:          "invalid_json",
		`[,1]`:          "invalid_json",
		`[1,,2]`:        "invalid_json",
		`[1}`:           "invalid_json",
		`[{"a":1]`:      "invalid_json",
		`["a]`:          "invalid_json",
		`["a\"]`:        "invalid_json",
		`["a\`:          "invalid_json",
		`[1] [2]`:       "trailing_data",
		`[]]`:           "trailing_data",
		`[1,2,3]`:       "",
		`[1,2,3,4]`:     "too_many_events",
		`[1,2,3,4,5,6}`: "too_many_events",
	} {
		events, err := SplitBatch([]byte(batch), 3)
		if fault.Code(err) != want || err != nil && (fault.Of(err) != fault.Invalid || events != nil) {
			t.Errorf("%s: %v, %q", batch, err, fault.Code(err))
		}
	}
}

func TestBinaryMode(t *testing.T) {
	header := func(changes ...string) http.Header {
		h := http.Header{}
		for _, line := range append([]string{
			"Ce-Specversion: 1.0", "Ce-Id: 1", "Ce-Source: lock-7", "Ce-Type: coworking.v1.checkin", "Ce-Time: 2026-03-29T00:58:03Z", "Content-Type: application/json",
		}, changes...) {
			name, value, _ := strings.Cut(line, ": ")
			switch {
			case strings.HasPrefix(value, "also "):
				h.Add(name, strings.TrimPrefix(value, "also "))
			case value == "":
				h.Del(name)
			default:
				h.Set(name, value)
			}
		}
		return h
	}
	const data = `{"space":"mitte"}`
	tests := map[string]struct {
		header http.Header
		body   string
		member string
		want   refused
	}{
		"as it should be":                      {header(), data, "", refused{}},
		"a member":                             {header("Ce-Subject: 4711"), data, "4711", refused{}},
		"a member with encoded letters":        {header("Ce-Subject: Zo%C3%AB%20%22%25%22"), data, `Zoë "%"`, refused{}},
		"a member encoded in small letters":    {header("Ce-Subject: Zo%c3%ab"), data, "Zoë", refused{}},
		"a member encoded twice, decoded once": {header("Ce-Subject: %2541"), data, "%41", refused{}},
		"a member with a plus":                 {header("Ce-Subject: a+b"), data, "a+b", refused{}},
		"a member in UTF-8":                    {header("Ce-Subject: Zoë"), data, "Zoë", refused{}},
		"a member in quotes":                   {header(`Ce-Subject: "a \"b\" \\ \c"`), data, `a "b" \ c`, refused{}},
		"a header that nobody knows":           {header("Ce-Traceparent: 00-%zz"), data, "", refused{}},
		"no version":                           {header("Ce-Specversion: "), data, "", refused{}},
		"no content type":                      {header("Content-Type: "), data, "", refused{}},
		"blanks around the data":               {header(), " " + data + "\n", "", refused{}},

		"no id":                      {header("Ce-Id: "), data, "", refused{"invalid_id", "/id"}},
		"two ids":                    {header("Ce-Id: also 2"), data, "", refused{"duplicate_key", "/id"}},
		"nothing":                    {http.Header{}, "", "", refused{"invalid_id", "/id"}},
		"nothing but data":           {http.Header{}, data, "", refused{"invalid_id", "/id"}},
		"no data":                    {header(), "", "", refused{"invalid_space", "/data/space"}},
		"another content type":       {header("Content-Type: text/plain"), data, "", refused{"invalid_field", "/datacontenttype"}},
		"another version":            {header("Ce-Specversion: 0.3"), data, "", refused{"invalid_field", "/specversion"}},
		"half an encoding":           {header("Ce-Subject: 50%"), data, "", refused{"invalid_text", "/subject"}},
		"a member that is not UTF-8": {header("Ce-Subject: %ff"), data, "", refused{"invalid_text", "/subject"}},
		"a member with a NUL":        {header("Ce-Subject: a%00"), data, "", refused{"invalid_text", "/subject"}},
		"a source with a line break": {header("Ce-Source: a%0d%0aCe-Id:2"), data, "", refused{"invalid_text", "/source"}},
		"data that is half":          {header(), `{"space":"mitte"`, "", refused{"invalid_json", ""}},
		"data that is two":           {header(), data + data, "", refused{"trailing_data", ""}},
		"data that says who it is":   {header(), data + `,"subject":"4711"`, "", refused{"trailing_data", ""}},
		"data that ends the event":   {header(), data + `}`, "", refused{"trailing_data", ""}},
		"data that is not UTF-8":     {header(), "{\"space\":\"mitte\",\"zone\":\"\xff\"}", "", refused{"invalid_text", ""}},
		"data with half a pair":      {header(), `{"space":"mitte","zone":"\ud83d"}`, "", refused{"invalid_text", "/data/zone"}},
		"data with a key twice":      {header(), `{"space":"mitte","space":"mitte"}`, "", refused{"duplicate_key", "/data/space"}},
		"data that is an array":      {header(), `[]`, "", refused{"invalid_field", "/data"}},
		"data nested too deep":       {header(), strings.Repeat("[", 40) + strings.Repeat("]", 40), "", refused{"invalid_json", ""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			body, err := FromBinary(test.header.Values, []byte(test.body))
			var e Event
			if err == nil {
				e, err = Decode(body, Options{Strict: true})
			}
			if diff := cmp.Diff(test.want, whyRefused(err)); diff != "" {
				t.Fatalf("%s: %v (-want +got):\n%s", body, err, diff)
			}
			if err == nil && e.Member != test.member {
				t.Errorf("the member is %q", e.Member)
			}
		})
	}
}
