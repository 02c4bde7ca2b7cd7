package event

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the schemas anew from the table of kinds")

// object is a JSON object whose members stay in their order.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(appendString(nil, m.name))
		b.WriteByte(':')
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// schemaOf is the schema of a kind.
func schemaOf(kind KindInfo) object {
	name := json.RawMessage(textSchema(maxID))
	space := `{"type":"string","pattern":"^[a-z0-9][a-z0-9_-]{0,62}$"}`
	switch kind.Kind {
	case MemberUpserted:
		space = `{"const":"_"}`
	case EventVoided:
		space = `{"type":"string","pattern":"^([a-z0-9][a-z0-9_-]{0,62}|_)$"}`
	}
	fields := object{{"space", withDoc("Which space. On NATS the subject names it too, and it may be left out.", space)}}
	var needed []string
	if kind.Kind != MemberUpserted {
		needed = append(needed, "space")
	}
	for _, f := range kind.Fields {
		fields = append(fields, member{f.Name, withDoc(f.Doc, f.Schema)})
		if f.Required {
			needed = append(needed, f.Name)
		}
	}
	data := object{{"type", "object"}, {"properties", fields}}
	attributes := []string{"id", "source", "type", "time"}
	if kind.Kind == MemberUpserted {
		attributes = append(attributes, "subject")
	}
	if len(needed) > 0 {
		data = append(data, member{"required", needed})
		attributes = append(attributes, "data")
	}
	data = append(data, member{"additionalProperties", false})
	return object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", TypePrefix + string(kind.Kind)},
		{"description", kind.Doc},
		{"type", "object"},
		{"properties", object{
			{"specversion", json.RawMessage(`{"const":"1.0"}`)},
			{"id", withDoc("With source and space: which event this is. A UUIDv7 is best.", string(name))},
			{"source", withDoc("The device or system that tells us.", string(name))},
			{"type", object{{"const", TypePrefix + string(kind.Kind)}}},
			{"time", withDoc("When it happened, with an offset; from 1973 to 9999, cut to microseconds.", timeSchema)},
			{"subject", withDoc("The member; absent if nobody knows who.", string(name))},
			{"datacontenttype", json.RawMessage(`{"type":"string","pattern":"[jJ][sS][oO][nN]"}`)},
			{"data_base64", json.RawMessage(`false`)},
			{"data", data},
		}},
		{"required", attributes},
	}
}

// withDoc is a schema with words before it.
func withDoc(doc, schema string) json.RawMessage {
	words := append([]byte(`{"description":`), appendString(nil, doc)...)
	return append(append(words, ','), schema[1:]...)
}

// generated is every file of schema/.
func generated(t *testing.T) map[string]string {
	t.Helper()
	var kinds []object
	files := map[string]string{}
	write := func(name string, schema object) {
		raw, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, raw, "", "  "); err != nil {
			t.Fatal(err)
		}
		files[name+".json"] = indented.String() + "\n"
	}
	for _, kind := range Kinds() {
		write(string(kind.Kind), schemaOf(kind))
		kinds = append(kinds, object{{"$ref", string(kind.Kind) + ".json"}})
	}
	write("event", object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "An event"},
		{"description", "A CloudEvent 1.0 in structured JSON mode, of one of the kinds."},
		{"oneOf", kinds},
	})
	return files
}

func TestSchemasAreThoseOfTheTable(t *testing.T) {
	want := generated(t)
	if *update {
		for name, text := range want {
			if err := os.WriteFile(filepath.Join("schema", name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	got := map[string]string{}
	names, err := fs.Glob(Schemas(), "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(Schemas(), name)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run it with -update, and look at what changes (-want +got):\n%s", diff)
	}
}

// compiled is the schemas, by the name of their file. Formats are asserted.
func compiled(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	names, err := fs.Glob(Schemas(), "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := Schemas().Open(name)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := jsonschema.UnmarshalJSON(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource("https://example.com/"+name, schema); err != nil {
			t.Fatal(err)
		}
	}
	schemas := map[string]*jsonschema.Schema{}
	for _, name := range names {
		schema, err := compiler.Compile("https://example.com/" + name)
		if err != nil {
			t.Fatal(err)
		}
		schemas[name] = schema
	}
	return schemas
}

func validate(t *testing.T, schema *jsonschema.Schema, body []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return schema.Validate(value)
}

func TestWhatWeWriteIsValid(t *testing.T) {
	schemas := compiled(t)
	random := rand.New(rand.NewPCG(5, 5))
	for _, kind := range Kinds() {
		for range 200 {
			e := generate(random, kind.Kind)
			body := e.Encode(nil)
			for _, name := range []string{string(kind.Kind) + ".json", "event.json"} {
				if err := validate(t, schemas[name], body); err != nil {
					t.Fatalf("%s: %v", body, err)
				}
			}
			if diff := cmp.Diff(e, decoded(t, body, Options{Strict: true})); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", body, diff)
			}
		}
		if err := validate(t, schemas[string(kind.Kind)+".json"], told(kind.Kind, examples[kind.Kind])); err != nil {
			t.Errorf("the example of %s: %v", kind.Kind, err)
		}
	}
}

// Where the value of one field is wrong, schema and reader agree that it is.
func TestWhatTheSchemaRefusesIsRefused(t *testing.T) {
	schemas := compiled(t)
	values := []string{
		`""`, `"x"`, `"2026-03-29"`, `"2026-02-30"`, `"2026-03-29T12:00:00"`, `"2026-03-29T12:00:60Z"`, `"2026-03-29T23:59:60Z"`, `"05:00"`, `"5:00"`, `"05:10"`,
		`"24:00"`, `"4h"`, `"1.5h"`, `"90m"`, `"Europe/Berlin"`, `"+01:00"`, `"door"`, `"other"`, `"a\nb"`, `"a\u0085b"`, `"2026-03-29T12:00:00+01:00"`,
		`0`, `1`, `-1`, `1.5`, `10000`, `10001`, `1000001`, `true`, `false`, `[]`, `["2026-03-29"]`, `["2026-02-30"]`, `[1]`, `{}`,
		`{"mon":["08:00","18:00"]}`, `{"mon":["08:00"]}`, `{"mon":["08:00","18:00","19:00"]}`, `{"mon":["24:00","18:00"]}`, `{"monday":["08:00","18:00"]}`, `{"mon":[8,18]}`,
		`"` + string(bytes.Repeat([]byte("x"), 129)) + `"`, `"` + string(bytes.Repeat([]byte("x"), 257)) + `"`,
	}
	var refusedByBoth, takenByBoth int
	judge := func(kind Kind, body []byte) {
		t.Helper()
		_, refusal := Decode(body, Options{Strict: true})
		invalid := validate(t, schemas[string(kind)+".json"], body)
		if (refusal == nil) != (invalid == nil) && !knownToTheReaderAlone(refusal) {
			t.Errorf("%s: the reader says %v, the schema %v", body, refusal, invalid)
		}
		if invalid != nil {
			refusedByBoth++
		} else if refusal == nil {
			takenByBoth++
		}
		if either := validate(t, schemas["event.json"], body); (either == nil) != (invalid == nil) {
			t.Errorf("%s: event.json says %v, the kind's %v", body, either, invalid)
		}
	}
	needed := map[Kind]string{
		TokenIssued: `"token_id":"1"`, TokenUsed: `"token_id":"1"`, EventVoided: `"source":"a","id":"1"`,
	}
	for _, kind := range Kinds() {
		for _, f := range kind.Fields {
			for _, value := range values {
				fields := `"` + f.Name + `":` + value
				if more := needed[kind.Kind]; more != "" && !f.Required {
					fields += "," + more
				}
				if kind.Kind == EventVoided && f.Name == "source" {
					fields += `,"id":"1"`
				}
				if kind.Kind == EventVoided && f.Name == "id" {
					fields += `,"source":"1"`
				}
				judge(kind.Kind, told(kind.Kind, fields))
			}
		}
		judge(kind.Kind, told(kind.Kind, `"methode":"door"`))
		judge(kind.Kind, told(kind.Kind, ``))
	}
	for _, attribute := range []string{"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data_base64", "data", "x"} {
		judge(CheckIn, arrival(`"`+attribute+`"`))
		for _, value := range append(values, `"1.0"`, `"application/json"`, `"coworking.v1.checkin"`, `{"space":"mitte"}`, `{"space":"_"}`, `{"space":"Mitte"}`, `{"space":1}`) {
			judge(CheckIn, arrival(`"`+attribute+`":`+value))
		}
	}
	judge(MemberUpserted, arrival(`"type":"coworking.v1.member_upserted"`, `"data"`))
	judge(MemberUpserted, arrival(`"type":"coworking.v1.member_upserted"`, `"data"`, `"subject":"4711"`))
	judge(MemberUpserted, arrival(`"type":"coworking.v1.member_upserted"`, `"data":{"space":"mitte"}`, `"subject":"4711"`))
	if refusedByBoth < 500 || takenByBoth < 200 {
		t.Errorf("only %d were refused and %d taken by both", refusedByBoth, takenByBoth)
	}
}

// knownToTheReaderAlone is what no schema of ours says: how many hours a stay has, and
// which names are zones.
func knownToTheReaderAlone(refusal error) bool {
	return slices.Contains([]string{"/data/default_stay", "/data/time_zone"}, fault.Pointer(refusal))
}
