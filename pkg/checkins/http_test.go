package checkins_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"coworking/pkg/checkins"
	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

// door is a server that answers as a test says, and what it was asked.
type door struct {
	*httptest.Server

	mu      sync.Mutex
	batches [][]string // ids
	times   []time.Time
	problem string
}

// answers starts a door; each request is handed to the next of the answers, and the
// last one answers all that follow.
func answers(t *testing.T, each ...func(w http.ResponseWriter, ids []string)) *door {
	t.Helper()
	d := &door{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids := d.read(r)
		d.mu.Lock()
		answer := each[min(len(d.batches), len(each)-1)]
		d.batches, d.times = append(d.batches, ids), append(d.times, time.Now())
		d.mu.Unlock()
		answer(w, ids)
	}))
	t.Cleanup(func() {
		d.Close()
		if d.problem != "" {
			t.Error(d.problem)
		}
	})
	return d
}

func (d *door) read(r *http.Request) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	var events []struct{ ID string }
	if err == nil {
		err = json.Unmarshal(body, &events)
	}
	said := fmt.Sprint(r.Method, " ", r.URL, " ", r.Header.Get("Content-Type"), " ", r.Header.Get("Authorization"), " ", err)
	if said != "POST /v1/events application/cloudevents-batch+json Bearer cw_1 <nil>" {
		d.problem = said
	}
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

func (d *door) asked() [][]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([][]string(nil), d.batches...)
}

// says answers with a status and, of each event, what became of it: "" is stored, else
// it is refused with that code.
func says(status int, header string, of func(id string) string) func(http.ResponseWriter, []string) {
	return func(w http.ResponseWriter, ids []string) {
		type outcome struct {
			Index   int    `json:"index"`
			ID      string `json:"id"`
			Status  string `json:"status"`
			Code    string `json:"code,omitempty"`
			Pointer string `json:"pointer,omitempty"`
			Detail  string `json:"detail,omitempty"`
		}
		var events []outcome
		for i, id := range ids {
			o := outcome{Index: i, ID: id, Status: "stored"}
			if code := of(id); code != "" {
				o.Status, o.Code, o.Pointer, o.Detail = "refused", code, "/data", "because"
			}
			events = append(events, o)
		}
		body, _ := json.Marshal(map[string]any{"code": "first_code", "detail": "some", "events": events}) // texts always encode
		words(status, header, string(body))(w, ids)
	}
}

// words answers with a status, headers (name: value, one a line) and a body.
func words(status int, header, body string) func(http.ResponseWriter, []string) {
	return func(w http.ResponseWriter, _ []string) {
		for line := range strings.Lines(header) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the client may be gone
	}
}

func stores(string) string { return "" }

func toDoor(t *testing.T, d *door) checkins.Transport {
	t.Helper()
	transport, err := checkins.HTTP(d.URL, "cw_1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if closer, ok := transport.(io.Closer); ok {
		t.Cleanup(func() { closer.Close() })
	}
	return transport
}

// What the door answers to the events 0, 1 and 2, and what it means for each.
func TestWhatAnAnswerMeans(t *testing.T) {
	only := func(bad, code string) func(string) string {
		return func(id string) string {
			if id == bad {
				return code
			}
			return ""
		}
	}
	const problem = `{"status":%d,"code":"%s","detail":"because"}`
	cases := map[string]struct {
		answer func(http.ResponseWriter, []string)
		want   []string // each the kind and the code
		wait   time.Duration
		asked  int // how often, 1 if not said
	}{
		"all stored":                           {answer: says(202, "", stores), want: []string{"none ", "none ", "none "}},
		"mixed":                                {answer: says(207, "", only("1", "unknown_field")), want: []string{"none ", "invalid unknown_field", "none "}},
		"all refused":                          {answer: says(422, "", func(string) string { return "invalid_time" }), want: repeated("invalid invalid_time")},
		"a space that is not the key's":        {answer: says(403, "", func(string) string { return "space_forbidden" }), want: repeated("invalid space_forbidden")},
		"the stream took a part":               {answer: says(503, "Retry-After: 1", only("1", "stream_full")), want: []string{"none ", "unavailable stream_full", "none "}, wait: time.Second},
		"overloaded":                           {answer: words(503, "Retry-After: 7", fmt.Sprintf(problem, 503, "overloaded")), want: repeated("unavailable overloaded"), wait: 7 * time.Second},
		"too often":                            {answer: words(429, "Retry-After: 2", ""), want: repeated("unavailable unexpected_answer"), wait: 2 * time.Second},
		"a Retry-After that is none":           {answer: words(503, "Retry-After: soon", ""), want: repeated("unavailable unexpected_answer")},
		"a Retry-After long past":              {answer: words(503, "Retry-After: Tue, 03 Mar 2020 09:05:00 GMT", ""), want: repeated("unavailable unexpected_answer")},
		"a key that was revoked":               {answer: words(401, "", fmt.Sprintf(problem, 401, "unauthenticated")), want: repeated("unavailable unauthenticated")},
		"a key for reading":                    {answer: words(403, "", fmt.Sprintf(problem, 403, "missing_scope")), want: repeated("unavailable missing_scope")},
		"a login page":                         {answer: words(200, "", "<html>"), want: repeated("unavailable unexpected_answer")},
		"a redirect is not followed":           {answer: words(307, "Location: http://127.0.0.1:1/", ""), want: repeated("unavailable unexpected_answer")},
		"a wrong address":                      {answer: words(404, "", "not here"), want: repeated("unavailable unexpected_answer")},
		"a proxy that takes no large body":     {answer: words(413, "", "<html>"), want: repeated("unavailable unexpected_answer"), asked: 2},
		"a proxy that does not like a request": {answer: words(400, "", "<html>"), want: repeated("unavailable unexpected_answer"), asked: 2},
		"refused as a whole":                   {answer: words(400, "", fmt.Sprintf(problem, 400, "invalid_json")), want: repeated("invalid invalid_json"), asked: 5},
		"stored, of fewer than were sent":      {answer: words(202, "", `{"stored":1,"events":[{"index":0,"status":"stored"}]}`), want: repeated("unavailable unexpected_answer")},
		"stored, without a word of each":       {answer: words(202, "", `{"stored":3,"refused":0}`), want: repeated("unavailable unexpected_answer")},
		"something went wrong there":           {answer: words(500, "", fmt.Sprintf(problem, 500, "internal")), want: repeated("unavailable internal")},
		"cut off": {answer: func(w http.ResponseWriter, _ []string) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"stored":3`) // and no more
		}, want: repeated("unavailable publish_unavailable")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := answers(t, c.answer)
			var bodies [][]byte
			for n := range 3 {
				bodies = append(bodies, checkIn(n).Encode(nil))
			}
			results, wait := toDoor(t, d).Send(t.Context(), bodies)
			var got []string
			for _, err := range results {
				got = append(got, fault.Of(err).String()+" "+fault.Code(err))
				if err != nil && strings.Contains(err.Error(), "cw_") {
					t.Errorf("it says the key: %v", err)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if wait != c.wait || len(d.asked()) != max(1, c.asked) {
				t.Errorf("wait %v, asked %v", wait, d.asked())
			}
		})
	}
}

func repeated(result string) []string { return []string{result, result, result} }

func TestARetryComesWithTheSameIDsAndNotTooSoon(t *testing.T) {
	d := answers(t, words(503, "Retry-After: 1", ""), says(202, "", stores))
	client := open(t, t.TempDir(), toDoor(t, d))
	publish(t, client, 0, 1)
	flush(t, client)
	if diff := cmp.Diff([][]string{{"0"}, {"0"}}, d.asked()); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if passed := d.times[1].Sub(d.times[0]); passed < time.Second {
		t.Errorf("again after %v", passed)
	}
}

func TestOnlyWhatIsNotStoredIsSentAgain(t *testing.T) {
	odd := func(id string) string {
		if id == "1" || id == "3" {
			return "stream_full"
		}
		return ""
	}
	d := answers(t, words(503, "", ""), says(503, "", odd), says(207, "", func(id string) string {
		if id == "3" {
			return "id_of_nobody"
		}
		return ""
	}), says(202, "", stores))
	away, dir := &far{says: func(string) error { return fault.Unavailable.Errorf("away") }}, t.TempDir()
	client := open(t, dir, away)
	publish(t, client, 0, 5)
	client.Close()
	client = open(t, dir, toDoor(t, d))
	flush(t, client)
	publish(t, client, 5, 6)
	flush(t, client)
	want := [][]string{numbers(0, 5), numbers(0, 5), {"1", "3"}, {"5"}}
	if diff := cmp.Diff(want, d.asked()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if refused, err := client.Refused(); err != nil || len(refused) != 1 || refused[0].Event.ID != "3" || refused[0].Code != "id_of_nobody" {
		t.Errorf("%v, %v", refused, err)
	}
}

// A line that carries few events in the time that a request has gets few at a time, and
// none of them is refused for it.
func TestAThinLineGetsFewerEventsAtATime(t *testing.T) {
	const most = 10
	for name, said := range map[string]func(http.ResponseWriter, []string){
		"the door says so":       words(408, "", `{"status":408,"code":"too_slow","detail":"because"}`),
		"nobody answers in time": nil,
	} {
		t.Run(name, func(t *testing.T) {
			away, dir := &far{says: func(string) error { return fault.Unavailable.Errorf("away") }}, t.TempDir()
			client := open(t, dir, away)
			publish(t, client, 0, 100)
			client.Close()

			ended := make(chan struct{})
			d := answers(t, func(w http.ResponseWriter, ids []string) {
				switch {
				case len(ids) <= most:
					says(202, "", stores)(w, ids)
				case said != nil:
					said(w, ids)
				default:
					<-ended
				}
			})
			t.Cleanup(func() { close(ended) })
			transport, err := checkins.HTTP(d.URL, "cw_1", &http.Client{Timeout: 200 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			client = open(t, dir, transport)
			flush(t, client)
			var came []string
			for _, ids := range d.asked() {
				if len(ids) <= most {
					came = append(came, ids...)
				}
			}
			wantIDs(t, numbers(0, 100), came)
			if refused, err := client.Refused(); err != nil || len(refused) > 0 {
				t.Errorf("refused: %v, %v", refused, err)
			}
		})
	}
}

func TestARevokedKeyLosesNothing(t *testing.T) {
	d := answers(t, words(401, "", `{"status":401,"code":"unauthenticated","detail":"this key is revoked"}`))
	dir := t.TempDir()
	client := open(t, dir, toDoor(t, d))
	publish(t, client, 0, 3)
	eventually(t, "somebody says what is wrong", func() bool { return fault.Code(client.Err()) == "unauthenticated" })
	client.Close()
	there := &far{}
	flush(t, open(t, dir, there))
	wantIDs(t, numbers(0, 3), there.ids())
}

func TestAddressesAndKeysThatCannotBe(t *testing.T) {
	cases := map[string]struct{ address, key string }{
		"no scheme":               {"events.example.org", "cw_1"},
		"another scheme":          {"nats://events.example.org", "cw_1"},
		"a password":              {"https://me:secret@events.example.org", "cw_1"},
		"a query":                 {"https://events.example.org?x=1", "cw_1"},
		"unreadable":              {"https://%zz", "cw_1"},
		"a key with a line's end": {"https://events.example.org", "cw_secret\n"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := checkins.HTTP(c.address, c.key, nil); fault.Of(err) != fault.Invalid || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
}
