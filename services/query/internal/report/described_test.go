package report_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"coworking/services/query/internal/api"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What a client is told of an answer is what it gets: the answers to a report's
// example, and to each choice that a parameter leaves beside it, are as OpenAPI says.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	compiler := description(t)
	worlds := map[string]*pgxpool.Pool{}
	for _, r := range report.Catalogue {
		world := worldOf(t, worlds, r.Name)
		t.Run(r.Name, func(t *testing.T) {
			handler := serve(world, noon)
			schema := compiler.MustCompile("openapi.json#/components/schemas/" + typeName(r.Name) + "Answer")
			for _, query := range choices(t, r) {
				response := ask(handler, r.Name+"?"+query)
				if response.Code != http.StatusOK {
					t.Errorf("%s: %d %s", query, response.Code, response.Body)
					continue
				}
				if err := holds(schema, response.Body.String()); err != nil {
					t.Errorf("%s: %v", query, err)
				}
			}
		})
	}
}

// description is the schemas of the OpenAPI document, formats and all.
func description(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	body, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	return compiler
}

// choices is the queries that are asked: the example's, and the same with each value
// of each parameter that names its values.
func choices(t *testing.T, r report.Report) []string {
	t.Helper()
	queries := []string{r.Example}
	for _, p := range r.Params {
		values := p.Enum
		switch p.Type {
		case "boolean":
			values = []string{"true", "false"}
		case "zone":
			values = []string{"Asia/Kathmandu"}
		case "integer":
			values = []string{fmt.Sprint(p.Least), fmt.Sprint(p.Most)}
		}
		for _, value := range values {
			query, err := url.ParseQuery(r.Example)
			if err != nil {
				t.Fatal(err)
			}
			switch p.Name {
			case "period":
				query.Del("from")
				query.Del("to")
			case "match":
				query.Set("compare", "previous_period")
			}
			query.Set(p.Name, value)
			queries = append(queries, query.Encode())
		}
	}
	return queries
}

// holds says what of a body is not as a schema says.
func holds(schema *jsonschema.Schema, body string) error {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// typeName is a report's name as its schemas are called: DailyUsage.
func typeName(report string) string {
	words := strings.Split(report, "_")
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// A description that everything fits describes nothing.
func TestOtherAnswersAreNotAsDescribed(t *testing.T) {
	schema := description(t).MustCompile("openapi.json#/components/schemas/HourlyUsageAnswer")
	example, err := report.HourlyUsage.ExampleAnswer()
	if err != nil {
		t.Fatal(err)
	}
	if err := holds(schema, string(example)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][]string{
		"a column too many":          {`"arrivals":0,`, `"arrivals":0,"heads":0,`},
		"one too few":                {`"arrivals":0,`, ``},
		"a figure in words":          {`"arrivals":0,`, `"arrivals":"none",`},
		"a part of a visit":          {`"arrivals":0,`, `"arrivals":0.5,`},
		"null where it cannot be":    {`"local":"2026-03-31T00:00"`, `"local":null`},
		"an instant without a zone":  {`"start":"2026-03-30T22:00:00Z"`, `"start":"2026-03-30T22:00:00"`},
		"a nested column, joined":    {`"departures":{"explicit":0,"estimated":0}`, `"departures_explicit":0,"departures_estimated":0`},
		"a nested one too many":      {`"departures":{`, `"departures":{"in_anger":0,`},
		"no totals":                  {`"totals":{`, `"total":{`},
		"an interval nobody knows":   {`"interval":"hour"`, `"interval":"century"`},
		"a group of nothing we know": {`{"start":`, `{"weather":"fair","start":`},
		"filters that are no lists":  {`"filters":{"space":["berlin"]}`, `"filters":{"space":"berlin"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(string(example), change[0]) {
				t.Fatalf("the example has no %s", change[0])
			}
			if holds(schema, strings.Replace(string(example), change[0], change[1], 1)) == nil {
				t.Error("nobody noticed")
			}
		})
	}
}
