package aws

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// said is a line that the services write: its level, its message and its fields, as
// the code has them. A field's value is one that its kind could have.
type said struct {
	level, message string
	fields         map[string]any
	plain          string // the whole line, of what is no service and writes no JSON
}

// lines are all that the code of both services can say, read from the source.
func lines(t *testing.T) []said {
	t.Helper()
	var all []said
	for _, folder := range []string{"services/ingest", "services/query", "pkg/boot", "pkg/stream", "pkg/pg"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				switch node := node.(type) {
				case *ast.CallExpr:
					if level := levels[nameOf(node.Fun)]; level != "" && len(node.Args) > 0 {
						all = append(all, line(level, node.Args[0], node.Args[1:])...)
					}
				case *ast.IfStmt:
					all = append(all, checked(node)...)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

var levels = map[string]string{"Debug": "debug", "Info": "info", "Warn": "warn", "Error": "error"}

// checked reads if entry := log.Check(level, "message"); entry != nil { entry.Write(zap.…) },
// which is at the level info unless a probe asks.
func checked(branch *ast.IfStmt) (found []said) {
	begin, ok := branch.Init.(*ast.AssignStmt)
	if !ok {
		return nil
	}
	check, ok := begin.Rhs[0].(*ast.CallExpr)
	if !ok || nameOf(check.Fun) != "Check" || len(check.Args) != 2 {
		return nil
	}
	ast.Inspect(branch.Body, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && nameOf(call.Fun) == "Write" {
			found = append(found, line("info", check.Args[1], call.Args)...)
		}
		return true
	})
	return found
}

// line is a message with its fields, or nothing if it is none.
func line(level string, message ast.Expr, fields []ast.Expr) []said {
	text, ok := literal(message)
	if !ok {
		return nil
	}
	found := said{level: level, message: text, fields: map[string]any{}}
	for _, expression := range fields {
		field, ok := expression.(*ast.CallExpr)
		if !ok {
			return nil
		}
		kind := nameOf(field.Fun)
		switch kind {
		case "Error":
			found.fields["error"] = "why"
			continue
		case "TraceID":
			found.fields["trace_id"] = "0123"
			continue
		}
		name, ok := literal(field.Args[0])
		if !ok {
			return nil
		}
		switch kind {
		case "Int", "Int64", "Uint64":
			found.fields[name] = 1.0
		case "Duration":
			found.fields[name] = 0.25 // seconds: pkg/boot says so
		default:
			found.fields[name] = "something"
		}
	}
	return []said{found}
}

func nameOf(function ast.Expr) string {
	switch function := function.(type) {
	case *ast.SelectorExpr:
		return function.Sel.Name
	case *ast.Ident:
		return function.Name
	default:
		return ""
	}
}

func literal(expression ast.Expr) (string, bool) {
	basic, ok := expression.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	body, err := strconv.Unquote(basic.Value)
	return body, err == nil
}

// shipped is the record that Fluent Bit makes of a line, as the add-on configures it:
// Merge_Log_Key log_processed, and the text itself beside it. Read in the add-on's chart,
// https://github.com/aws-observability/helm-charts, from its first version to 6.4.0 of
// August 2026.
func shipped(body string, line map[string]any) map[string]any {
	return map[string]any{
		"time": "2026-11-23T12:32:09.079380452Z", "stream": "stdout", "_p": "F", "log": body, "log_processed": line,
		"kubernetes": map[string]any{
			"pod_name": "query-5c9c7d8b5d-x2x4z", "namespace_name": "coworking", "container_name": "query",
			"pod_id":       "01234567-89ab-cdef-0123-456789abcdef",
			"host":         "ip-10-60-100-200.ec2.internal",
			"container_id": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
			"docker_id":    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
			"container_hash": "123456789012.dkr.ecr.us-east-1.amazonaws.com/coworking/query@sha256:" +
				"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
			"container_image": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		},
	}
}

// records are what arrives of a line: once as it is, and once with numbers as large
// as they are when something is wrong.
func (s said) records(envelope []string) []map[string]any {
	if s.plain != "" {
		record := shipped(s.plain, nil)
		delete(record, "log_processed")
		object(record["kubernetes"])["container_name"] = "verify"
		return []map[string]any{record}
	}
	var all []map[string]any
	for _, number := range []float64{1, 503} {
		line := maps.Clone(s.fields)
		for name, v := range line {
			if v == 1.0 {
				line[name] = number
			}
		}
		for _, name := range envelope {
			line[name] = "something"
		}
		line["level"], line["msg"] = s.level, s.message
		all = append(all, shipped("", line))
	}
	return all
}

// ingest is a verb of the service, with nothing to reach.
func ingest(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "ingest")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, ".")
	build.Dir = filepath.Join(root, "services/ingest")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building ingest: %v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), binary, args...)
	run.Env = []string{"DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "NATS_URL=nats://127.0.0.1:1", "INTAKE_ADDR=127.0.0.1:0"}
	return run
}

// failed is what a nightly job says that ends badly: its first line, as the job's
// container writes it.
func failed(t *testing.T) said {
	t.Helper()
	if !strings.Contains(read(t, "../testdata/charts/golden/ingest.yaml"), "            name: verify\n") {
		t.Error("the chart has no container called verify")
	}
	out, err := ingest(t, "verify", "--quiet").CombinedOutput()
	first, _, _ := strings.Cut(string(out), "\n")
	if err == nil || first == "" {
		t.Errorf("without a database: %v, %s", err, out)
	}
	return said{plain: first}
}

// envelope are the fields that each line has, read from lines of a process that runs.
func envelope(t *testing.T) []string {
	t.Helper()
	run := ingest(t, "run")
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = run.Process.Kill()
		_ = run.Wait() // it was killed, and says so
	}()
	line := map[string]any{}
	reader := bufio.NewScanner(out)
	for line["msg"] != "no connection to the broker" { // which is in the source without a field but the error
		if !reader.Scan() {
			t.Fatalf("ingest ended without the line that was waited for: %v", reader.Err())
		}
		line = map[string]any{}
		if err := json.Unmarshal(reader.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", reader.Text(), err)
		}
	}
	delete(line, "error")
	names := slices.Sorted(maps.Keys(line))
	if want := []string{"level", "msg", "service", "time", "version"}; !slices.Equal(names, want) {
		t.Errorf("a line has %v, want %v", names, want)
	}
	return names
}

// at is the value at a path like log_processed.level, nil if there is none.
func at(record map[string]any, path string) any {
	var v any = record
	for name := range strings.SplitSeq(path, ".") {
		v = object(v)[name]
	}
	return v
}

func TestTheSourceIsReadAsItSpeaks(t *testing.T) {
	all := lines(t)
	for _, want := range []said{
		{level: "info", message: "request", fields: map[string]any{"status": 1.0, "took": 0.25, "path": "something", "trace_id": "0123"}},
		{level: "error", message: "no answer", fields: map[string]any{"error": "why", "code": "something"}},
		{level: "warn", message: "no connection to the broker", fields: map[string]any{"error": "why"}},
	} {
		if !slices.ContainsFunc(all, func(line said) bool {
			return line.level == want.level && line.message == want.message && contains(line.fields, want.fields)
		}) {
			t.Errorf("nothing says %s", fmt.Sprint(want))
		}
	}
}

func contains(all, some map[string]any) bool {
	for name, v := range some {
		if all[name] != v {
			return false
		}
	}
	return true
}
