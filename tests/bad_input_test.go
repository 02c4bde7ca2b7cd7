package tests

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coworking/pkg/key"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What one request may hold, as contract/asyncapi.yaml says.
const (
	mostBytes  = 1 << 20
	mostEvents = 1000
)

// heard is a heartbeat of the space soho, or with other data.
func heard(id string, data ...string) string {
	said := `{"space":"soho"}`
	if len(data) > 0 {
		said = data[0]
	}
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"door","type":"coworking.v1.heartbeat","time":"2026-03-02T09:00:00Z","data":%s}`, id, said)
}

// ask is a request, and what it has to be answered. Without a method it is a POST to
// /v1/events of one structured event; the key is one of those that a bouncer made.
type ask struct {
	method, path string
	key          string
	headers      []string
	body         string
	made         func() string // the body, where it takes long to make; these tests are many processes

	status  int
	code    string // "" of what is stored
	pointer string
	header  string // that the answer has, as Name: value
}

const (
	structuredMedia = "application/cloudevents+json"
	batchMedia      = "application/cloudevents-batch+json"
	challenge       = `Www-Authenticate: Bearer realm="coworking"`
	notEnough       = `Www-Authenticate: Bearer realm="coworking", error="insufficient_scope"`
)

// asks is what of the table of bad inputs a body alone cannot show; the rest is in
// contract/conformance. Every door that asks for keys answers so.
var asks = map[string]ask{
	"another method":            {method: http.MethodGet, key: "soho", status: 405, code: "method_not_allowed", header: "Allow: OPTIONS, POST"},
	"another method, of nobody": {method: http.MethodDelete, status: 405, code: "method_not_allowed", header: "Allow: OPTIONS, POST"},
	"an address of nothing":     {path: "/v1/event", key: "soho", status: 404, code: "not_found"},
	"an address and a slash":    {path: "/v1/events/", key: "soho", status: 404, code: "not_found"},
	"a hook that nobody has":    {path: "/v1/hooks/acme", key: "soho", status: 404, code: "not_found"},

	"no key":                           {body: heard("1"), status: 401, code: "unauthenticated", header: challenge},
	"no key, and nothing else right":   {body: "{", headers: []string{"Content-Type", "text/plain"}, status: 401, code: "unauthenticated", header: challenge},
	"a password":                       {headers: []string{"Authorization", "Basic YTpi"}, body: heard("1"), status: 401, code: "unauthenticated", header: challenge},
	"a scheme without a key":           {headers: []string{"Authorization", "Bearer"}, body: heard("1"), status: 401, code: "unauthenticated", header: challenge},
	"a key that is none":               {key: "none", body: heard("1"), status: 401, code: "unauthenticated", header: challenge},
	"a key with a wrong letter":        {key: "mistyped", body: heard("1"), status: 401, code: "unauthenticated", header: challenge},
	"an expired key":                   {key: "expired", body: heard("1"), status: 401, code: "unauthenticated", header: challenge},
	"a revoked key":                    {key: "revoked", body: heard("1"), status: 401, code: "unauthenticated", header: challenge},
	"a key that only reads":            {key: "reader", body: heard("1"), status: 403, code: "missing_scope", pointer: "events:write", header: notEnough},
	"another's space":                  {key: "berlin", body: heard("1"), status: 403, code: "space_forbidden", pointer: "/data/space", header: notEnough},
	"another's space in a batch":       {key: "berlin", headers: []string{"Content-Type", batchMedia}, body: "[" + heard("1") + "]", status: 403, code: "space_forbidden", header: notEnough},
	"members, with a key of one space": {key: "soho", body: strings.Replace(heard("1", `{"space":"_"}`), "heartbeat\"", "member_upserted\",\"subject\":\"ada\"", 1), status: 403, code: "space_forbidden", pointer: "/data/space", header: notEnough},
	"no space, with a key of two":      {key: "both", body: heard("1", "{}"), status: 422, code: "invalid_space", pointer: "/data/space"},
	"a space, with a key of one":       {key: "soho", body: heard("of the key's space", "{}"), status: 202},
	"its own space":                    {key: "soho", body: heard("own"), status: 202},
	"another's and its own":            {key: "berlin", headers: []string{"Content-Type", batchMedia}, body: "[" + heard("1") + "," + heard("2", `{"space":"berlin"}`) + "]", status: 207},

	"gzip that ends early":         {key: "soho", headers: []string{"Content-Encoding", "gzip"}, body: packed(heard("1"))[:60], status: 400, code: "invalid_json"},
	"gzip with a broken sum":       {key: "soho", headers: []string{"Content-Encoding", "gzip"}, body: flipped(packed(heard("1")), -6), status: 400, code: "invalid_json"},
	"gzip with a broken middle":    {key: "soho", headers: []string{"Content-Encoding", "gzip"}, body: flipped(packed(heard("1")), 20), status: 400, code: "invalid_json"},
	"gzip and more":                {key: "soho", headers: []string{"Content-Encoding", "gzip"}, body: packed(heard("1")) + "more", status: 400, code: "invalid_json"},
	"gzip of nothing":              {key: "soho", headers: []string{"Content-Encoding", "gzip"}, body: packed(""), status: 400, code: "empty_body"},
	"nothing that is called gzip":  {key: "soho", headers: []string{"Content-Encoding", "gzip"}, status: 400, code: "invalid_json"},
	"gzip that nobody speaks of":   {key: "soho", body: packed(heard("1")), status: 422, code: "invalid_text"},
	"packed by brotli":             {key: "soho", headers: []string{"Content-Encoding", "br"}, body: heard("1"), status: 415, code: "unsupported_media_type"},
	"packed twice":                 {key: "soho", headers: []string{"Content-Encoding", "gzip, gzip"}, body: packed(packed(heard("1"))), status: 415, code: "unsupported_media_type"},
	"a media type that is none":    {key: "soho", headers: []string{"Content-Type", "json"}, body: heard("1"), status: 415, code: "unsupported_media_type"},
	"a media type beyond reading":  {key: "soho", headers: []string{"Content-Type", "application/json; charset"}, body: heard("1"), status: 415, code: "unsupported_media_type"},
	"UTF-16":                       {key: "soho", headers: []string{"Content-Type", "application/json; charset=utf-16"}, body: heard("1"), status: 415, code: "unsupported_media_type"},
	"as many events as may be":     {key: "soho", headers: []string{"Content-Type", batchMedia}, made: func() string { return batchOf(mostEvents, mostBytes) }, status: 202},
	"one event more":               {key: "soho", headers: []string{"Content-Type", batchMedia}, made: func() string { return batchOf(mostEvents+1, 0) }, status: 413, code: "too_many_events"},
	"one byte more":                {key: "soho", headers: []string{"Content-Type", batchMedia}, made: func() string { return batchOf(2, mostBytes+1) }, status: 413, code: "body_too_large"},
	"one byte more, once unpacked": {key: "soho", headers: []string{"Content-Type", batchMedia, "Content-Encoding", "gzip"}, made: func() string { return packed(batchOf(2, mostBytes+1)) }, status: 413, code: "body_too_large"},

	"dead letters, of nobody":         {method: http.MethodGet, path: "/v1/dead-letters", status: 401, code: "unauthenticated", header: challenge},
	"dead letters, for a publisher":   {method: http.MethodGet, path: "/v1/dead-letters", key: "soho", status: 403, code: "missing_scope", pointer: "admin", header: notEnough},
	"no dead letters":                 {method: http.MethodGet, path: "/v1/dead-letters?limit=0", key: "admin", status: 400, code: "invalid_limit"},
	"too many dead letters":           {method: http.MethodGet, path: "/v1/dead-letters?limit=1e9", key: "admin", status: 400, code: "invalid_limit"},
	"a page that is none":             {method: http.MethodGet, path: "/v1/dead-letters?cursor=-1", key: "admin", status: 400, code: "invalid_cursor"},
	"a state that is none":            {method: http.MethodGet, path: "/v1/dead-letters?state=lost", key: "admin", status: 400, code: "invalid_value"},
	"a parameter that is none":        {method: http.MethodGet, path: "/v1/dead-letters?sort=code", key: "admin", status: 400, code: "unknown_parameter"},
	"a dead letter that is not there": {method: http.MethodGet, path: "/v1/dead-letters/4711", key: "admin", status: 404, code: "dead_letter_not_found"},
	"a dead letter of no number":      {method: http.MethodGet, path: "/v1/dead-letters/';--", key: "admin", status: 404, code: "dead_letter_not_found"},
}

// questions is the table's rows about reports.
var questions = map[string]ask{
	"a NUL for a member":         {path: "member_history?member=a%00b", status: 400, code: "invalid_value"},
	"a plan that is no text":     {path: "daily_usage?plan=%ff", status: 400, code: "invalid_value"},
	"a range of nothing":         {path: "daily_usage?from=2026-03-02&to=2026-03-02", status: 400, code: "invalid_range"},
	"a range that ends before":   {path: "daily_usage?from=2026-03-02&to=2026-03-01", status: 400, code: "invalid_range"},
	"more than five years":       {path: "daily_usage?from=2020-01-01&to=2026-01-01", status: 400, code: "range_too_large"},
	"a limit of nothing":         {path: "daily_usage?limit=0", status: 400, code: "invalid_limit"},
	"a limit below nothing":      {path: "daily_usage?limit=-1", status: 400, code: "invalid_limit"},
	"a limit without end":        {path: "daily_usage?limit=1e9", status: 400, code: "invalid_limit"},
	"a limit in letters":         {path: "daily_usage?limit=x", status: 400, code: "invalid_limit"},
	"a cursor that is none":      {path: "user_visits?cursor=x", status: 400, code: "invalid_cursor"},
	"a zone that is none":        {path: "daily_usage?tz=Mars/Olympus", status: 400, code: "invalid_time_zone"},
	"an offset for a zone":       {path: "daily_usage?tz=%2B01:00", status: 400, code: "invalid_time_zone"},
	"a parameter that is none":   {path: "daily_usage?form=2026-03-01", status: 400, code: "unknown_parameter"},
	"a value that is none":       {path: "daily_usage?from=yesterdy", status: 400, code: "invalid_value"},
	"a space that is not there":  {path: "daily_usage?space=atlantis", status: 404, code: "space_not_found"},
	"a report that is not there": {path: "horoscope", status: 404, code: "report_not_found"},
	"SQL for a space":            {path: "daily_usage?space=%27%3Bdrop%20table%20events%3B--", status: 404, code: "space_not_found"},
}

// outages is what the door says of a stream that is not well; the system makes them
// in this order.
var outages = []string{"publish_unavailable", "stream_full", "no_stream"}

// packed is a text in gzip.
func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text) // a buffer takes all
	w.Close()
	return b.String()
}

// flipped is a text with one byte changed, counted from its end where it is negative.
func flipped(text string, i int) string {
	b := []byte(text)
	b[(i+len(b))%len(b)] ^= 0xff
	return string(b)
}

// batchOf is a batch of so many events, filled up with blanks.
func batchOf(events, size int) string {
	all := make([]string, events)
	for i := range all {
		all[i] = heard(strconv.Itoa(i))
	}
	body := "[" + strings.Join(all, ",") + "]"
	return body + strings.Repeat(" ", max(0, size-len(body)))
}

// Every code that a publisher may be answered is shown: here, or in the kit.
func TestEveryCodeIsShown(t *testing.T) {
	t.Parallel()
	d, _ := readDocument(t)
	for _, g := range readKit(t).Events {
		if g.HTTP != nil {
			delete(d.Codes, g.HTTP.Code)
			delete(d.Codes, g.HTTP.Later)
		}
		if g.NATS != nil {
			delete(d.Codes, g.NATS.Code)
		}
	}
	for name, a := range asks {
		if known, ok := d.Codes[a.code]; ok && known.Status != a.status {
			t.Errorf("%s: %s is %d, in the document %d", name, a.code, a.status, known.Status)
		}
	}
	for _, a := range asks {
		delete(d.Codes, a.code)
	}
	for _, code := range outages {
		delete(d.Codes, code)
	}
	for _, code := range []string{"overloaded", "too_slow", "unavailable", "internal", "day_sealed", "unstorable"} { // where they are made, in packages' own tests
		delete(d.Codes, code)
	}
	for code := range maps.Keys(d.Codes) {
		t.Errorf("nobody shows %s", code)
	}
}

// One system, with a second door that asks for keys and reaches the broker by a wire
// that can be cut.
func TestBadInputsAreAnsweredByTheTable(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	b := &bouncer{system: s, wire: newWire(t, s.running().NATSURL), keys: map[string]string{}}
	b.makeKeys(t)
	b.address = s.anotherDoor(t, b.wire.url(), "--require-keys")

	for name, a := range asks {
		t.Run(name, func(t *testing.T) { b.tries(t, b.address, a) })
	}
	for name, a := range questions {
		a.method, a.path = http.MethodGet, "/api/v1/reports/"+a.path
		t.Run("of a report: "+name, func(t *testing.T) { b.tries(t, s.query, a) })
	}
	for name, r := range malformed {
		t.Run(name, func(t *testing.T) { r.tries(t, strings.TrimPrefix(s.door(), "http://")) })
	}
	t.Run("a name that is a formula", b.formula)
	t.Run("a stream that is not well", b.outages)
}

// bouncer is a system with a door that asks for keys.
type bouncer struct {
	*system

	wire    *wire
	address string            // of the door
	keys    map[string]string // by name
}

func (b *bouncer) makeKeys(t *testing.T) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), b.running().DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	past := time.Now().Add(-time.Hour)
	for name, wanted := range map[string]key.Wanted{
		"soho":     {Scopes: []key.Scope{key.WriteEvents}, Spaces: []string{"soho"}},
		"berlin":   {Scopes: []key.Scope{key.WriteEvents}, Spaces: []string{"berlin"}},
		"both":     {Scopes: []key.Scope{key.WriteEvents}, Spaces: []string{"berlin", "soho"}},
		"reader":   {Scopes: []key.Scope{key.ReadReports}},
		"admin":    {Scopes: []key.Scope{key.Admin}},
		"expired":  {Scopes: []key.Scope{key.WriteEvents}, Expires: &past},
		"revoked":  {Scopes: []key.Scope{key.WriteEvents}},
		"mistyped": {Scopes: []key.Scope{key.WriteEvents}},
	} {
		wanted.Name = name
		made, secret, err := key.Create(t.Context(), db, wanted)
		if err != nil {
			t.Fatal(err)
		}
		b.keys[name] = string(secret)
		if name == "revoked" {
			if _, err := key.Revoke(t.Context(), db, made.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.keys["mistyped"] = otherLetter(b.keys["mistyped"])
	b.keys["none"] = "cw_"
}

// otherLetter changes the last letter of a key.
func otherLetter(secret string) string {
	last := secret[len(secret)-1]
	other := byte('a')
	if last == other {
		other = 'b'
	}
	return secret[:len(secret)-1] + string(other)
}

// tries asks, and holds the answer against what it has to be.
func (b *bouncer) tries(t *testing.T, address string, a ask) {
	t.Helper()
	method, path := a.method, a.path
	if method == "" {
		method = http.MethodPost
	}
	if path == "" {
		path = "/v1/events"
	}
	body := a.body
	if a.made != nil {
		body = a.made()
	}
	request, err := http.NewRequestWithContext(t.Context(), method, address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", structuredMedia)
	}
	if a.key != "" {
		request.Header.Set("Authorization", "Bearer "+b.keys[a.key])
	}
	for i := 0; i+1 < len(a.headers); i += 2 {
		request.Header.Set(a.headers[i], a.headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	a.holds(t, response)
}

// holds reads the answer.
func (a *ask) holds(t *testing.T, response *http.Response) {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Code, Pointer string }
	if err := json.Unmarshal(body, &told); err != nil || response.StatusCode != a.status || told.Code != a.code || told.Pointer != a.pointer {
		t.Errorf("%s %s: %v", response.Status, body, err)
	}
	if name, value, ok := strings.Cut(a.header, ": "); ok && response.Header.Get(name) != value {
		t.Errorf("%s is %q", name, response.Header[name])
	}
	if a.code != "" {
		looksLikeAProblem(t, t.Name(), response, body)
	}
}

// raw is a request that no client library sends.
type raw struct {
	head, body string
	code       string
}

var malformed = map[string]raw{
	"a body that ends before its length": {"Content-Length: 4711", heard("1")[:60], "invalid_json"},
	"a body that goes on after it":       {"Content-Length: 60", heard("1"), "invalid_json"},
	"chunks that are none":               {"Transfer-Encoding: chunked", "zz\r\n" + heard("1") + "\r\n0\r\n\r\n", "invalid_json"},
	"chunks without an end":              {"Transfer-Encoding: chunked", "5\r\n{\"id\"", "invalid_json"},
	"a body of no length":                {"X-Length: unknown", heard("1"), "empty_body"},
}

// tries sends it as it is, and no more after it.
func (r raw) tries(t *testing.T, address string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: door\r\nContent-Type: %s\r\n%s\r\n\r\n%s", structuredMedia, r.head, r.body)
	if half, ok := conn.(*net.TCPConn); ok && err == nil {
		err = half.CloseWrite()
	}
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	a := ask{status: http.StatusBadRequest, code: r.code}
	a.holds(t, response)
}

// formula gives a member who is here a name that a spreadsheet would run.
func (b *bouncer) formula(t *testing.T) {
	events := `[{"specversion":"1.0","id":"name","source":"desk","type":"coworking.v1.member_upserted","time":"2026-03-02T08:00:00Z",` +
		`"subject":"eve","data":{"name":"=HYPERLINK(\"https://example.org\")"}},` +
		`{"specversion":"1.0","id":"visit","source":"desk","type":"coworking.v1.checkin","time":"` + time.Now().UTC().Add(-time.Minute).Format(time.RFC3339) +
		`","subject":"eve","data":{"space":"soho"}}]`
	b.tries(t, b.door(), ask{headers: []string{"Content-Type", batchMedia}, body: events, status: 202})
	b.settles(t)
	page := get(b.query + "/api/v1/reports/roll_call?space=soho&format=csv")
	if !strings.Contains(page, `,"'=HYPERLINK(""https://example.org"")",`) {
		t.Errorf("the cell is no text:\n%s", page)
	}
}

// outages makes the stream unwell in three ways. Nothing that it has not is accepted,
// and whoever sent it is told when to come again.
func (b *bouncer) outages(t *testing.T) {
	conn, err := nats.Connect(b.running().NATSURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	there, err := js.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	later := func(address, keyName, code string) {
		t.Helper()
		b.tries(t, address, ask{key: keyName, body: heard(code), status: http.StatusServiceUnavailable, code: code, header: "Retry-After: 1"})
	}

	b.wire.cut()
	later(b.address, "soho", outages[0])

	full := there.CachedInfo().Config
	full.MaxBytes = int64(there.CachedInfo().State.Bytes) + 100
	if _, err := js.UpdateStream(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	later(b.door(), "", outages[1])

	if err := js.DeleteStream(t.Context(), stream.Name); err != nil {
		t.Fatal(err)
	}
	later(b.door(), "", outages[2])
}

// wire is a way to a server that can be cut, and mended.
type wire struct {
	address string // of the near end
	behind  string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

func newWire(t *testing.T, behind string) *wire {
	t.Helper()
	w := &wire{address: "127.0.0.1:" + strconv.Itoa(freePort(t)), behind: strings.TrimPrefix(behind, "nats://")}
	w.mend(t)
	t.Cleanup(w.cut)
	return w
}

func (w *wire) url() string { return "nats://" + w.address }

func (w *wire) mend(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.listener, w.conns = listener, nil
	w.mu.Unlock()
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			w.connect(near)
		}
	}()
}

func (w *wire) connect(near net.Conn) {
	far, err := net.Dial("tcp", w.behind)
	if err != nil {
		near.Close()
		return
	}
	w.mu.Lock()
	w.conns = append(w.conns, near, far)
	w.mu.Unlock()
	go func() { _, _ = io.Copy(far, near) }() // until it is cut
	go func() { _, _ = io.Copy(near, far) }()
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listener.Close()
	for _, conn := range w.conns {
		conn.Close()
	}
}
