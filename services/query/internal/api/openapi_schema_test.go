package api

import (
	"bytes"
	"encoding/json"
	"testing"

	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// wild is a row with every way to nest there is.
type wild struct {
	Cohort  string           `json:"cohort" doc:"a"`
	Ways    ways             `json:"ways"`
	Periods []period         `json:"periods" doc:"b"`
	Reasons []string         `json:"reasons" doc:"c"`
	Letters map[string]int64 `json:"letters" unit:"letters" doc:"d"`
}

type ways struct {
	By struct {
		Door *int64 `json:"door" doc:"e"`
		Lift bool   `json:"lift_b" doc:"f"`
	} `json:"by_foot"`
	Other int64 `json:"other" doc:"g"`
}

type period struct {
	K   int64        `json:"k" unit:"weeks" doc:"h"`
	Pct *report.Mean `json:"pct" doc:"i"`
	In  struct {
		N int64 `json:"n" doc:"j"`
	} `json:"in"`
}

// Whatever a row nests, its schema fits its JSON, and its table names it as JSON does.
func TestSchemasNestAsRowsDo(t *testing.T) {
	t.Parallel()
	object := objectOf(report.ColumnsOf[wild]())
	described, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(described))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("wild.json", document); err != nil {
		t.Fatal(err)
	}
	schema := compiler.MustCompile("wild.json")
	fits := func(row any) error {
		body, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	well := wild{Periods: []period{{K: 1}, {}}, Reasons: []string{"x"}, Letters: map[string]int64{"y": 2}}
	if err := fits(well); err != nil {
		t.Error(err)
	}
	for name, ill := range map[string]any{
		"no list":   wild{Reasons: []string{}, Letters: map[string]int64{}},
		"no counts": wild{Periods: []period{}, Reasons: []string{}},
		"more": struct {
			wild

			More int `json:"more"`
		}{well, 1},
	} {
		if fits(ill) == nil {
			t.Errorf("%s: it fits", name)
		}
	}

	var names []string
	for _, line := range fieldsTable("", object).Fields {
		names = append(names, line.Name+" "+line.Type)
	}
	want := []string{
		"cohort text", "ways.by_foot.door integer", "ways.by_foot.lift_b boolean", "ways.other integer",
		"periods list of object", "periods[].k integer", "periods[].pct number", "periods[].in.n integer",
		"reasons list of text", "letters integer for each name",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
