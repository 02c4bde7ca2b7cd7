package tests

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
)

// What makes the client, and what it is made on. It is a tool: no module here needs
// it.
const (
	clientMaker   = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"
	clientRuntime = "github.com/oapi-codegen/runtime v1.8.0"
)

// A client that is made from the description alone reads every report, of a service
// that runs, and the examples that have something in every column.
func TestAClientIsMadeFromTheDescription(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	if out, err := s.tool(checkIns(0, 7), "publish", "-"); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	s.counted(7)
	document := get(s.query + "/openapi.json")
	asked := operations(t, document)
	if len(asked) == 0 {
		t.Fatalf("no report is described: %s", document)
	}

	dir := t.TempDir()
	writeFile(t, dir, "openapi.json", document)
	writeFile(t, dir, "go.mod", "module client\n\ngo 1.26.0\n\nrequire "+clientRuntime+"\n")
	run := func(name string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), asBuilt, "GOWORK=off", "GOFLAGS=-mod=mod -trimpath")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run("go", "run", stripped, clientMaker, "-generate", "types,client", "-package", "main", "-o", "client.go", "openapi.json")
	var program strings.Builder
	if err := template.Must(template.New("").Parse(clientProgram)).Execute(&program, asked); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "main.go", program.String())
	run("go", "mod", "tidy")
	run("go", "build", stripped, "-o", "client", ".")
	out := run(filepath.Join(dir, "client"), s.query, filepath.Join(dir, "openapi.json"))
	for _, o := range asked {
		if !strings.Contains(out, o.ID+": read\n") {
			t.Errorf("%s was not read:\n%s", o.ID, out)
		}
	}
	if !strings.Contains(out, "7 check-ins\n") {
		t.Errorf("of seven check-ins the client says:\n%s", out)
	}
}

// operation is a report as the description says it.
type operation struct{ ID, Name, Path, Query string }

// operations is every report that a description tells of, with the parameters of its
// example that are of no space and no time.
func operations(t *testing.T, document string) []operation {
	t.Helper()
	var described struct {
		Paths map[string]struct {
			Get struct {
				OperationID string `json:"operationId"`
				Responses   map[string]struct {
					Content map[string]struct {
						Examples map[string]struct{ Summary string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(document), &described); err != nil {
		t.Fatal(err)
	}
	var found []operation
	for path, item := range described.Paths {
		example, isReport := item.Get.Responses["200"].Content["application/json"].Examples["example"]
		if !isReport {
			continue
		}
		address, err := url.Parse(example.Summary)
		if err != nil {
			t.Fatal(err)
		}
		query := address.Query()
		for _, name := range []string{"space", "from", "to"} {
			query.Del(name)
		}
		if query.Has("member") {
			query.Set("member", "0") // who has checked in here
		}
		id := item.Get.OperationID
		found = append(found, operation{id, strings.ToUpper(id[:1]) + id[1:], path, query.Encode()})
	}
	slices.SortFunc(found, func(a, b operation) int { return strings.Compare(a.ID, b.ID) })
	return found
}

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// clientProgram asks each report of a service, and reads each example of a description.
const clientProgram = `package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

var document struct {
	Paths map[string]struct {
		Get struct {
			Responses map[string]struct {
				Content map[string]struct {
					Examples map[string]struct{ Value json.RawMessage }
				}
			}
		}
	}
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	must(err)
	must(json.Unmarshal(text, &document))
	client, err := NewClientWithResponses(os.Args[1])
	must(err)
	ctx := context.Background()
{{range .}}
	{
		answer, err := client.{{.Name}}WithResponse(ctx, &{{.Name}}Params{}, query({{printf "%q" .Query}}))
		must(err)
		if answer.JSON200 == nil || answer.JSON200.Data == nil || answer.JSON200.Meta.Schema == 0 {
			panic("{{.ID}}: " + answer.Status() + string(answer.Body))
		}
		example[{{.Name}}Answer]("{{.Path}}")
		fmt.Println("{{.ID}}: read")
	}
{{end}}
	from, to, space := "2026-03-02", "2026-03-03", []string{"soho"}
	answer, err := client.DailyUsageWithResponse(ctx, &DailyUsageParams{From: &from, To: &to, Space: &space})
	must(err)
	fmt.Println(*answer.JSON200.Totals.Checkins, "check-ins")

	nowhere := []string{"nowhere"}
	problem, err := client.DailyUsageWithResponse(ctx, &DailyUsageParams{Space: &nowhere})
	must(err)
	if problem.ApplicationproblemJSON404 == nil || problem.ApplicationproblemJSON404.Code != "space_not_found" {
		panic(string(problem.Body))
	}
}

// query asks with these parameters, too.
func query(text string) RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		request.URL.RawQuery = text
		return nil
	}
}

// example reads the example of a path, which may hold nothing that the type has not.
func example[Answer any](path string) {
	decoder := json.NewDecoder(bytes.NewReader(document.Paths[path].Get.Responses["200"].Content["application/json"].Examples["example"].Value))
	decoder.DisallowUnknownFields()
	must(decoder.Decode(new(Answer)))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
`
