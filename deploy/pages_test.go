package deploy

import (
	"fmt"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// pages are what somebody follows who deploys, line by line.
var pages = []string{
	"../docs/deploy.md", "../docs/cost.md", "../docs/images.md", "../docs/observability.md", "../docs/testing-in-a-cluster.md",
	"helm/README.md", "aws/README.md", "../docs/runbooks/*.md", "helm/*/values*.yaml", "helm/*.yaml", "aws/*.psql",
}

// stage is what commands and names on a page are held against.
type stage struct {
	// help is what a program says of a verb; empty if it has no such verb.
	help func(program string, verb []string) string
	// keys are all keys of a chart's values, as in image.tag.
	keys map[string]map[string]bool
	// objects are those that the charts make, as in deploy/ingest.
	objects map[string]bool
	// environment is what the binaries read.
	environment map[string]bool
	// metrics are those that docs/observability.md has, which another test holds.
	metrics map[string]bool
	// there says whether a file is in the repository.
	there func(name string) bool
}

func TestPagesNameWhatThereIs(t *testing.T) {
	s := newStage(t)
	for _, pattern := range pages {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			for _, sentence := range s.misled(string(file(t, name))) {
				t.Errorf("%s: %s", name, sentence)
			}
			if filepath.Ext(name) != ".md" {
				continue
			}
			for _, sentence := range lost(name, func(other string) string { return string(file(t, other)) }) {
				t.Errorf("%s: %s", name, sentence)
			}
		}
	}
	for name, c := range misleading {
		t.Run("found: "+name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, s.misled(c.page)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func newStage(t *testing.T) stage {
	t.Helper()
	s := stage{
		keys: map[string]map[string]bool{}, objects: map[string]bool{}, environment: map[string]bool{}, metrics: map[string]bool{},
		there: func(name string) bool { found, err := filepath.Glob("../" + name); return err == nil && len(found) > 0 },
	}
	folder, said := t.TempDir(), map[string]string{}
	for program, module := range map[string]string{"ingest": "services/ingest", "query": "services/query", "coworking": "cmd/coworking"} {
		command := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(folder, program), ".")
		command.Dir = "../" + module
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", program, err, out)
		}
	}
	s.help = func(program string, verb []string) string {
		call := strings.Join(append([]string{program}, verb...), " ")
		if _, asked := said[call]; !asked {
			out, err := exec.Command(filepath.Join(folder, program), append(slices.Clone(verb), "--help")...).Output()
			if said[call] = string(out); err != nil || !strings.HasPrefix(said[call], "Usage: "+call+" ") {
				said[call] = ""
			}
		}
		return said[call]
	}
	for _, verb := range []string{"ingest run", "ingest setup", "ingest migrate up", "ingest verify", "query run"} {
		words := strings.Fields(verb)
		for _, match := range variable.FindAllStringSubmatch(s.help(words[0], words[1:]), -1) {
			s.environment[match[1]] = true
		}
	}
	for _, chart := range charts {
		all := map[string]any{}
		if err := yaml.UnmarshalStrict(file(t, "helm/"+chart+"/values.yaml"), &all); err != nil {
			t.Fatal(err)
		}
		s.keys[chart] = map[string]bool{}
		keysOf("", all, s.keys[chart])
		for _, scene := range []string{"no values", "everything"} {
			for _, o := range rendered(t, helms["Helm 4"], release{chart: chart, name: chart}, values(t, chart, scene)) {
				s.objects[strings.ToLower(kind(o))+"/"+o.GetName()] = true
			}
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(file(t, "../docs/observability.md")), -1) {
		s.metrics[row[1]] = true
	}
	return s
}

func keysOf(at string, values map[string]any, found map[string]bool) {
	for key, value := range values {
		found[at+key] = true
		if below, ok := value.(map[string]any); ok {
			keysOf(at+key+".", below, found)
		}
	}
}

var (
	codeBlock   = regexp.MustCompile("(?s)```sh\n(.*?)\n *```")
	codeSpan    = regexp.MustCompile("`([^`]+)`")
	commentLine = regexp.MustCompile(`(?m)^(?:#|--) {3}((?:helm|kubectl|psql|--set) .*)$`)
	ours        = regexp.MustCompile(`(?:^|[\s(/])(ingest|query|coworking)((?: [a-z][a-z-]*)+)((?: [^|;&)]*)?)`)
	flagWord    = regexp.MustCompile(`(?:^|\s)(--[a-z][a-z-]*)`)
	ourChart    = regexp.MustCompile(`deploy/helm/(ingest|query)(?:\s|$)`)
	setKey      = regexp.MustCompile(`--set(?:-string)? ([A-Za-z]+[A-Za-z.]*)=`)
	treeFile    = regexp.MustCompile(`(?:^|[\s=(])((?:deploy|docs|services)/[A-Za-z0-9./_*-]+)`)
	clusterWord = regexp.MustCompile(`\b(deploy|cronjob|svc|hpa|scaledobject)[/ ]((?:ingest|query)[a-z-]*)`)
	dottedKey   = regexp.MustCompile(`^([a-z][A-Za-z]*)(?:\.[a-z][A-Za-z]*)+$`)
	shouted     = regexp.MustCompile(`^[A-Z]+(?:_[A-Z]+)+$`)
	measuredAs  = regexp.MustCompile(`^(?:ingest|intake|http|database_pool|report)_[a-z_]+[a-z]`)
)

var kindOf = map[string]string{
	"deploy": "deployment", "cronjob": "cronjob", "svc": "service", "hpa": "horizontalpodautoscaler", "scaledobject": "scaledobject",
}

// others look like names of ours and are not: variables of other programs, a file in a
// Secret, lines of the log.
var others = []string{"POSTGRES_PASSWORD", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_EXPORTER_OTLP_HEADERS", "nats.creds", "ingest ended", "query ended"}

// misled are the commands and the names of a page that nothing answers to.
func (s stage) misled(page string) []string {
	wrong := map[string]bool{}
	var commands []string
	for _, block := range codeBlock.FindAllStringSubmatch(page, -1) {
		for line := range strings.SplitSeq(strings.ReplaceAll(block[1], "\\\n", " "), "\n") {
			line, _, _ = strings.Cut(line, " # ")
			commands = append(commands, strings.TrimSpace(line))
		}
	}
	for _, line := range commentLine.FindAllStringSubmatch(page, -1) {
		commands = append(commands, line[1])
	}
	text := codeBlock.ReplaceAllString(page, "")
	for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
		name := strings.Join(strings.Fields(span[1]), " ")
		if slices.Contains(others, name) {
			continue
		}
		commands = append(commands, name)
		key := dottedKey.FindStringSubmatch(name)
		switch {
		case key != nil && s.isKey(key[1]) && !s.isKey(name):
			wrong[name+" is no key of the values"] = true
		case shouted.MatchString(name) && !s.environment[name]:
			wrong[name+" is read by nobody"] = true
		case measuredAs.MatchString(name) && !s.metrics[measuredAs.FindString(name)] && !strings.Contains(name, "…"):
			wrong[name+" is no metric"] = true
		}
	}
	for _, command := range commands {
		for _, sentence := range s.unanswered(command) {
			wrong[sentence] = true
		}
	}
	return slices.Sorted(maps.Keys(wrong)) // nil if there are none
}

func (s stage) isKey(name string) bool { return s.keys["ingest"][name] || s.keys["query"][name] }

// unanswered is what of a command is not there: the verb, a flag, a key of the values, a
// file, an object of the charts.
func (s stage) unanswered(command string) []string {
	var wrong []string
	if program := strings.Fields(command + " -")[0]; slices.Contains([]string{"ingest", "query", "coworking", "kubectl", "bin/ingest", "bin/query", "bin/coworking"}, program) {
		for _, call := range ours.FindAllStringSubmatch(command, -1) {
			words := strings.Fields(call[2])
			if program == "kubectl" && !strings.Contains(command, "-- "+call[1]+" ") {
				continue // the name of an object
			}
			said := ""
			for n := min(len(words), 2); n > 0 && said == ""; n-- {
				said = s.help(call[1], words[:n])
			}
			if said == "" || strings.Contains(said, "\nCommands:\n") && !strings.Contains(said, "Without a command") {
				wrong = append(wrong, fmt.Sprintf("%s has no verb %s", call[1], words[0]))
				continue
			}
			for _, flag := range flagWord.FindAllStringSubmatch(call[3], -1) {
				if !strings.Contains(said, flag[1]) {
					wrong = append(wrong, fmt.Sprintf("%s %s has no flag %s", call[1], words[0], flag[1]))
				}
			}
		}
	}
	chart := ourChart.FindStringSubmatch(command)
	for _, key := range setKey.FindAllStringSubmatch(command, -1) {
		switch {
		case chart != nil && !s.keys[chart[1]][key[1]]:
			wrong = append(wrong, fmt.Sprintf("%s: the chart of %s has no key %s", command, chart[1], key[1]))
		case strings.HasPrefix(command, "--set") && !s.isKey(key[1]):
			wrong = append(wrong, command+": neither chart has this key")
		}
	}
	if strings.HasPrefix(command, "helm upgrade ") && strings.Contains(command, " --repo ") && !strings.Contains(command, " --wait") {
		wrong = append(wrong, command+": what follows leans on it, and does not wait")
	}
	for _, name := range treeFile.FindAllStringSubmatch(command, -1) {
		if !s.there(name[1]) && !s.objects["deployment/"+strings.TrimPrefix(name[1], "deploy/")] {
			wrong = append(wrong, name[1]+" is not there")
		}
	}
	if strings.HasPrefix(command, "kubectl ") {
		for _, o := range clusterWord.FindAllStringSubmatch(command, -1) {
			if !s.objects[kindOf[o[1]]+"/"+o[2]] {
				wrong = append(wrong, fmt.Sprintf("no chart makes %s/%s", o[1], o[2]))
			}
		}
	}
	return wrong
}

var (
	sectionLink = regexp.MustCompile(`\]\(([^)#\s]*)#([^)\s]+)\)`)
	heading     = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notInAnchor = regexp.MustCompile("[^a-z0-9 _-]")
)

// lost are the links to sections that are not there.
func lost(name string, read func(name string) string) []string {
	var wrong []string
	for _, reference := range sectionLink.FindAllStringSubmatch(read(name), -1) {
		if strings.Contains(reference[1], "://") {
			continue
		}
		target := name
		if reference[1] != "" {
			target = path.Join(path.Dir(filepath.ToSlash(name)), reference[1])
		}
		if !slices.ContainsFunc(heading.FindAllStringSubmatch(read(target), -1), func(h []string) bool {
			return strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == reference[2]
		}) {
			wrong = append(wrong, fmt.Sprintf("%s has no section %s", target, reference[2]))
		}
	}
	return wrong
}

// misleading are pages of which something is wrong, and what is said of it.
var misleading = map[string]struct {
	page string
	want []string
}{
	"a page that is right": {"`ingest verify --quiet`, `partitions`, `stream.replicas`, `BATCH_SIZE`, `ingest_ready`, `kubectl -n x exec deploy/ingest -- ingest dead-letters list --limit 20`", nil},
	"a verb":               {"`ingest purge --all`", []string{"ingest has no verb purge"}},
	"half a verb":          {"`ingest migrate`", []string{"ingest has no verb migrate"}},
	"a flag":               {"```sh\nquery keys create me --scoop admin   # a key\n```", []string{"query keys has no flag --scoop"}},
	"a flag in a pod":      {"`kubectl -n x exec deploy/ingest -- ingest verify --mend`", []string{"ingest verify has no flag --mend"}},
	"a key":                {"```sh\nhelm upgrade query deploy/helm/query \\\n  --set image.tug=1\n```", []string{"helm upgrade query deploy/helm/query    --set image.tug=1: the chart of query has no key image.tug"}},
	"a key in a sentence":  {"`stream.size`", []string{"stream.size is no key of the values"}},
	"a variable":           {"`BATCH_SIZES`", []string{"BATCH_SIZES is read by nobody"}},
	"a metric":             {"`ingest_lag_messages{partition=\"0\"}`", []string{`ingest_lag_messages{partition="0"} is no metric`}},
	"a file":               {"`kubectl apply -f deploy/aws/roles.sql`", []string{"deploy/aws/roles.sql is not there"}},
	"an object":            {"`kubectl -n x create job a --from cronjob/ingest-verification`", []string{"no chart makes cronjob/ingest-verification"}},
	"an impatient line":    {"```sh\nhelm upgrade --install a a --repo https://example.org\n```", []string{"helm upgrade --install a a --repo https://example.org: what follows leans on it, and does not wait"}},
	"a comment's key":      {"#   --set database.secret=x", []string{"--set database.secret=x: neither chart has this key"}},
}

func TestALostLinkIsFound(t *testing.T) {
	tree := map[string]string{"docs/a.md": "[here](#one-two) [there](b.md#three) [nowhere](b.md#four)", "docs/b.md": "## Three\n"}
	want := []string{"docs/a.md has no section one-two", "docs/b.md has no section four"}
	if diff := cmp.Diff(want, lost("docs/a.md", func(name string) string { return tree[name] })); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}
