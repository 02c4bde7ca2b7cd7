package tests

import (
	"fmt"
	"go/ast"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// habits are what the repository promises of itself, each as a function from the
// tree to the sentences that say where the promise is broken.
var habits = map[string]func(fs.FS) []string{
	"each package says once what it is":                   packageComments,
	"each .sql file is used":                              unusedSQL,
	"each report is in the catalogue":                     unlistedReports,
	"only boot and test rooms read the environment":       environmentReaders,
	"packages that start goroutines look for leaks":       unwatchedGoroutines,
	"modules agree on Go and replace only one another":    strayModules,
	"each make target has its line and can be called":     silentTargets,
	"documents name only targets and files that exist":    deadReferences,
	"nothing is left for later, skipped or slept through": leftovers,
	"no two advisory locks are one":                       sharedLocks,
	"no file has both sides of a merge":                   halfMerged,
}

func TestHabitsAreKept(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	for habit, broken := range habits {
		t.Run(habit, func(t *testing.T) { report(t, broken(repo)) })
	}
}

// A habit that cannot be broken promises nothing: each is broken here.
func TestBrokenHabitsAreFound(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		repo fstest.MapFS
		want []string
	}{
		"each package says once what it is": {
			repo: fstest.MapFS{
				"mute/a.go":       source("package mute"),
				"twice/a.go":      source("// Package twice is one thing.\npackage twice"),
				"twice/b.go":      source("// Package twice is another.\npackage twice"),
				"sound/a.go":      source("// Package sound is fine.\npackage sound"),
				"sound/b.go":      source("package sound"),
				"tests/a_test.go": source("// Package tests has tests alone.\npackage tests"),
			},
			want: []string{"mute: 0 package comments", "twice: 2 package comments"},
		},
		"each .sql file is used": {
			repo: fstest.MapFS{
				"store/a.go":          source("package store\n//go:embed sql/used.sql\nvar used string\n//go:embed sql/idle.sql\nvar idle string\nvar _ = used"),
				"store/sql/used.sql":  source("select 1"),
				"store/sql/idle.sql":  source("select 2"),
				"store/sql/lost.sql":  source("select 3"),
				"report/a.go":         source("package report\n//go:embed *.sql\nvar all embed.FS\nvar _ = define(\"daily\")"),
				"report/daily.sql":    source("select 4"),
				"report/hourly.sql":   source("select 5"),
				"migrations/m.go":     source("package migrations\n//go:embed *.sql\nvar FS embed.FS"),
				"migrations/1.up.sql": source("create table t ()"),
			},
			want: []string{
				"report/hourly.sql: embedded, but nothing in report names it",
				"store/sql/idle.sql: idle is embedded, but never run",
				"store/sql/lost.sql: embedded nowhere",
			},
		},
		"each report is in the catalogue": {
			repo: fstest.MapFS{
				"services/query/internal/report/a.go":         source("package report\nvar Daily = define[int, int](\"daily\")\nvar Hourly = define[int, int](\"hourly\")"),
				"services/query/internal/report/catalogue.go": source("package report\nvar catalogue = []Report{Daily}"),
			},
			want: []string{"Hourly: defined, but not in catalogue.go"},
		},
		"only boot and test rooms read the environment": {
			repo: fstest.MapFS{
				"pkg/boot/a.go":   source(`package boot; import "os"; var _ = os.Getenv("A")`),
				"pkg/pgtest/a.go": source(`package pgtest; import "os"; var _ = os.Getenv("A")`),
				"pkg/pg/a.go":     source(`package pg; import "os"; var _, _ = os.LookupEnv("A")`),
			},
			want: []string{"pkg/pg/a.go reads the environment"},
		},
		"packages that start goroutines look for leaks": {
			repo: fstest.MapFS{
				"loose/a.go":      source("package loose; func f() { go f() }"),
				"tight/a.go":      source("package tight; func f() { go f() }"),
				"tight/a_test.go": source("package tight; func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }"),
			},
			want: []string{"loose starts goroutines, but no test there asks goleak"},
		},
		"modules agree on Go and replace only one another": {
			repo: fstest.MapFS{
				"go.work":      source("go 1.26.0\n\nuse (\n\t./pkg\n\t./gone\n)\n"),
				"pkg/go.mod":   source("module coworking/pkg\n\ngo 1.26.0\n\nreplace example.org/x => /home/me/x\n"),
				"fresh/go.mod": source("module coworking/fresh\n\ngo 1.27.0\n\nrequire coworking/pkg v0.0.0\n"),
			},
			want: []string{
				"fresh/go.mod: go 1.27.0, go.work says 1.26.0",
				"fresh/go.mod: not in go.work",
				"fresh/go.mod: requires coworking/pkg without replacing it by its folder",
				"go.work: ./gone is no module",
				"pkg/go.mod: replaces example.org/x by /home/me/x: only our own modules, by relative paths",
			},
		},
		"each make target has its line and can be called": {
			repo: fstest.MapFS{"Makefile": source("build: ## Builds\n\ttrue\nsecret:\n\ttrue\nbin/x: build\n\ttrue\n.PHONY: build\n")},
			want: []string{"Makefile: secret has no ## line", "Makefile: secret is not .PHONY"},
		},
		"documents name only targets and files that exist": {
			repo: fstest.MapFS{
				"Makefile":  source("build: ## Builds\n"),
				"README.md": source("`make build`, `make hay`, [here](README.md#top), [there](docs/gone.md), [far](https://example.org)\n"),
			},
			want: []string{"README.md: docs/gone.md does not exist", "README.md: there is no `make hay`"},
		},
		"nothing is left for later, skipped or slept through": {
			repo: fstest.MapFS{
				"a.go":      source("package a // TO" + "DO: all of it"),
				"a_test.go": source("package a; func TestA(t *testing.T) { t.Sk" + "ip(); time.Sl" + "eep(1) }"),
			},
			want: []string{"a.go: TO" + "DO", "a_test.go: skips", "a_test.go: sleeps"},
		},
		"no two advisory locks are one": {
			repo: fstest.MapFS{
				"a.go": source("package a; const writing int64 = 0x636f776f726b_01"),
				"b.go": source("package b; const migrating int64 = 0x636f776f726b_02"),
				"c.go": source("package c; const logging int64 = 0x636f776f726b_02"),
			},
			want: []string{"b.go, c.go: 0x636f776f726b_02"},
		},
		"no file has both sides of a merge": {
			repo: fstest.MapFS{
				"ARCHITECTURE.md": source("Title\n=======\n\n<<<<<<" + "< HEAD\nthis\n=======\nthat\n>>>>>>" + "> main\n"),
				"README.md":       source("Title\n=======\n"),
			},
			want: []string{"ARCHITECTURE.md: merged by half"},
		},
	}
	for habit, broken := range habits {
		t.Run(habit, func(t *testing.T) {
			c, ok := cases[habit]
			if !ok {
				t.Fatal("nobody broke it")
			}
			if diff := cmp.Diff(c.want, slices.Sorted(slices.Values(broken(c.repo)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// packageComments counts what go doc would show: production files, and tests
// where there is nothing else.
func packageComments(repo fs.FS) []string {
	var broken []string
	for folder, files := range packages(repo) {
		production := slices.ContainsFunc(files, func(file goFile) bool { return !file.test })
		comments := 0
		for _, file := range files {
			if file.tree.Doc != nil && file.test != production {
				comments++
			}
		}
		if comments != 1 {
			broken = append(broken, fmt.Sprintf("%s: %d package comments", folder, comments))
		}
	}
	return broken
}

// unusedSQL asks of each statement that a package embeds it and, but for the
// migrations, which are run all, names it: by the variable it is embedded in, or
// by its file name.
func unusedSQL(repo fs.FS) []string {
	var broken []string
	folders := packages(repo)
	for _, name := range named(repo, ".sql") {
		if strings.HasPrefix(name, "migrations/") || strings.Contains(name, "/testdata/") {
			continue
		}
		folder := path.Dir(name)
		for len(folders[folder]) == 0 && folder != "." {
			folder = path.Dir(folder)
		}
		variable, embedded := embeddedIn(folders[folder], strings.TrimPrefix(name, folder+"/"))
		word := strings.TrimSuffix(path.Base(name), ".sql")
		switch {
		case !embedded:
			broken = append(broken, name+": embedded nowhere")
		case variable != "" && mentions(folders[folder], variable) < 2:
			broken = append(broken, fmt.Sprintf("%s: %s is embedded, but never run", name, variable))
		case variable == "" && mentions(folders[folder], word) == 0:
			broken = append(broken, fmt.Sprintf("%s: embedded, but nothing in %s names it", name, folder))
		}
	}
	return broken
}

// embeddedIn finds the directive that embeds a file: the variable's name if the
// file is all it holds, "" if it holds a folder of them.
func embeddedIn(files []goFile, name string) (variable string, embedded bool) {
	for _, file := range files {
		for _, declaration := range file.tree.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				value, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				doc := value.Doc
				if doc == nil {
					doc = group.Doc
				}
				for _, pattern := range embedPatterns(doc) {
					if pattern == name {
						return value.Names[0].Name, true
					}
					if whole, _ := path.Match(pattern, name); whole || strings.HasPrefix(name, pattern+"/") {
						return "", true
					}
				}
			}
		}
	}
	return "", false
}

func embedPatterns(doc *ast.CommentGroup) []string {
	if doc == nil {
		return nil
	}
	var patterns []string
	for _, line := range doc.List {
		if list, ok := strings.CutPrefix(line.Text, "//go:embed "); ok {
			patterns = append(patterns, strings.Fields(list)...)
		}
	}
	return patterns
}

// mentions is how often production code says a word, alone or as a file name.
func mentions(files []goFile, word string) int {
	n := 0
	for _, file := range files {
		if !file.test {
			n += file.count(word) + file.count(word+".sql") + file.count("sql/"+word+".sql")
		}
	}
	return n
}

// unlistedReports asks that each variable made by define stands in catalogue.go.
func unlistedReports(repo fs.FS) []string {
	const room = "services/query/internal/report"
	var catalogue goFile
	var reports []string
	for _, file := range packages(repo)[room] {
		if path.Base(file.path) == "catalogue.go" {
			catalogue = file
		}
		if file.test {
			continue
		}
		for _, declaration := range file.tree.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				if value, ok := spec.(*ast.ValueSpec); ok && len(value.Values) == 1 && calls(value.Values[0], "define") {
					reports = append(reports, value.Names[0].Name)
				}
			}
		}
	}
	if catalogue.tree == nil || len(reports) == 0 {
		return []string{room + ": no catalogue.go, or nothing defined"}
	}
	var broken []string
	for _, name := range reports {
		if !catalogue.says(name) {
			broken = append(broken, name+": defined, but not in catalogue.go")
		}
	}
	return broken
}

// calls says whether an expression is a call of a function of this name, generic or not.
func calls(expression ast.Expr, name string) bool {
	call, ok := expression.(*ast.CallExpr)
	if !ok {
		return false
	}
	function := call.Fun
	switch generic := function.(type) {
	case *ast.IndexExpr:
		function = generic.X
	case *ast.IndexListExpr:
		function = generic.X
	}
	called, ok := function.(*ast.Ident)
	return ok && called.Name == name
}

func environmentReaders(repo fs.FS) []string {
	var broken []string
	for _, file := range goFiles(repo) {
		folder := path.Dir(file.path)
		if file.test || folder == "pkg/boot" || testRoom("coworking/"+folder) {
			continue
		}
		if file.uses("os", "Getenv", "LookupEnv", "ExpandEnv") > 0 {
			broken = append(broken, file.path+" reads the environment")
		}
	}
	return broken
}

func unwatchedGoroutines(repo fs.FS) []string {
	var broken []string
	for folder, files := range packages(repo) {
		starts, watched := false, false
		for _, file := range files {
			watched = watched || file.test && (file.uses("goleak", "VerifyTestMain") > 0 || file.uses("pgtest", "VerifyTestMain") > 0)
			starts = starts || !file.test && startsGoroutine(file)
		}
		if starts && !watched {
			broken = append(broken, folder+" starts goroutines, but no test there asks goleak")
		}
	}
	return broken
}

func startsGoroutine(file goFile) bool {
	found := false
	ast.Inspect(file.tree, func(node ast.Node) bool {
		_, ok := node.(*ast.GoStmt)
		found = found || ok
		return !found
	})
	return found
}

var (
	goLine      = regexp.MustCompile(`(?m)^go (\S+)$`)
	useLine     = regexp.MustCompile(`(?m)^(?:use)?\s+(\./\S+)$`)
	requireLine = regexp.MustCompile(`(?m)^(?:require)?\s+(coworking/\S+) v`)
	replaceLine = regexp.MustCompile(`(?m)^(?:replace)?\s*(\S+)(?: v\S+)? => (\S+)`)
)

func strayModules(repo fs.FS) []string {
	var broken []string
	work := text(repo, "go.work")
	version := goLine.FindStringSubmatch(work)[1]
	used := map[string]bool{}
	for _, line := range useLine.FindAllStringSubmatch(work, -1) {
		folder := path.Clean(line[1])
		used[folder] = true
		if _, err := fs.Stat(repo, folder+"/go.mod"); err != nil {
			broken = append(broken, fmt.Sprintf("go.work: %s is no module", line[1]))
		}
	}
	for _, name := range named(repo, "go.mod") {
		folder, body := path.Dir(name), text(repo, name)
		if !used[folder] {
			broken = append(broken, name+": not in go.work")
		}
		if own := goLine.FindStringSubmatch(body)[1]; own != version {
			broken = append(broken, fmt.Sprintf("%s: go %s, go.work says %s", name, own, version))
		}
		replaced := map[string]bool{}
		for _, line := range replaceLine.FindAllStringSubmatch(body, -1) {
			if ours := strings.TrimPrefix(line[1], "coworking/"); !strings.HasPrefix(line[2], ".") || path.Join(folder, line[2]) != ours {
				broken = append(broken, fmt.Sprintf("%s: replaces %s by %s: only our own modules, by relative paths", name, line[1], line[2]))
			}
			replaced[line[1]] = true
		}
		for _, line := range requireLine.FindAllStringSubmatch(body, -1) {
			if !replaced[line[1]] {
				broken = append(broken, fmt.Sprintf("%s: requires %s without replacing it by its folder", name, line[1]))
			}
		}
	}
	return broken
}

var (
	targetLine = regexp.MustCompile(`(?m)^([a-z][a-z-]*):[^=\n]*$`)
	phonyLine  = regexp.MustCompile(`(?m)^\.PHONY: (.*)$`)
)

func silentTargets(repo fs.FS) []string {
	var broken []string
	makefile := text(repo, "Makefile")
	phony := strings.Fields(phonyLine.FindStringSubmatch(makefile)[1])
	for _, line := range targetLine.FindAllStringSubmatch(makefile, -1) {
		if !strings.Contains(line[0], " ## ") {
			broken = append(broken, fmt.Sprintf("Makefile: %s has no ## line", line[1]))
		}
		if !slices.Contains(phony, line[1]) {
			broken = append(broken, fmt.Sprintf("Makefile: %s is not .PHONY", line[1]))
		}
	}
	return broken
}

var (
	makeCall = regexp.MustCompile("`make ([a-z-]+)|(?m)^(?:step )?make ([a-z-]+)")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

func deadReferences(repo fs.FS) []string {
	targets := map[string]bool{}
	for _, line := range targetLine.FindAllStringSubmatch(text(repo, "Makefile"), -1) {
		targets[line[1]] = true
	}
	broken := map[string]bool{}
	for _, name := range append(named(repo, ".md"), named(repo, ".ci/run")...) {
		body := text(repo, name)
		for _, call := range makeCall.FindAllStringSubmatch(body, -1) {
			if target := call[1] + call[2]; !targets[target] {
				broken[fmt.Sprintf("%s: there is no `make %s`", name, target)] = true
			}
		}
		for _, reference := range link.FindAllStringSubmatch(body, -1) {
			file, _, _ := strings.Cut(reference[1], "#")
			if file == "" || strings.Contains(file, "://") || strings.HasPrefix(file, "mailto:") {
				continue
			}
			if _, err := fs.Stat(repo, path.Join(path.Dir(name), file)); err != nil {
				broken[fmt.Sprintf("%s: %s does not exist", name, file)] = true
			}
		}
	}
	return slices.Collect(maps.Keys(broken))
}

var later = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b`)

func leftovers(repo fs.FS) []string {
	var broken []string
	for _, file := range goFiles(repo) {
		for _, group := range file.tree.Comments {
			if word := later.FindString(group.Text()); word != "" {
				broken = append(broken, file.path+": "+word)
			}
		}
		if file.test && file.uses("t", "Skip", "Skipf", "SkipNow") > 0 {
			broken = append(broken, file.path+": skips")
		}
		if file.test && file.uses("time", "Sleep") > 0 {
			broken = append(broken, file.path+": sleeps")
		}
	}
	return broken
}

// An advisory lock is "cowork" in ASCII and a number: whoever takes another's would
// wait for them for no reason, or never get it.
var advisoryLock = regexp.MustCompile(`^0x636f776f726b_\w+$`)

func sharedLocks(repo fs.FS) []string {
	takers := map[string][]string{}
	for _, file := range goFiles(repo) {
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && advisoryLock.MatchString(literal.Value) {
				takers[literal.Value] = append(takers[literal.Value], file.path)
			}
			return true
		})
	}
	var broken []string
	for lock, files := range takers {
		if len(files) > 1 {
			broken = append(broken, strings.Join(slices.Sorted(slices.Values(files)), ", ")+": "+lock)
		}
	}
	return broken
}

var mergeSide = regexp.MustCompile(`(?m)^(<{7}|>{7}) `)

func halfMerged(repo fs.FS) []string {
	var broken []string
	for _, name := range named(repo, "") {
		if mergeSide.MatchString(text(repo, name)) {
			broken = append(broken, name+": merged by half")
		}
	}
	return broken
}
