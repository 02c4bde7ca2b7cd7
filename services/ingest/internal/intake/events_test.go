package intake_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/stream"
	"coworking/services/ingest/internal/intake"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// slot is a stream: what was published, and what it says to each message.
type slot struct {
	mu        sync.Mutex
	published []stream.Message
	say       func(stream.Message) error
}

func (s *slot) PublishBatch(_ context.Context, messages []stream.Message, _ func(int)) stream.Results {
	results := make(stream.Results, len(messages))
	for i, m := range messages {
		if s.say != nil {
			results[i] = s.say(m)
		}
		if results[i] == nil {
			s.mu.Lock()
			s.published = append(s.published, m)
			s.mu.Unlock()
		}
	}
	return results
}

// ring is keys by what they open.
type ring map[string]key.Grant

func (r ring) Grant(_ context.Context, credentials string) (key.Grant, error) {
	if grant, known := r[credentials]; known {
		return grant, nil
	}
	return key.Grant{}, fault.Invalid.With("unauthenticated", "", "this key is mistyped, unknown, expired or revoked")
}

// open is a door as on a laptop, with what a test changes.
func open(change func(*intake.Config)) http.Handler {
	c := intake.Config{
		Publisher: &slot{}, Letters: shelf{}, Authority: ring{}, Open: true,
		Now: func() time.Time { return noon }, Log: zap.NewNop(), Metrics: prometheus.NewRegistry(),
		AtOnce: 2, Patience: 10 * time.Millisecond,
	}
	change(&c)
	return intake.New(c)
}

// answered is an answer, whatever its kind.
type answered struct {
	Status  int
	Code    string
	Pointer string
	Stored  int
	Refused int
	Events  []struct {
		Index                     int
		ID, Status, Code, Pointer string
	}
}

func send(t *testing.T, door http.Handler, body string, header ...string) (answered, http.Header) {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response := httptest.NewRecorder()
	door.ServeHTTP(response, request)
	var a answered
	if err := json.Unmarshal(response.Body.Bytes(), &a); err != nil {
		t.Fatalf("%d %s: %v", response.Code, response.Body, err)
	}
	if a.Status != 0 && a.Status != response.Code {
		t.Errorf("%d says %s", response.Code, response.Body)
	}
	a.Status = response.Code
	for _, word := range []string{"nats", "strconv", "SQLSTATE", "json:", "0x"} {
		if response.Code != http.StatusAccepted && strings.Contains(response.Body.String(), word) {
			t.Errorf("it says %q: %s", word, response.Body)
		}
	}
	return a, response.Header()
}

const (
	structured = "application/cloudevents+json"
	batch      = "application/cloudevents-batch+json"
)

// told is an event, with what a test changes.
func told(id string, change ...string) string {
	said := map[string]string{
		"specversion": `"1.0"`, "id": `"` + id + `"`, "source": `"door/1"`, "type": `"coworking.v1.checkin"`,
		"time": `"2026-03-31T11:00:00Z"`, "subject": `"ada"`, "data": `{"space":"berlin","method":"door"}`,
	}
	for i := 0; i+1 < len(change); i += 2 {
		said[change[i]] = change[i+1]
	}
	var fields []string
	for name, value := range said {
		if value != "" {
			fields = append(fields, fmt.Sprintf("%q:%s", name, value))
		}
	}
	slices.Sort(fields)
	return "{" + strings.Join(fields, ",") + "}"
}

// The table of bad inputs, as the door answers it; what an event says wrong has the
// same code in a dead letter.
func TestBadInputsAreRefusedByName(t *testing.T) {
	cases := map[string]struct {
		body, contentType string
		status            int
		code              string
	}{
		"nothing":                        {"", structured, 400, "empty_body"},
		"blanks":                         {" \n", structured, 400, "empty_body"},
		"null":                           {"null", structured, 400, "not_an_object"},
		"a list that is no batch":        {"[1]", structured, 400, "not_an_object"},
		"a text":                         {`"x"`, structured, 400, "not_an_object"},
		"half an event":                  {told("1")[:40], structured, 400, "invalid_json"},
		"two events":                     {told("1") + told("2"), structured, 400, "trailing_data"},
		"a key twice":                    {`{"id":"1","id":"2"}`, structured, 400, "duplicate_key"},
		"a form":                         {"id=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"},
		"no media type":                  {told("1"), "", 415, "unsupported_media_type"},
		"another charset":                {told("1"), structured + "; charset=latin1", 415, "unsupported_media_type"},
		"more than a mebibyte":           {strings.Repeat(" ", 1<<20) + told("1"), structured, 413, "body_too_large"},
		"a thousand and one":             {"[" + strings.Repeat("1,", 1000) + "1]", batch, 413, "too_many_events"},
		"an object for a batch":          {told("1"), batch, 400, "not_an_array"},
		"an unknown field":               {told("1", "data", `{"space":"berlin","metod":"door"}`), structured, 422, "unknown_field"},
		"no id":                          {told("1", "id", ""), structured, 422, "invalid_id"},
		"an empty source":                {told("1", "source", `""`), structured, 422, "invalid_id"},
		"an unknown type":                {told("1", "type", `"coworking.v1.checkinn"`), structured, 422, "unknown_type"},
		"a field of the wrong kind":      {told("1", "data", `{"space":"berlin","party_size":"two"}`), structured, 422, "invalid_field"},
		"no time":                        {told("1", "time", ""), structured, 422, "invalid_time"},
		"a time of no zone":              {told("1", "time", `"2026-03-31T11:00:00"`), structured, 422, "invalid_time"},
		"30 February":                    {told("1", "time", `"2026-02-30T11:00:00Z"`), structured, 422, "invalid_time"},
		"before there were doors":        {told("1", "time", `"1972-12-31T23:59:59Z"`), structured, 422, "invalid_time"},
		"six minutes ahead":              {told("1", "time", `"2026-03-31T12:06:00Z"`), structured, 422, "future"},
		"a NUL":                          {told("1", "subject", `"a\u0000"`), structured, 422, "invalid_text"},
		"half a pair":                    {told("1", "subject", `"\ud800"`), structured, 422, "invalid_text"},
		"no UTF-8":                       {told("1", "subject", "\"\xff\""), structured, 422, "invalid_text"},
		"a space that is a wildcard":     {told("1", "data", `{"space":"a.>"}`), structured, 422, "invalid_space"},
		"no space":                       {told("1", "data", `{}`), structured, 422, "invalid_space"},
		"attributes in headers, and not": {told("1"), "application/json; charset=utf-16", 415, "unsupported_media_type"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			slot := &slot{}
			door := open(func(config *intake.Config) { config.Publisher = slot })
			got, _ := send(t, door, c.body, "Content-Type", c.contentType)
			if got.Status != c.status || got.Code != c.code || len(slot.published) > 0 {
				t.Errorf("%+v, %d published", got, len(slot.published))
			}
			ofAnEvent := c.contentType == structured && len(c.body) < 1<<16 && c.code != "future" && c.code != "unknown_field"
			if _, err := event.Decode([]byte(c.body), event.Options{}); ofAnEvent && fault.Code(err) != c.code {
				t.Errorf("the dead letter says %s", fault.Code(err))
			}
		})
	}
}

func TestGoodEventsAreTakenInEveryForm(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	fmt.Fprint(w, told("1"))
	w.Close()
	cases := map[string]struct {
		body   string
		header []string
		want   int
	}{
		"structured":          {told("1"), []string{"Content-Type", structured}, 1},
		"structured, as JSON": {told("1"), []string{"Content-Type", "application/json"}, 1},
		"a batch":             {"[" + told("1") + "," + told("2") + "]", []string{"Content-Type", batch}, 2},
		"a batch, as JSON":    {" [" + told("1") + "," + told("2") + "]", []string{"Content-Type", "application/json; charset=UTF-8"}, 2},
		"an empty batch":      {"[]", []string{"Content-Type", batch}, 0},
		"lines":               {told("1") + "\n\n" + told("2") + "\r\n" + told("3"), []string{"Content-Type", "application/x-ndjson"}, 3},
		"packed":              {packed.String(), []string{"Content-Type", structured, "Content-Encoding", "gzip"}, 1},
		"attributes in headers": {`{"space":"berlin","method":"door"}`, []string{
			"Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "door/1",
			"Ce-Type", "coworking.v1.checkin", "Ce-Time", "2026-03-31T11:00:00Z", "Ce-Subject", "ada",
		}, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			slot := &slot{}
			door := open(func(config *intake.Config) { config.Publisher = slot })
			got, _ := send(t, door, c.body, c.header...)
			if got.Status != http.StatusAccepted || got.Stored != c.want || len(slot.published) != c.want || len(got.Events) != c.want {
				t.Fatalf("%+v, %d published", got, len(slot.published))
			}
			for i, m := range slot.published {
				e, err := event.Decode(m.Body, event.Options{Strict: true})
				if err != nil || m.Subject != "checkins.v1.berlin.checkin" || e.ID != fmt.Sprint(i+1) || e.Member != "ada" || e.Data.Method != "door" {
					t.Errorf("%s: %+v, %v", m.Subject, e, err)
				}
			}
		})
	}
}

// The good events of a batch are taken, and the answer says which are not.
func TestABadEventSpoilsNoOther(t *testing.T) {
	slot := &slot{}
	door := open(func(config *intake.Config) { config.Publisher = slot })
	got, _ := send(t, door, "["+told("1")+","+told("2", "time", `"yesterday"`)+",7,"+told("4")+"]", "Content-Type", batch)
	var lines []string
	for _, e := range got.Events {
		lines = append(lines, fmt.Sprint(e.Index, " ", e.ID, " ", e.Status, " ", e.Code, " ", e.Pointer))
	}
	want := []string{"0 1 stored  ", "1 2 refused invalid_time /time", "2  refused not_an_object ", "3 4 stored  "}
	if diff := cmp.Diff(want, lines); got.Status != http.StatusMultiStatus || got.Stored != 2 || got.Refused != 2 || diff != "" {
		t.Errorf("%+v\n%s", got, diff)
	}
	if got, _ := send(t, door, "["+told("1", "id", "")+"]", "Content-Type", batch); got.Status != 422 || got.Code != "invalid_id" || len(got.Events) != 1 {
		t.Errorf("of a batch without a good event: %+v", got)
	}
	if got, _ := send(t, door, "["+told("1", "id", "")+",7]", "Content-Type", batch); got.Status != 422 || got.Code != "invalid_id" || len(got.Events) != 2 {
		t.Errorf("of two bad events the first is the answer's: %+v", got)
	}
}

// 202 is said only to what the stream has.
func TestWhatTheStreamHasNotIsNotAccepted(t *testing.T) {
	for _, code := range []string{"publish_unavailable", "stream_full", "no_stream"} {
		down := &slot{say: func(m stream.Message) error {
			if bytes.Contains(m.Body, []byte(`"id":"1"`)) {
				return nil
			}
			return fault.Unavailable.With(code, "", "publishing: nats: no")
		}}
		door := open(func(config *intake.Config) { config.Publisher = down })
		got, header := send(t, door, told("2"), "Content-Type", structured)
		if got.Status != http.StatusServiceUnavailable || got.Code != code || header.Get("Retry-After") == "" {
			t.Errorf("one event: %+v", got)
		}
		got, header = send(t, door, "["+told("1")+","+told("2")+","+told("3", "id", "")+"]", "Content-Type", batch)
		if got.Status != http.StatusServiceUnavailable || got.Code != code || header.Get("Retry-After") == "" || got.Stored != 1 {
			t.Errorf("a batch: %+v", got)
		}
	}
}

// A gzip bomb is cut off where it becomes too large.
func TestABombIsNotUnpacked(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range 64 {
		_, _ = w.Write(zeros)
	}
	w.Close()
	door := open(func(*intake.Config) {})
	if got, _ := send(t, door, packed.String(), "Content-Type", structured, "Content-Encoding", "gzip"); got.Status != 413 || got.Code != "body_too_large" {
		t.Errorf("%d bytes of gzip: %+v", packed.Len(), got)
	}
	if got, _ := send(t, door, packed.String()[:100], "Content-Type", structured, "Content-Encoding", "gzip"); got.Status != 400 || got.Code != "invalid_json" {
		t.Errorf("half of it: %+v", got)
	}
	if got, _ := send(t, door, told("1"), "Content-Type", structured, "Content-Encoding", "br"); got.Status != 415 {
		t.Errorf("packed otherwise: %+v", got)
	}
}

func TestWhoMayWriteWhat(t *testing.T) {
	keys := ring{
		"all":    {Holder: "all", Scopes: []key.Scope{key.WriteEvents}},
		"berlin": {Holder: "berlin", Scopes: []key.Scope{key.WriteEvents}, Spaces: []string{"berlin"}},
		"two":    {Holder: "two", Scopes: []key.Scope{key.WriteEvents}, Spaces: []string{"berlin", "soho"}},
		"reader": {Holder: "reader", Scopes: []key.Scope{key.ReadReports}},
	}
	nowhere, soho := told("1", "data", `{"method":"door"}`), told("1", "data", `{"space":"soho"}`)
	member := told("1", "type", `"coworking.v1.member_upserted"`, "data", `{"space":"_","name":"Ada"}`)
	cases := map[string]struct {
		key, body string
		status    int
		code      string
	}{
		"nobody":                             {"", told("1"), 401, "unauthenticated"},
		"an unknown key":                     {"stranger", told("1"), 401, "unauthenticated"},
		"a key that only reads":              {"reader", told("1"), 403, "missing_scope"},
		"a key of the space":                 {"berlin", told("1"), 202, ""},
		"a key of one space need not say it": {"berlin", nowhere, 202, ""},
		"a key of two has to":                {"two", nowhere, 422, "invalid_space"},
		"a key of another space":             {"berlin", soho, 403, "space_forbidden"},
		"one of two":                         {"two", soho, 202, ""},
		"a key of all":                       {"all", soho, 202, ""},
		"members are of no single space":     {"two", member, 403, "space_forbidden"},
		"members are told by keys of all":    {"all", member, 202, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			door := open(func(config *intake.Config) { config.Open, config.Authority = false, keys })
			header := []string{"Content-Type", structured}
			if c.key != "" {
				header = append(header, "Authorization", "Bearer "+c.key)
			}
			if got, _ := send(t, door, c.body, header...); got.Status != c.status || got.Code != c.code {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Who sends a body slowly takes no seat; who sends a large one slowly keeps out nobody
// but who sends a large one, too.
func TestSlowSendersKeepNobodyOut(t *testing.T) {
	server := httptest.NewServer(open(func(config *intake.Config) { config.Publisher = &slot{} }))
	defer server.Close()
	large := "[" + strings.Repeat(" ", 40<<10) + told("large") + "]"
	for range 10 { // five times as many as there are seats
		for _, body := range []string{told("slow"), large} {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: door\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:len(body)-1])
		}
	}
	ask := func(body string) int {
		response, err := http.Post(server.URL+"/v1/events", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	for status := 0; status != http.StatusServiceUnavailable; status = ask(large) { // until the slow ones have all the room
		if status != 0 && status != http.StatusAccepted {
			t.Fatalf("a large one got %d", status)
		}
	}
	for range 20 {
		if status := ask(told("1")); status != http.StatusAccepted {
			t.Fatalf("a handful got %d beside slow senders", status)
		}
	}
}

// An event that comes too slowly is as good as any: whoever sent it is to send it again,
// and not to take it for refused.
func TestWhoIsTooSlowIsToldToComeAgain(t *testing.T) {
	server := httptest.NewUnstartedServer(open(func(*intake.Config) {}))
	server.Config.ReadTimeout = 100 * time.Millisecond
	server.Start()
	defer server.Close()
	for name, body := range map[string]string{"a handful": told("1"), "a large one": "[" + strings.Repeat(" ", 40<<10) + told("1") + "]"} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: door\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:len(body)-1])
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var got answered
			if err := json.NewDecoder(response.Body).Decode(&got); err != nil || response.StatusCode != http.StatusRequestTimeout || got.Code != "too_slow" {
				t.Errorf("%s %+v, %v", response.Status, got, err)
			}
		})
	}
}

// More requests than there is room for are turned away.
func TestAFullDoorTurnsAway(t *testing.T) {
	inside, leave := make(chan struct{}, 2), make(chan struct{})
	busy := &slot{say: func(stream.Message) error {
		inside <- struct{}{}
		<-leave
		return nil
	}}
	door := open(func(config *intake.Config) { config.Publisher = busy })
	done := make(chan int, 2)
	for range 2 {
		go func() {
			request := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(told("1")))
			request.Header.Set("Content-Type", structured)
			response := httptest.NewRecorder()
			door.ServeHTTP(response, request)
			done <- response.Code
		}()
	}
	<-inside
	<-inside
	got, header := send(t, door, told("1"), "Content-Type", structured)
	if got.Status != http.StatusServiceUnavailable || got.Code != "overloaded" || header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	close(leave)
	for range 2 {
		if status := <-done; status != http.StatusAccepted {
			t.Errorf("who was inside got %d", status)
		}
	}
}
