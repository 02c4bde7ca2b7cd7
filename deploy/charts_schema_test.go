package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	goyaml "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// place is where a value is in a chart's values.
type place []string

func (p place) String() string { return strings.Join(p, ".") }

// with is values that have but one, at a place.
func (p place) with(value any) map[string]any {
	all := map[string]any{p[len(p)-1]: value}
	for _, key := range slices.Backward(p[:len(p)-1]) {
		all = map[string]any{key: all}
	}
	return all
}

// leaves calls f for each value that is no object, and branches for each that is.
func leaves(at place, value any, leaf func(place, any), branch func(place)) {
	object, ok := value.(map[string]any)
	if !ok {
		leaf(at, value)
		return
	}
	branch(at)
	for _, key := range slices.Sorted(maps.Keys(object)) {
		leaves(append(slices.Clone(at), key), object[key], leaf, branch)
	}
}

// defaults is what a chart's values.yaml says.
func defaults(t *testing.T, chart string) map[string]any {
	t.Helper()
	read := map[string]any{}
	if err := yaml.UnmarshalStrict(file(t, "helm/"+chart+"/values.yaml"), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func refused(by helm, chart string, values map[string]any) bool {
	_, err := by.render(release{chart: chart, name: chart}, values)
	return err != nil && strings.Contains(err.Error(), "schema")
}

func TestUnknownValuesAreRefused(t *testing.T) {
	for _, chart := range charts {
		for name, by := range helms {
			leaves(nil, defaults(t, chart), func(place, any) {}, func(at place) {
				// An object, since some places are open for names of one's own, whose values are words.
				unknown := append(slices.Clone(at), "unknown")
				if !refused(by, chart, unknown.with(map[string]any{"a": 1})) {
					t.Errorf("%s: %s takes %s", name, chart, unknown)
				}
			})
			for _, nested := range []map[string]any{
				place{"tolerations"}.with([]any{map[string]any{"unknown": "a"}}),
				place{"topologySpread"}.with([]any{map[string]any{"topologyKey": "a", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "unknown": "a"}}),
				place{"ingress", "paths"}.with([]any{map[string]any{"path": "/", "type": "Exact", "unknown": "a"}}),
				place{"networkPolicy", "from"}.with([]any{map[string]any{"ipBlock": map[string]any{"cidr": "10.0.0.0/8", "unknown": "a"}}}),
				place{"networkPolicy", "extraEgress"}.with([]any{map[string]any{"ports": []any{map[string]any{"port": 1, "unknown": "a"}}}}),
			} {
				if !refused(by, chart, nested) {
					t.Errorf("%s: %s takes %v", name, chart, nested)
				}
			}
		}
	}
}

func TestWrongTypesAreRefused(t *testing.T) {
	for _, chart := range charts {
		for name, by := range helms {
			leaves(nil, defaults(t, chart), func(at place, value any) {
				for _, wrong := range []any{map[string]any{"a": 1}, another(value)} {
					if !refused(by, chart, at.with(wrong)) {
						t.Errorf("%s: %s takes %s: %v", name, chart, at, wrong)
					}
				}
			}, func(place) {})
		}
	}
}

// another is a value of another type.
func another(value any) any {
	if _, word := value.(string); word {
		return true
	}
	return "a word"
}

// What a schema says of an object is worth nothing if it leaves the door open.
func TestSchemasAreClosed(t *testing.T) {
	for _, chart := range charts {
		var schema map[string]any
		if err := json.Unmarshal(file(t, "helm/"+chart+"/values.schema.json"), &schema); err != nil {
			t.Fatal(err)
		}
		for _, open := range openObjects("", schema) {
			t.Errorf("%s: %s", chart, open)
		}
	}
}

// openObjects is the places of a schema where any key goes, or any value.
func openObjects(at string, schema map[string]any) []string {
	var open []string
	_, hasType := schema["type"]
	_, hasEnum := schema["enum"]
	_, hasReference := schema["$ref"]
	if !hasType && !hasEnum && !hasReference {
		open = append(open, at+" may be anything")
	}
	rest, closed := schema["additionalProperties"]
	if schema["type"] == "object" && (!closed || rest == true) {
		open = append(open, at+" may have any key")
	}
	if schema["type"] == "array" && schema["items"] == nil {
		open = append(open, at+" may hold anything")
	}
	for _, below := range []string{"properties", "$defs"} {
		named, _ := schema[below].(map[string]any)
		for name := range named {
			sub, _ := named[name].(map[string]any)
			open = append(open, openObjects(at+"."+name, sub)...)
		}
	}
	for _, below := range []string{"items", "additionalProperties"} {
		if sub, ok := schema[below].(map[string]any); ok {
			open = append(open, openObjects(at+"[]", sub)...)
		}
	}
	return open
}

func TestOpenSchemasAreFound(t *testing.T) {
	cases := map[string]string{
		`{"type": "object"}`: "any key",
		`{"type": "object", "additionalProperties": true}`:                           "any key",
		`{"type": "object", "additionalProperties": false, "properties": {"a": {}}}`: ".a may be anything",
		`{"type": "object", "additionalProperties": {"type": "object"}}`:             "[] may have any key",
		`{"type": "array"}`: "may hold anything",
		`{"type": "object", "additionalProperties": false, "$defs": {"b": {"type": "array", "items": {}}}}`: ".b[] may be anything",
	}
	for text, want := range cases {
		var schema map[string]any
		if err := json.Unmarshal([]byte(text), &schema); err != nil {
			t.Fatal(err)
		}
		if said := strings.Join(openObjects("", schema), "\n"); !strings.Contains(said, want) {
			t.Errorf("%s: %q", text, said)
		}
	}
}

// Each key has its words: on itself, or on what it is part of.
func TestValuesAreCommented(t *testing.T) {
	for _, chart := range charts {
		if silent := uncommented(t, file(t, "helm/"+chart+"/values.yaml")); len(silent) > 0 {
			t.Errorf("%s: nothing is said of %v", chart, silent)
		}
	}
	if silent := uncommented(t, []byte("# -- A.\na: 1\nb:\n  # -- C.\n  c: 1\n  d: 2\ne: 3 # not so\n")); fmt.Sprint(silent) != "[b.d e]" {
		t.Errorf("found %v", silent)
	}
}

func uncommented(t *testing.T, text []byte) []string {
	t.Helper()
	var document goyaml.Node
	if err := goyaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	var silent []string
	var look func(at place, node *goyaml.Node)
	look = func(at place, node *goyaml.Node) {
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			here := append(slices.Clone(at), key.Value)
			switch {
			case strings.Contains(key.HeadComment, "# -- "):
			case value.Kind == goyaml.MappingNode && len(value.Content) > 0:
				look(here, value)
			default:
				silent = append(silent, here.String())
			}
		}
	}
	look(nil, document.Content[0])
	return silent
}

// KEDA asks for a consumer by name, and of one that there is not it says only that nothing waits.
func TestKEDALooksAtEachDurable(t *testing.T) {
	code := string(file(t, "../pkg/stream/subject.go"))
	stream := regexp.MustCompile(`const Name = "(.+)"`).FindStringSubmatch(code)
	prefix := regexp.MustCompile(`const durablePrefix = "(.+)"`).FindStringSubmatch(code)
	if stream == nil || prefix == nil {
		t.Fatal("pkg/stream says otherwise now what streams and durables are called")
	}
	all := values(t, "ingest", "everything")
	var got, want []string
	for _, o := range of[*ScaledObject](rendered(t, helms["Helm 4"], release{chart: "ingest", name: "ingest"}, all)) {
		for _, trigger := range o.Spec.Triggers {
			if trigger.Type == "nats-jetstream" {
				got = append(got, trigger.Metadata["stream"]+" "+trigger.Metadata["consumer"])
			}
		}
	}
	partitions, counted := all["partitions"].(float64)
	if !counted {
		t.Fatalf("%v partitions", all["partitions"])
	}
	for partition := range int(partitions) {
		want = append(want, stream[1]+" "+prefix[1]+strconv.Itoa(partition))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("durables (-want +got):\n%s", diff)
	}
}

// The broker's values and ingest's are about the same stream.
func TestValuesForTheBroker(t *testing.T) {
	var broker struct {
		Config struct {
			Cluster struct {
				Enabled  bool `json:"enabled"`
				Replicas int  `json:"replicas"`
			} `json:"cluster"`
			JetStream struct {
				Enabled   bool `json:"enabled"`
				FileStore struct {
					PVC struct {
						Size string `json:"size"`
					} `json:"pvc"`
				} `json:"fileStore"`
				Merge map[string]string `json:"merge"`
			} `json:"jetstream"`
		} `json:"config"`
		Service struct {
			Ports map[string]struct {
				Enabled bool `json:"enabled"`
			} `json:"ports"`
		} `json:"service"`
	}
	if err := yaml.Unmarshal(file(t, "helm/values-nats.yaml"), &broker); err != nil {
		t.Fatal(err)
	}
	var ingest struct {
		Stream struct {
			Replicas     int     `json:"replicas"`
			MaxGibibytes float64 `json:"maxGibibytes"`
		} `json:"stream"`
	}
	if err := yaml.Unmarshal(file(t, "helm/ingest/values.yaml"), &ingest); err != nil {
		t.Fatal(err)
	}
	var size float64
	if _, err := fmt.Sscanf(broker.Config.JetStream.FileStore.PVC.Size, "%gGi", &size); err != nil {
		t.Fatal(err)
	}
	switch {
	case !broker.Config.Cluster.Enabled || broker.Config.Cluster.Replicas < ingest.Stream.Replicas:
		t.Error("fewer brokers than copies")
	case !broker.Config.JetStream.Enabled || broker.Config.JetStream.Merge["sync_interval"] != "always":
		t.Error("what is acknowledged may be lost with the power")
	case size <= ingest.Stream.MaxGibibytes:
		t.Errorf("a disk of %g GiB for a stream of %g", size, ingest.Stream.MaxGibibytes)
	case !broker.Service.Ports["monitor"].Enabled:
		t.Error("nobody can ask whether writes are synced")
	}
}
