package tests

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"coworking/pkg/event"
	"coworking/pkg/stream"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const documentFile = contractFolder + "/asyncapi.yaml"

// document is what of contract/asyncapi.yaml is held against the code.
type document struct {
	Servers struct {
		NATS struct {
			JetStream struct {
				Stream           string   `json:"stream"`
				Subjects         []string `json:"subjects"`
				StoredAs         string   `json:"storedAs"`
				MaxMessageBytes  int32    `json:"maxMessageBytes"`
				MaxAgeSeconds    float64  `json:"maxAgeSeconds"`
				DuplicateMillis  int64    `json:"duplicateWindowMilliseconds"`
				MaxBatchMessages int      `json:"maxBatchMessages"`
				Discard          string   `json:"discard"`
			} `json:"x-jetstream"`
		} `json:"nats"`
	} `json:"servers"`
	Channels   map[string]channel   `json:"channels"`
	Operations map[string]sending   `json:"operations"`
	Codes      map[string]codeMeans `json:"x-codes"`
	Components struct {
		Messages map[string]message `json:"messages"`
		Schemas  struct {
			Attributes struct {
				Properties map[string]any `json:"properties"`
			} `json:"attributes"`
		} `json:"schemas"`
		Parameters map[string]struct {
			Description string `json:"description"`
		} `json:"parameters"`
	} `json:"components"`
}

type reference struct {
	To string `json:"$ref"`
}

type channel struct {
	Address  string               `json:"address"`
	Servers  []reference          `json:"servers"`
	Messages map[string]reference `json:"messages"`
}

type sending struct {
	Action   string      `json:"action"`
	Channel  reference   `json:"channel"`
	Messages []reference `json:"messages"`
	Limits   struct {
		MaxBodyBytes int `json:"maxBodyBytes"`
		MaxEvents    int `json:"maxEvents"`
	} `json:"x-limits"`
}

type codeMeans struct {
	Status     int    `json:"status"` // 0: never over HTTP
	DeadLetter bool   `json:"deadLetter"`
	Meaning    string `json:"meaning"`
}

type message struct {
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Payload     struct {
		Schema reference `json:"schema"`
	} `json:"payload"`
	Examples []struct {
		Name    string            `json:"name"`
		Headers map[string]string `json:"headers"`
		Payload json.RawMessage   `json:"payload"`
	} `json:"examples"`
}

// readDocument is the document, and the same as JSON.
func readDocument(t *testing.T) (d document, encoded []byte) {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal([]byte(text(repository(t), documentFile)), &tree); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(tree)
	if err == nil {
		err = json.Unmarshal(encoded, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d, encoded
}

func TestTheDocumentIsAsyncAPI(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(text(repository(t), "tests/testdata/asyncapi/3.0.0.json")))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("https://example.com/asyncapi.json", schema); err != nil {
		t.Fatal(err)
	}
	asyncAPI, err := compiler.Compile("https://example.com/asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	_, encoded := readDocument(t)
	if err := valid(asyncAPI, encoded); err != nil {
		t.Error(err)
	}
	broken := bytes.Replace(encoded, []byte(`"action":"send"`), []byte(`"action":"shout"`), 1)
	if valid(asyncAPI, broken) == nil {
		t.Error("an operation that shouts is found to be valid")
	}
}

func valid(schema *jsonschema.Schema, body []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// A validator of documents does not follow what they refer to.
func TestTheDocumentRefersToWhatIsThere(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	_, encoded := readDocument(t)
	trees := map[string]any{"": tree(t, encoded)}
	for _, found := range regexp.MustCompile(`"\$ref":"([^"#]*)#?([^"]*)"`).FindAllSubmatch(encoded, -1) {
		file, pointer := string(found[1]), string(found[2])
		if trees[file] == nil {
			body, err := fs.ReadFile(repo, path.Join(contractFolder, file))
			if err != nil {
				t.Fatal(err)
			}
			trees[file] = tree(t, body)
		}
		if at(trees[file], pointer) == nil {
			t.Errorf("%s#%s is not there", file, pointer)
		}
	}
}

func tree(t *testing.T, body []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// at is what a JSON pointer points to, nil if there is no such thing.
func at(value any, pointer string) any {
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if step == "" {
			continue
		}
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return value
}

// Every kind has its channel, operation and messages, and there is no other.
func TestTheDocumentHasEveryKind(t *testing.T) {
	t.Parallel()
	d, _ := readDocument(t)
	channels := map[string]channel{
		"acknowledgements": {"", []reference{{"#/servers/nats"}}, messages("acknowledgement")},
		"answers":          {"", []reference{{"#/servers/door"}}, messages("stored", "partlyStored", "problem")},
	}
	posted := []string{"batch", "lines"}
	operations, payloads := map[string]sending{}, map[string]string{}
	for _, kind := range event.Kinds() {
		name := string(kind.Kind)
		e := event.Event{Space: "{space}", Kind: kind.Kind}
		if kind.Kind == event.MemberUpserted {
			e.Space = event.NoSpace
		}
		posted = append(posted, name, name+"Binary")
		channels[name] = channel{e.Subject(), []reference{{"#/servers/nats"}}, messages(name)}
		operations["publish"+inTitle(name)] = sending{
			Action: "send", Channel: reference{"#/channels/" + name}, Messages: []reference{{"#/channels/" + name + "/messages/" + name}},
		}
		payloads[name] = e.Type() + " application/cloudevents+json ./schemas/" + name + ".json"
		payloads[name+"Binary"] = e.Type() + " application/json ./schemas/" + name + ".json#/properties/data"
	}
	channels["events"] = channel{"/v1/events", []reference{{"#/servers/door"}}, messages(posted...)}
	if diff := cmp.Diff(channels, d.Channels); diff != "" {
		t.Errorf("channels (-code +document):\n%s", diff)
	}
	if post, ok := d.Operations["postEvents"]; !ok || len(post.Messages) != len(posted) {
		t.Errorf("postEvents: %+v", post)
	}
	delete(d.Operations, "postEvents")
	if diff := cmp.Diff(operations, d.Operations); diff != "" {
		t.Errorf("operations (-code +document):\n%s", diff)
	}
	got := map[string]string{}
	for name, m := range d.Components.Messages {
		if m.Payload.Schema.To != "" {
			got[name] = m.Name + " " + m.ContentType + " " + m.Payload.Schema.To
		}
	}
	if diff := cmp.Diff(payloads, got); diff != "" {
		t.Errorf("messages (-code +document):\n%s", diff)
	}
}

// messages is where messages of these names are.
func messages(names ...string) map[string]reference {
	all := map[string]reference{}
	for _, name := range names {
		all[name] = reference{"#/components/messages/" + name}
	}
	return all
}

// inTitle is CheckinFailed of checkin_failed.
func inTitle(name string) (title string) {
	for word := range strings.SplitSeq(name, "_") {
		title += strings.ToUpper(word[:1]) + word[1:]
	}
	return title
}

// Names, limits and codes are those of the code.
func TestTheDocumentSaysWhatTheCodeDoes(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	d, _ := readDocument(t)

	headers := []string{"content-type"}
	for _, found := range regexp.MustCompile(`"(Ce-\w+)"`).FindAllStringSubmatch(text(repo, "pkg/event/binary.go"), -1) {
		headers = append(headers, strings.ToLower(found[1]))
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(headers)), slices.Sorted(maps.Keys(d.Components.Schemas.Attributes.Properties))); diff != "" {
		t.Errorf("headers (-code +document):\n%s", diff)
	}

	media := map[string]string{}
	for mode, name := range map[string]string{"structured": "checkin", "binary": "checkinBinary", "batch": "batch", "ndjson": "lines"} {
		media[mode] = d.Components.Messages[name].ContentType
	}
	if diff := cmp.Diff(readKit(t).Modes, media); diff != "" {
		t.Errorf("media types (-kit +document):\n%s", diff)
	}

	pattern, _ := at(tree(t, []byte(text(repo, contractFolder+"/schemas/checkin.json"))), "/properties/data/properties/space/pattern").(string)
	for name, p := range d.Components.Parameters {
		if pattern == "" || !strings.Contains(p.Description, pattern) {
			t.Errorf("the parameter %s does not say %s", name, pattern)
		}
	}
	limits := d.Operations["postEvents"].Limits
	if limits.MaxBodyBytes != mostBytes || limits.MaxEvents != mostEvents || d.Servers.NATS.JetStream.MaxBatchMessages != mostEvents {
		t.Errorf("a request holds %+v", limits) // that so much is taken, and no more, is seen at the door
	}

	refusing := sources(t, "pkg/event/*.go", "pkg/stream/*.go", "services/ingest/internal/intake/[^d]*.go") // not deadletters.go, another address
	for _, code := range codesOf(refusing) {
		if _, known := d.Codes[code]; !known {
			t.Errorf("the document does not know %s", code)
		}
	}
	burying := slices.Concat(refusing, sources(t, "pkg/key/*.go", "services/ingest/internal/store/*.go"))
	for code, means := range d.Codes {
		said := slices.ContainsFunc(burying, func(file goFile) bool { return file.says(code) })
		if !said || means.Meaning == "" {
			t.Errorf("%s is no code, or means nothing", code)
		}
	}
}

// A code has one status, whatever it is about; and what can be buried is.
func TestTheDocumentAndTheKitAgreeOnCodes(t *testing.T) {
	t.Parallel()
	d, _ := readDocument(t)
	buried := map[string]bool{}
	for _, g := range readKit(t).Events {
		if g.HTTP != nil {
			buried[g.HTTP.Later] = true
			if code := g.HTTP.Code; code != "" && d.Codes[code].Status != g.HTTP.Status {
				t.Errorf("%s: %s is %d, in the document %d", g.Name, code, g.HTTP.Status, d.Codes[code].Status)
			}
		}
		if g.NATS != nil {
			buried[g.NATS.Code] = true
		}
	}
	delete(buried, "")
	for code, means := range d.Codes {
		unseen := code == "day_sealed" || code == "unstorable" // need a past, or a database that refuses
		if means.DeadLetter != buried[code] && !unseen {
			t.Errorf("%s is a dead letter: in the kit %v, in the document %v", code, buried[code], means.DeadLetter)
		}
		delete(buried, code)
	}
	if len(buried) > 0 {
		t.Errorf("the document does not know %v", buried)
	}
}

// The examples are events of the kit, and what their schema takes.
func TestTheDocumentsExamplesAreTheKits(t *testing.T) {
	t.Parallel()
	d, _ := readDocument(t)
	bodies := map[string][]byte{}
	for _, g := range readKit(t).Events {
		bodies[g.Name] = g.body(t)
	}
	for _, kind := range event.Kinds() {
		name := string(kind.Kind)
		schema := contractSchema(t, name+".json")
		for i, example := range d.Components.Messages[name].Examples {
			if example.Name != name+"-"+[]string{"minimal", "full"}[i] {
				t.Errorf("the examples of %s are minimal and full, not %s", name, example.Name)
			}
			if diff := cmp.Diff(tree(t, bodies[example.Name]), tree(t, example.Payload)); diff != "" {
				t.Errorf("%s (-kit +document):\n%s", example.Name, diff)
			}
			if err := valid(schema, example.Payload); err != nil {
				t.Errorf("%s: %v", example.Name, err)
			}
		}
		for _, example := range d.Components.Messages[name+"Binary"].Examples {
			structured, err := event.FromBinary(func(header string) []string {
				if value := example.Headers[strings.ToLower(header)]; value != "" {
					return []string{value}
				}
				return nil
			}, example.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decoded(t, bodies[example.Name]), decoded(t, structured)); diff != "" {
				t.Errorf("%s, binary (-kit +document):\n%s", example.Name, diff)
			}
		}
	}
	for _, name := range []string{"stored", "partlyStored", "problem", "acknowledgement"} {
		for _, example := range d.Components.Messages[name].Examples {
			schema := map[string]string{"stored": "taken", "partlyStored": "taken"}[name]
			if schema == "" {
				schema = name
			}
			if err := valid(documentSchema(t, schema), example.Payload); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func decoded(t *testing.T, body []byte) event.Event {
	t.Helper()
	e, err := event.Decode(body, event.Options{Strict: true})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return e
}

// documentSchema is a schema that stands in the document.
func documentSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	_, encoded := readDocument(t)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("https://example.com/asyncapi.yaml", value); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("https://example.com/asyncapi.yaml#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// describes holds the document against a stream that runs, with an event that it stored.
func (d *document) describes(t *testing.T, js jetstream.JetStream, sequence int64, subject string) {
	t.Helper()
	there, err := js.Stream(t.Context(), d.Servers.NATS.JetStream.Stream)
	if err != nil {
		t.Fatal(err)
	}
	runs, said := there.CachedInfo().Config, d.Servers.NATS.JetStream
	got := said
	got.Stream, got.Subjects, got.MaxMessageBytes = runs.Name, runs.Subjects, runs.MaxMsgSize
	got.MaxAgeSeconds, got.DuplicateMillis = runs.MaxAge.Seconds(), runs.Duplicates.Milliseconds()
	got.Discard = strings.ToLower(strings.TrimPrefix(runs.Discard.String(), "Discard"))
	if diff := cmp.Diff(got, said); diff != "" || !runs.AllowAtomicPublish {
		t.Errorf("the stream (-runs +document):\n%s", diff)
	}
	stored, err := there.GetMsg(t.Context(), uint64(sequence))
	if err != nil {
		t.Fatal(err)
	}
	_, tail, _ := strings.Cut(subject, "v1.")
	space, kind, _ := strings.Cut(tail, ".")
	parsed, err := stream.ParseSubject(stored.Subject)
	want := strings.NewReplacer("{partition}", "0", "{space}", space, "{kind}", kind).Replace(said.StoredAs)
	if err != nil || stored.Subject != want || parsed.Space != space || parsed.Kind != kind {
		t.Errorf("%s is stored as %s, not as %s (%v)", subject, stored.Subject, want, err)
	}
}
