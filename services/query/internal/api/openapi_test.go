package api_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/pgtest"
	"coworking/services/query/internal/api"
	"coworking/services/query/internal/report"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "rewrite the kept description; the diff is the review")

// kept is the copy of the description that clients are made from.
const kept = "../../openapi.json"

func TestTheDescriptionIsTheOneThatIsKept(t *testing.T) {
	response := ask(serve(func(*api.Config) {}), http.MethodGet, "/openapi.json")
	if response.Code != http.StatusOK || response.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v", response.Code, response.Header())
	}
	if *update {
		if err := os.WriteFile(kept, response.Body.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(response.Body.String(), "\n")); diff != "" {
		t.Errorf("make openapi writes it anew (-kept +catalogue):\n%s", diff)
	}
	tag := response.Header().Get("ETag")
	if again := ask(serve(func(*api.Config) {}), http.MethodGet, "/openapi.json", "If-None-Match", tag); tag == "" || again.Code != http.StatusNotModified {
		t.Errorf("tagged %q, it is sent again: %d", tag, again.Code)
	}
}

// described is the description as a client reads it.
func described(t *testing.T) *openapi3.T {
	t.Helper()
	body, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(body)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestTheDescriptionIsOpenAPI(t *testing.T) {
	document := described(t)
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	seen := map[string]bool{}
	for path, item := range document.Paths.Map() {
		if seen[item.Get.OperationID] {
			t.Errorf("%s: %s is two operations", path, item.Get.OperationID)
		}
		seen[item.Get.OperationID] = true
	}
}

// It is the router that says which addresses there are, so that one that nobody
// described is found here.
func TestEveryAddressIsDescribed(t *testing.T) {
	document := described(t)
	want := []string{}
	router, _ := serve(func(*api.Config) {}).(*echo.Echo)
	for _, route := range router.Routes() {
		switch {
		case route.Method != http.MethodGet:
		case route.Path == "/api/v1/reports/:report":
			for _, r := range report.Catalogue {
				want = append(want, "/api/v1/reports/"+r.Name)
			}
		case strings.Contains(route.Path, ":"):
			before, name, _ := strings.Cut(route.Path, ":")
			want = append(want, before+"{"+name+"}")
		default:
			want = append(want, route.Path)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(document.Paths.Keys()))); diff != "" {
		t.Errorf("(-routed +described):\n%s", diff)
	}
}

// What an operation says it needs is what it asks for.
func TestOperationsSayWhatTheyNeed(t *testing.T) {
	t.Parallel()
	handler, pool := guarded(t, func(*api.Config) {})
	for path, item := range described(t).Paths.Map() {
		address := strings.ReplaceAll(path, "{report}", report.Catalogue[0].Name)
		needed := map[string]bool{}
		for _, requirement := range *item.Get.Security {
			for _, scopes := range requirement {
				needed[scopes[0]] = true
			}
		}
		if len(needed) == 0 {
			if got := ask(handler, http.MethodGet, address); got.Code == http.StatusUnauthorized {
				t.Errorf("%s asks for a key, and nobody said so", path)
			}
			continue
		}
		for _, scope := range key.Scopes() {
			got := ask(handler, http.MethodGet, address, "Authorization", keyFor(t, pool, nil, scope))
			if may := needed[string(scope)] || scope == key.Admin; may != (got.Code != http.StatusForbidden) {
				t.Errorf("%s with %s: %d", path, scope, got.Code)
			}
		}
	}
}

// schemas are those of the description by their names, which formats are part of.
func schemas(t *testing.T) func(name string) *jsonschema.Schema {
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
	return func(name string) *jsonschema.Schema {
		schema, err := compiler.Compile("openapi.json#/components/schemas/" + name) // it keeps what it compiled
		if err != nil {
			t.Fatal(err)
		}
		return schema
	}
}

// holds says what of a body is not as a schema says.
func holds(schema *jsonschema.Schema, body string) error {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func TestProblemsAreAsDescribed(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	open := serve(func(c *api.Config) { c.Reports = report.NewReader(pool) })
	limited, keys := guarded(t, func(c *api.Config) { c.Rate = api.Rate{PerSecond: 0.001, Burst: 1} })
	failing := func(err error) http.Handler {
		return serve(func(c *api.Config) {
			c.Reports = answers(func(context.Context) (report.Answer, error) { return report.Answer{}, err })
		})
	}
	events := keyFor(t, keys, nil, key.WriteEvents)
	cases := map[string]struct {
		handler       http.Handler
		address, held string // the key that is shown
		schema        string
	}{
		"a bad value":          {open, "/api/v1/reports/daily_usage?limit=0", "", "BadRequest"},
		"an unknown parameter": {open, "/api/v1/reports/daily_usage?x=1", "", "BadRequest"},
		"an unknown space":     {open, "/api/v1/reports/daily_usage?space=x", "", "NotFound"},
		"an unknown report":    {open, "/api/v1/reports/x", "", "NotFound"},
		"an unknown page":      {open, "/docs/reports/x", "", "NotFound"},
		"no key":               {limited, "/api/v1/reports", "", "Unauthorized"},
		"the wrong scope":      {limited, "/api/v1/reports", events, "Forbidden"},
		"a fault of ours":      {failing(errors.New("secret")), "/api/v1/reports/daily_usage", "", "InternalServerError"},
		"no database":          {failing(fault.Unavailable.Errorf("secret")), "/api/v1/reports/daily_usage", "", "ServiceUnavailable"},
		"too many questions":   {limited, "/api/v1/reports", events, "TooManyRequests"},
	}
	named := schemas(t)
	for _, name := range slices.Sorted(maps.Keys(cases)) { // in order: that it is too many comes after the first
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			response := ask(c.handler, http.MethodGet, c.address, "Authorization", c.held)
			for _, schema := range []string{c.schema, "Problem"} {
				if err := holds(named(schema), response.Body.String()); err != nil {
					t.Errorf("%s: %v", response.Body, err)
				}
			}
		})
	}
}
