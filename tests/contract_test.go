package tests

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/stream"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	contractFolder = "contract"
	kitFolder      = contractFolder + "/conformance"
)

// kit is contract/conformance/manifest.json.
type kit struct {
	Contract   string            `json:"contract"`
	Modes      map[string]string `json:"modes"` // each with its media type
	Afterwards struct {
		Report   string `json:"report"`
		CheckIns int    `json:"checkins"`
	} `json:"afterwards"`
	Events []golden `json:"events"`
}

// golden is an event of the kit, or a batch of them.
type golden struct {
	Name    string      `json:"name"`
	File    string      `json:"file"`
	Recipe  []part      `json:"recipe"` // where there is no file
	Mode    string      `json:"mode"`
	Headers [][2]string `json:"headers"` // nil: the mode's media type
	Gzip    bool        `json:"gzip"`
	HTTP    *overHTTP   `json:"http"`
	NATS    *overNATS   `json:"nats"`
	Why     string      `json:"why"`
}

// part is a part of a body that is made.
type part struct {
	Text    string `json:"text"`
	Times   int    `json:"times"` // 0 is 1
	Seconds int    `json:"now_plus_seconds"`
}

// verdict is what becomes of an event.
type verdict struct {
	Outcome string `json:"outcome"`
	Code    string `json:"code"`
	Pointer string `json:"pointer"`
}

type overHTTP struct {
	verdict

	Status int       `json:"status"`
	Later  string    `json:"later"`  // the code of the dead letter that comes of it all the same
	Events []verdict `json:"events"` // of a batch
}

type overNATS struct {
	verdict

	Subject string `json:"subject"`
}

func readKit(t *testing.T) kit {
	t.Helper()
	var k kit
	manifest, err := fs.ReadFile(repository(t), kitFolder+"/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(manifest))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&k); err != nil {
		t.Fatal(err)
	}
	return k
}

// body is the bytes to send, not yet packed.
func (g *golden) body(t *testing.T) []byte {
	t.Helper()
	if g.File != "" {
		body, err := fs.ReadFile(repository(t), path.Join(kitFolder, g.File))
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	var body bytes.Buffer
	for _, p := range g.Recipe {
		if p.Seconds != 0 {
			p.Text = time.Now().UTC().Add(time.Duration(p.Seconds) * time.Second).Format(time.RFC3339)
		}
		body.WriteString(strings.Repeat(p.Text, max(1, p.Times)))
	}
	return body.Bytes()
}

// Another language can use the folder alone: the schemas in it are ours.
func TestTheContractHasTheSchemas(t *testing.T) {
	t.Parallel()
	read := func(folder fs.FS) map[string]string {
		texts := map[string]string{}
		for _, name := range named(folder, "") {
			texts[name] = text(folder, name)
		}
		return texts
	}
	copies, err := fs.Sub(repository(t), contractFolder+"/schemas")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read(event.Schemas()), read(copies)); diff != "" {
		t.Errorf("cp pkg/event/schema/* contract/schemas/ (-pkg/event +contract):\n%s", diff)
	}
}

func TestTheKitIsWhole(t *testing.T) {
	t.Parallel()
	k := readKit(t)
	names, files := map[string]bool{}, map[string]bool{}
	for _, g := range k.Events {
		switch {
		case names[g.Name], g.Name == "":
			t.Errorf("%q: a name is there once", g.Name)
		case (g.File == "") == (g.Recipe == nil):
			t.Errorf("%s: either a file or a recipe", g.Name)
		case k.Modes[g.Mode] == "", g.Why == "", g.HTTP == nil && g.NATS == nil:
			t.Errorf("%s: its mode, its door or its reason is missing", g.Name)
		}
		names[g.Name], files[g.File] = true, true
	}
	folder, err := fs.Sub(repository(t), kitFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(named(folder, ".json"), named(folder, ".ndjson")...) {
		if name != "manifest.json" && !files[name] {
			t.Errorf("%s is not in the manifest", name)
		}
	}
	for _, kind := range event.Kinds() {
		for _, form := range []string{"minimal", "full"} {
			if !names[string(kind.Kind)+"-"+form] {
				t.Errorf("there is no %s %s", form, kind.Kind)
			}
		}
	}
}

// What the kit says is accepted, the schemas accept; and of each kind there is an event
// that says all there is to say, and one that says no more than it must.
func TestTheKitSaysAllThatAnEventCan(t *testing.T) {
	t.Parallel()
	schema := contractSchema(t, "event.json")
	k := readKit(t)
	for _, g := range k.Events {
		if g.Mode != "structured" || g.HTTP == nil || g.HTTP.Outcome != "stored" {
			continue
		}
		said, err := jsonschema.UnmarshalJSON(bytes.NewReader(g.body(t)))
		if err == nil {
			err = schema.Validate(said)
		}
		if err != nil && g.Name != "nulls-are-absent" { // the schemas know no null
			t.Errorf("%s: %v", g.Name, err)
		}
		form, isForm := formOf(g.Name)
		if !isForm {
			continue
		}
		fields := map[string]bool{}
		if data, ok := said.(map[string]any)["data"].(map[string]any); ok {
			for name := range data {
				fields[name] = name != "space"
			}
		}
		for _, f := range form.kind.Fields {
			if (form.full || f.Required) != fields[f.Name] {
				t.Errorf("%s says %s: %v", g.Name, f.Name, fields[f.Name])
			}
		}
	}
}

type form struct {
	kind event.KindInfo
	full bool
}

// formOf is what an event is the example of: checkin-full.
func formOf(name string) (form, bool) {
	for _, kind := range event.Kinds() {
		switch name {
		case string(kind.Kind) + "-full":
			return form{kind, true}, true
		case string(kind.Kind) + "-minimal":
			return form{kind, false}, true
		}
	}
	return form{}, false
}

// contractSchema is a schema of the folder.
func contractSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	repo := repository(t)
	files, err := fs.Glob(repo, contractFolder+"/schemas/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		schema, err := jsonschema.UnmarshalJSON(strings.NewReader(text(repo, file)))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource("https://example.com/"+path.Base(file), schema); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := compiler.Compile("https://example.com/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// Every code that an event can be refused with is shown.
func TestTheKitShowsEveryCode(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{"": true}
	for _, g := range readKit(t).Events {
		if g.HTTP != nil {
			shown[g.HTTP.Code], shown[g.HTTP.Later] = true, true
			for _, e := range g.HTTP.Events {
				shown[e.Code] = true
			}
		}
		if g.NATS != nil {
			shown[g.NATS.Code] = true
		}
	}
	codes := codesOf(sources(t, "pkg/event/*.go"))
	if len(codes) < 15 {
		t.Fatalf("pkg/event has only %q", codes)
	}
	for _, code := range append(codes, "id_conflict", "body_too_large", "unsupported_media_type") {
		if !shown[code] {
			t.Errorf("nothing in the kit is refused as %s", code)
		}
	}
}

// sources is the Go files of some folders, tests aside.
func sources(t *testing.T, patterns ...string) (parsed []goFile) {
	t.Helper()
	repo := repository(t)
	for _, pattern := range patterns {
		names, err := fs.Glob(repo, pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), name, text(repo, name), parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, newGoFile(name, tree))
		}
	}
	return parsed
}

// codesOf is the codes that sources refuse with.
func codesOf(files []goFile) []string {
	codes := map[string]bool{}
	for _, file := range files {
		ast.Inspect(file.tree, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			function, ok := call.Fun.(*ast.SelectorExpr)
			code, literal := call.Args[0].(*ast.BasicLit)
			if ok && literal && function.Sel.Name == "With" && code.Kind == token.STRING {
				codes[unquoted(code)] = true
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(codes))
}

// The whole kit, through every door of one system.
func TestTheKitHolds(t *testing.T) {
	t.Parallel()
	k := readKit(t)
	s := up(t, settled(t))
	c := &conformance{system: s, kit: k, stored: map[string]bool{}, schemas: map[string]*jsonschema.Schema{}}
	for _, name := range []string{"taken", "problem", "acknowledgement"} {
		c.schemas[name] = documentSchema(t, name)
	}

	t.Run("over HTTP", c.overHTTP)
	c.settles(t)
	c.counts(t)
	t.Run("by coworking publish", c.byPublish)
	t.Run("over NATS", c.overNATS)
	c.settles(t)
	c.counts(t)
	if out, err := s.ingest("verify", "--quiet"); err != nil {
		t.Errorf("something is lost: %s%v", out, err)
	}
}

// conformance is the kit on its way through a system.
type conformance struct {
	*system

	kit     kit
	schemas map[string]*jsonschema.Schema // of answers, as the document has them
	stored  map[string]bool               // source and id of what must be there
	later   []string                      // codes of dead letters that must come, whatever their messages
}

func (c *conformance) overHTTP(t *testing.T) {
	door := c.door()
	for _, g := range c.kit.Events {
		if g.HTTP == nil {
			continue
		}
		got := c.post(t, door, &g)
		if diff := cmp.Diff(wanted(g.HTTP), got); diff != "" {
			t.Errorf("%s (-kit +got):\n%s", g.Name, diff)
		}
		if g.HTTP.Later != "" {
			c.later = append(c.later, g.HTTP.Later, g.HTTP.Later) // here, and by coworking publish
		}
	}
}

// said is an answer: of a single event or of none, or of each of a batch.
type said struct {
	Status int
	All    verdict
	Events []verdict
}

func wanted(h *overHTTP) said {
	want := said{Status: h.Status, All: h.verdict, Events: h.Events}
	if h.Outcome == "mixed" {
		want.All.Outcome = "stored"
	}
	return want
}

// post sends an event as a client in any language would.
func (c *conformance) post(t *testing.T, door string, g *golden) said {
	t.Helper()
	body := g.body(t)
	headers := g.Headers
	if headers == nil {
		headers = [][2]string{{"Content-Type", c.kit.Modes[g.Mode]}}
	}
	if g.Gzip {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(body) // a buffer takes all
		w.Close()
		body, headers = packed.Bytes(), append(slices.Clone(headers), [2]string{"Content-Encoding", "gzip"})
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, door+"/v1/events", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		request.Header.Add(h[0], h[1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s: %v", g.Name, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", g.Name, err)
	}
	var told struct {
		Status  int
		Code    string
		Pointer string
		Events  []struct {
			verdict

			Status     string
			ID, Source string
		}
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		t.Fatalf("%s: %d %s", g.Name, response.StatusCode, answer)
	}
	got, schema := said{Status: response.StatusCode, All: verdict{Outcome: "stored"}}, "taken"
	if response.StatusCode >= http.StatusBadRequest {
		got.All = verdict{"refused", told.Code, told.Pointer}
		looksLikeAProblem(t, g.Name, response, answer)
		schema = "problem"
	}
	if err := valid(c.schemas[schema], answer); err != nil {
		t.Errorf("%s: %v", g.Name, err)
	}
	for _, e := range told.Events {
		if e.Status == "stored" {
			c.stored[e.Source+" "+e.ID] = true
		}
		if g.Mode == "batch" || g.Mode == "ndjson" {
			got.Events = append(got.Events, verdict{e.Status, e.Code, e.Pointer})
		}
	}
	if got.Events == nil && g.HTTP.Events != nil {
		got.Events = []verdict{}
	}
	return got
}

// looksLikeAProblem holds an answer against RFC 9457: its media type and members, and
// that it speaks of the request and not of what the system is made of.
func looksLikeAProblem(t *testing.T, name string, response *http.Response, body []byte) {
	t.Helper()
	var problem struct {
		Type, Title, Code, Detail string
		Status                    int
	}
	err := json.Unmarshal(body, &problem)
	if err != nil || problem.Type == "" || problem.Title == "" || problem.Code == "" || problem.Detail == "" || problem.Status != response.StatusCode {
		t.Errorf("%s: %d says %s", name, response.StatusCode, body)
	}
	if media := response.Header.Get("Content-Type"); media != "application/problem+json" {
		t.Errorf("%s: the media type is %q", name, media)
	}
	if found := innards.Find(body); found != nil {
		t.Errorf("%s: it says %q: %s", name, found, body)
	}
}

// innards is what no answer may show: of SQL, of Go, of our libraries.
var innards = regexp.MustCompile(`(?i)sqlstate|\bselect\b|\binsert\b|relation "|pgx|pgconn|nats|jetstream|goroutine|\.go\b|panic|runtime|strconv|json:|gzip:|http:|unmarshal|\*[a-z]+\.[A-Z]|0x[0-9a-f]|echo\.|code=\d|EOF`)

// byPublish sends what fits on a line, all of it at once.
func (c *conformance) byPublish(t *testing.T) {
	var in bytes.Buffer
	want := map[string][]string{}
	line, stored := 0, 0
	for _, g := range c.kit.Events {
		if g.Mode != "structured" || g.HTTP == nil || g.Headers != nil || g.Gzip {
			continue
		}
		body := g.body(t)
		if bytes.ContainsAny(body, "\n") || len(bytes.TrimSpace(body)) == 0 {
			continue
		}
		in.Write(append(body, '\n'))
		line++
		code := g.HTTP.Code
		if g.NATS.Outcome == "turned away" {
			code = "body_too_large" // a line goes to the stream as it is
		}
		if code == "" {
			stored++
			continue
		}
		want[code] = append(want[code], "line "+strconv.Itoa(line))
	}
	out, err := c.tool(in.String(), "publish", "-")
	if err == nil || !strings.HasPrefix(out, fmt.Sprintf("stored  %d\nrefused %d\n", stored, line-stored)) {
		t.Errorf("of %d lines %d are good: %v\n%s", line, stored, err, out)
	}
	got := map[string][]string{}
	for _, reason := range regexp.MustCompile(`(?m)^ +(\d+) × (\w+): (.*)$`).FindAllStringSubmatch(out, -1) {
		places := strings.Split(strings.TrimSuffix(reason[3], ", …"), ", ")
		if reason[1] != strconv.Itoa(len(want[reason[2]])) {
			t.Errorf("%s %s, not %d", reason[1], reason[2], len(want[reason[2]]))
		}
		got[reason[2]] = places
	}
	for code, places := range want {
		want[code] = places[:min(len(places), 10)] // so many are named
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-kit +got):\n%s", diff)
	}
}

// overNATS publishes as any client can, and then looks for the dead letters.
func (c *conformance) overNATS(t *testing.T) {
	conn, err := nats.Connect(c.running().NATSURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	d, _ := readDocument(t)
	want, got := map[string]verdict{}, map[string]verdict{}
	named := map[int64]string{} // by sequence
	for _, g := range c.kit.Events {
		if g.NATS == nil {
			continue
		}
		body := g.body(t)
		want[g.Name] = g.NATS.verdict
		sequence, answer, refusal := publish(conn, g.NATS.Subject, body)
		if err := valid(c.schemas["acknowledgement"], answer); answer != nil && err != nil {
			t.Errorf("%s: %v", g.Name, err)
		}
		if refusal != nil {
			got[g.Name] = verdict{Outcome: "turned away"}
			continue
		}
		if g.Name == "checkin-minimal" {
			js, err := jetstream.New(conn)
			if err != nil {
				t.Fatal(err)
			}
			d.describes(t, js, sequence, g.NATS.Subject)
		}
		named[sequence], got[g.Name] = g.Name, verdict{Outcome: "stored"}
		var e struct{ ID, Source string }
		if err := json.Unmarshal(body, &e); err == nil && g.NATS.Outcome == "stored" {
			c.stored[e.Source+" "+e.ID] = true
		}
	}
	c.settles(t)
	var others []string
	for _, letter := range c.buried(t) {
		if name, ours := named[letter.Sequence]; ours {
			got[name] = verdict{"refused", letter.Code, letter.Pointer}
		} else {
			others = append(others, letter.Code)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-kit +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.later, others); diff != "" {
		t.Errorf("dead letters of what came before (-kit +got):\n%s", diff)
	}
}

// publish asks for the acknowledgement; the error is also what the broker says. answer is
// nil where a client does not even send so much.
func publish(conn *nats.Conn, subject string, body []byte) (sequence int64, answer []byte, err error) {
	reply, err := conn.RequestMsg(&nats.Msg{Subject: subject, Data: body, Header: nats.Header{"Content-Type": {structuredMedia}}}, patience)
	if err != nil {
		return 0, nil, err
	}
	var ack struct {
		Stream string
		Seq    int64
		Error  *struct{ Description string }
	}
	if err := json.Unmarshal(reply.Data, &ack); err != nil {
		return 0, reply.Data, err
	}
	if ack.Error != nil || ack.Stream != stream.Name {
		return 0, reply.Data, fmt.Errorf("%s", reply.Data)
	}
	return ack.Seq, reply.Data, nil
}

// deadLetter is a line of `ingest dead-letters list --json`.
type deadLetter struct {
	Sequence                     int64
	Subject, Code, Pointer, Body string
}

func (s *system) buried(t *testing.T) (all []deadLetter) {
	t.Helper()
	out, err := s.ingest("dead-letters", "list", "--state", "all", "--limit", "1000", "--json")
	if err != nil {
		t.Fatalf("%s%v", out, err)
	}
	for line := range strings.Lines(out) {
		var letter deadLetter
		if err := json.Unmarshal([]byte(line), &letter); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, letter)
	}
	return all
}

// settles waits until every message of the stream is answered for.
func (s *system) settles(t *testing.T) {
	t.Helper()
	conn, err := nats.Connect(s.running().NATSURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "every event is answered for", func() bool {
		durable, err := js.Consumer(t.Context(), stream.Name, stream.Durable(0))
		return err == nil && durable.CachedInfo().NumPending == 0 && durable.CachedInfo().NumAckPending == 0
	})
}

// counts holds the numbers against the kit: the report, and how many events there are.
func (c *conformance) counts(t *testing.T) {
	t.Helper()
	var report struct {
		Data []struct {
			CheckIns int `json:"checkins"`
		} `json:"data"`
	}
	page := get(c.query + c.kit.Afterwards.Report)
	if err := json.Unmarshal([]byte(page), &report); err != nil || len(report.Data) != 1 || report.Data[0].CheckIns != c.kit.Afterwards.CheckIns {
		t.Errorf("of %d check-ins the report says %s (%v)", c.kit.Afterwards.CheckIns, page, err)
	}
	db, err := pgx.Connect(t.Context(), c.running().DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	events := 0
	if err := db.QueryRow(t.Context(), "select count(*) from events").Scan(&events); err != nil || events != len(c.stored) {
		t.Errorf("%d events are stored, not %d: %v", events, len(c.stored), err)
	}
}
