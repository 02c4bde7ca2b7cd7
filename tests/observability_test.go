package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
)

// What somebody else's tracing says of the requests here: a trace and a span in it.
const (
	theirTrace = "0af7651916cd43dd8448eb211c80319c"
	theirSpan  = "b7ad6b7169203331"
)

// turnstile is a hook, so that there are its metrics.
const turnstile = `{"hooks":[{"name":"turnstile","vendor":"generic","secret":"turnstile","spaces":{"north":"soho"},
	"mapping":{"signature":{"header":"X-Signature"},"type":"{/way}","location":"{/site}","fields":{"source":"t","time":"{/at}","id":"{/id}"},
	"rules":[{"type":"in","kind":"checkin"}]}}]}`

// A system that is traced: what it sends, logs and counts, and whether dashboards and
// alerts speak of what it counts.
func TestASystemIsSeenFromOutside(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	hooks := filepath.Join(t.TempDir(), "hooks.json")
	if err := os.WriteFile(hooks, []byte(turnstile), 0o600); err != nil {
		t.Fatal(err)
	}
	s := up(t, settled(t), "OTEL_EXPORTER_OTLP_ENDPOINT="+sink.URL, "OTEL_BSP_SCHEDULE_DELAY=50",
		"HOOKS_FILE="+hooks, "HOOK_SECRETS=turnstile=sesame-sesame-sesame-sesame-se")
	s.beBusy()

	t.Run("a trace goes from the door to the statements of the batch", func(t *testing.T) {
		door := sink.await(t, "the door's span", func(span *traces.Span) bool {
			return span.GetName() == "POST /v1/events" && in(span, theirTrace) && hexOf(span.GetParentSpanId()) == theirSpan
		})
		batch := sink.await(t, "the batch's span, linked to the door's", func(span *traces.Span) bool {
			return span.GetName() == "store batch" && slices.ContainsFunc(span.GetLinks(), func(link *traces.Span_Link) bool {
				return bytes.Equal(link.GetSpanId(), door.GetSpanId()) && hexOf(link.GetTraceId()) == theirTrace
			})
		})
		statement := sink.await(t, "a statement of the batch", func(span *traces.Span) bool {
			return bytes.Equal(span.GetParentSpanId(), batch.GetSpanId()) && strings.Contains(attribute(span, "db.query.text"), "insert into")
		})
		if said := statement.String(); strings.Contains(said, "lovelace") {
			t.Errorf("it tells whom it is about: %s", said)
		}
	})
	t.Run("a report's statements are in its trace", func(t *testing.T) {
		asked := sink.await(t, "the report's span", func(span *traces.Span) bool {
			return span.GetName() == "GET /api/v1/reports/:report" && in(span, theirTrace)
		})
		sink.await(t, "a statement of the report", func(span *traces.Span) bool {
			return bytes.Equal(span.GetParentSpanId(), asked.GetSpanId()) && attribute(span, "db.query.text") != ""
		})
	})
	t.Run("a dead letter has the trace of its event", func(t *testing.T) {
		if got := s.parents(); !strings.HasPrefix(got, "00-"+theirTrace) {
			t.Errorf("%q", got)
		}
	})
	t.Run("the log is flat JSON and names the trace", s.logIsFlat)
	t.Run("the one writer leaves processors to others", func(t *testing.T) {
		processors := max(1, runtime.GOMAXPROCS(0)/2)
		if os.Getenv("GOMAXPROCS") != "" { // the service has it from here
			processors = runtime.GOMAXPROCS(0)
		}
		want := fmt.Sprintf("\ngo_sched_gomaxprocs_threads %d\n", processors)
		if !strings.Contains(s.metrics("ingest"), want) {
			t.Errorf("ingest does not say%s", want)
		}
	})
	for _, service := range []string{"ingest", "query"} {
		t.Run("each expression of "+service+" names what it registers", func(t *testing.T) {
			registered := read(t, s.metrics(service))
			repo := repository(t)
			for _, e := range append(alertExpressions(t, repo, service), dashboardExpressions(t, repo, service)...) {
				for _, wrong := range e.wrong(registered) {
					t.Error(wrong)
				}
			}
		})
		t.Run("the page lists what "+service+" registers", func(t *testing.T) {
			if diff := cmp.Diff(own(s.metrics(service)), documented(repository(t), service)); diff != "" {
				t.Errorf("docs/observability.md (-registered +listed):\n%s", diff)
			}
		})
	}
}

// Nothing is sent, and messages say nothing, unless somebody said where to. The
// address here is one that an exporter would find by itself, if there were one.
func TestNothingIsTracedUnasked(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	s := up(t, settled(t), "OTEL_EXPORTER_OTLP_ENDPOINT=", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+sink.URL, "OTEL_BSP_SCHEDULE_DELAY=50")
	s.beBusy()
	if got := s.parents(); got != "" {
		t.Errorf("a message says %q", got)
	}
	s.signal(os.Interrupt) // what there was to send would be sent now
	if got := sink.all(); len(got) > 0 {
		t.Errorf("%d spans were sent, first %s", len(got), got[0])
	}
}

// beBusy makes every kind of metric: events that are stored and one that is buried, a
// report in each way, a verification.
func (s *system) beBusy() {
	s.t.Helper()
	door := "http://" + s.running().IntakeAddr + "/v1/events"
	event := `{"specversion":"1.0","id":"1","source":"door","type":"coworking.v1.checkin","time":"2026-03-02T09:0%d:00Z","subject":"lovelace","data":{"space":"soho"}}`
	for minute := range 2 { // the second one says something else of the same event
		if status := s.ask(http.MethodPost, door, fmt.Sprintf(event, minute)); status != http.StatusAccepted {
			s.t.Fatalf("the door: %d", status)
		}
	}
	eventually(s.t, "the second one is buried", func() bool { return strings.Contains(s.letters(), "id_conflict") })
	report := s.query + "/api/v1/reports/daily_usage?from=2026-03-02&to=2026-03-03"
	for range 2 {
		if status := s.ask(http.MethodGet, report, ""); status != http.StatusOK {
			s.t.Fatalf("the report: %d", status)
		}
	}
	dir, err := binaries()
	if err != nil {
		s.t.Fatal(err)
	}
	at := s.running()
	verify := exec.CommandContext(s.t.Context(), filepath.Join(dir, "ingest"), "verify", "-q", "--database-url", at.DatabaseURL, "--nats-url", at.NATSURL)
	if out, err := verify.CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	eventually(s.t, "the numbers are known to reach somewhere", func() bool {
		return strings.Contains(get(s.query+"/metrics"), "\nreport_complete_through_seconds ")
	})
}

// ask sends a request that is part of their trace.
func (s *system) ask(method, address, body string) (status int) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/cloudevents+json")
	request.Header.Set("Traceparent", "00-"+theirTrace+"-"+theirSpan+"-01")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection can be used again
	return answer.StatusCode
}

func (s *system) letters() string {
	return get("http://" + s.running().IntakeAddr + "/v1/dead-letters")
}

// parents is what the message of the dead letter says of its trace.
func (s *system) parents() string {
	s.t.Helper()
	var page struct {
		Data []struct {
			Headers map[string][]string `json:"headers"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(s.letters()), &page); err != nil || len(page.Data) != 1 {
		s.t.Fatalf("%+v %v", page, err)
	}
	return strings.Join(page.Data[0].Headers["traceparent"], " ") // in lower case, as it was sent
}

// logIsFlat looks at each line: an object of words and numbers, with the fields that
// CloudWatch is asked for.
func (s *system) logIsFlat(t *testing.T) {
	traced := 0
	for _, service := range []string{"ingest", "query"} {
		text, err := os.ReadFile(filepath.Join(s.dir, "logs", service+".log"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var said map[string]any
			if err := json.Unmarshal(line, &said); err != nil {
				t.Errorf("%v: %s", err, line)
				continue
			}
			for _, field := range []string{"time", "level", "msg", "service", "version"} {
				if said[field] == "" || said[field] == nil {
					t.Errorf("no %s: %s", field, line)
				}
			}
			for field, value := range said {
				switch value.(type) {
				case string, float64, bool:
				default:
					t.Errorf("%s is not flat: %s", field, line)
				}
			}
			if said["trace_id"] == theirTrace {
				traced++
			}
		}
	}
	if traced != 2 {
		t.Errorf("%d lines name the trace; two reports were asked for", traced)
	}
}

// sink takes spans, as OTLP over HTTP brings them.
type sink struct {
	*httptest.Server

	mu    sync.Mutex
	spans []*traces.Span
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(body, &request) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, resource := range request.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				s.spans = append(s.spans, scope.GetSpans()...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) all() []*traces.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.spans)
}

// await is a span that fits.
func (s *sink) await(t *testing.T, what string, fits func(*traces.Span) bool) *traces.Span {
	t.Helper()
	var found *traces.Span
	eventually(t, what, func() bool {
		all := s.all()
		if i := slices.IndexFunc(all, fits); i >= 0 {
			found = all[i]
		}
		return found != nil
	})
	return found
}

func in(span *traces.Span, trace string) bool { return hexOf(span.GetTraceId()) == trace }

func hexOf(id []byte) string { return fmt.Sprintf("%x", id) }

func attribute(span *traces.Span, name string) string {
	i := slices.IndexFunc(span.GetAttributes(), func(a *common.KeyValue) bool { return a.GetKey() == name })
	if i < 0 {
		return ""
	}
	return span.GetAttributes()[i].GetValue().GetStringValue()
}

// series is the metrics of a process: their labels, with the values that they have.
type series map[string]map[string]map[string]bool

func (s *system) metrics(service string) string {
	s.t.Helper()
	address := s.query
	if service == "ingest" {
		address = "http://" + s.running().IntakeAddr
	}
	return get(address + "/metrics")
}

var (
	typeLine = regexp.MustCompile(`(?m)^# TYPE (\w+) (\w+)$`)
	tableRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\|")
)

// own is the kinds of a process's metrics, without those that libraries have.
func own(scraped string) map[string]string {
	kinds := map[string]string{}
	for _, line := range typeLine.FindAllStringSubmatch(scraped, -1) {
		if prefix, _, _ := strings.Cut(line[1], "_"); prefix != "go" && prefix != "process" && prefix != "promhttp" {
			kinds[line[1]] = line[2]
		}
	}
	return kinds
}

// documented is the same, as the page has it.
func documented(repo fs.FS, service string) map[string]string {
	_, section, _ := strings.Cut(text(repo, "docs/observability.md"), "\n### "+service+"\n")
	section, _, _ = strings.Cut(section, "\n##")
	kinds := map[string]string{}
	for _, row := range tableRow.FindAllStringSubmatch(section, -1) {
		kinds[row[1]] = row[2]
	}
	return kinds
}

func read(t *testing.T, text string) series {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil || len(families) == 0 {
		t.Fatalf("%d metrics: %v", len(families), err)
	}
	all := series{}
	for name, family := range families {
		names := []string{name}
		if len(family.GetMetric()) > 0 && family.GetMetric()[0].GetHistogram() != nil {
			names = []string{name + "_bucket", name + "_sum", name + "_count"}
		}
		for _, name := range names {
			all[name] = map[string]map[string]bool{}
			if strings.HasSuffix(name, "_bucket") {
				all[name]["le"] = map[string]bool{}
			}
			for _, metric := range family.GetMetric() {
				for _, label := range metric.GetLabel() {
					if all[name][label.GetName()] == nil {
						all[name][label.GetName()] = map[string]bool{}
					}
					all[name][label.GetName()][label.GetValue()] = true
				}
			}
		}
	}
	return all
}

// scraped is the labels that Prometheus adds.
var scraped = []string{"namespace", "job", "instance"}

// expression is one that a file asks Prometheus, with the labels that its words use.
type expression struct {
	where, text string
	words       []string
}

// wrong is a sentence for each name in an expression that there is not.
func (e expression) wrong(registered series) []string {
	var found []string
	say := func(format string, args ...any) {
		found = append(found, e.where+": "+fmt.Sprintf(format, args...)+" in "+e.text)
	}
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(e.text)
	if err != nil {
		say("%v", err)
		return found
	}
	there := slices.Clone(scraped)
	used := slices.Clone(e.words)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			has, known := registered[n.Name]
			if !known {
				say("there is no metric %q", n.Name)
				return nil
			}
			for label := range has {
				there = append(there, label)
			}
			for _, matcher := range n.LabelMatchers {
				values, known := has[matcher.Name]
				switch {
				case matcher.Name == model.MetricNameLabel, slices.Contains(scraped, matcher.Name):
				case !known:
					say("%s has no label %q", n.Name, matcher.Name)
				case matcher.Type == labels.MatchEqual && !values[matcher.Value]:
					say("%s has never %s=%q", n.Name, matcher.Name, matcher.Value)
				}
			}
		case *parser.AggregateExpr:
			used = append(used, n.Grouping...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				used = append(used, n.VectorMatching.MatchingLabels...)
			}
		}
		return nil
	})
	for _, label := range used {
		if !slices.Contains(there, label) {
			say("nothing has a label %q", label)
		}
	}
	return found
}

// alert is one of Prometheus's rules.
type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alerts(t *testing.T, repo fs.FS, service string) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string  `yaml:"name"`
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(text(repo, "deploy/helm/"+service+"/alerts.yaml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil || len(file.Groups) != 1 || len(file.Groups[0].Rules) == 0 {
		t.Fatalf("the alerts of %s: %+v %v", service, file, err)
	}
	return file.Groups[0].Rules
}

var (
	alertWord  = regexp.MustCompile(`\$labels\.(\w+)`)
	legendWord = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
)

func alertExpressions(t *testing.T, repo fs.FS, service string) []expression {
	t.Helper()
	var all []expression
	for _, a := range alerts(t, repo, service) {
		e := expression{where: a.Alert, text: a.Expr}
		for _, annotation := range a.Annotations {
			for _, word := range alertWord.FindAllStringSubmatch(annotation, -1) {
				e.words = append(e.words, word[1])
			}
		}
		all = append(all, e)
	}
	return all
}

// dashboardExpressions is those of panels and of the questions behind variables.
func dashboardExpressions(t *testing.T, repo fs.FS, service string) []expression {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string `json:"title"`
			Type    string `json:"type"`
			Targets []struct {
				Expr         string `json:"expr"`
				LegendFormat string `json:"legendFormat"`
			} `json:"targets"`
		} `json:"panels"`
		Templating struct {
			List []struct{ Name, Definition string } `json:"list"`
		} `json:"templating"`
	}
	if err := json.Unmarshal([]byte(text(repo, "deploy/helm/"+service+"/dashboards/"+service+".json")), &board); err != nil {
		t.Fatal(err)
	}
	concrete := strings.NewReplacer("$namespace", "n", "$job", "j", "$__rate_interval", "5m")
	var all []expression
	for _, panel := range board.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("%s asks nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			e := expression{where: "panel " + panel.Title, text: concrete.Replace(target.Expr)}
			for _, word := range legendWord.FindAllStringSubmatch(target.LegendFormat, -1) {
				e.words = append(e.words, word[1])
			}
			all = append(all, e)
		}
	}
	var variables []string
	for _, variable := range board.Templating.List {
		variables = append(variables, variable.Name)
		if asked, ok := strings.CutPrefix(variable.Definition, "label_values("); ok {
			selector, label, _ := strings.Cut(strings.TrimSuffix(asked, ")"), "}, ")
			all = append(all, expression{where: "variable " + variable.Name, text: concrete.Replace(selector + "}"), words: []string{label}})
		}
	}
	if diff := cmp.Diff([]string{"datasource", "namespace", "job"}, variables); diff != "" {
		t.Errorf("variables of %s (-want +got):\n%s", service, diff)
	}
	return all
}

// What finds nothing wrong must be able to.
func TestAnExpressionOfWhatIsNotThereIsFound(t *testing.T) {
	registered := read(t, `# TYPE shop_sales_total counter
shop_sales_total{till="1"} 7
# TYPE shop_seconds histogram
shop_seconds_bucket{till="1",le="1"} 1
shop_seconds_bucket{till="1",le="+Inf"} 1
shop_seconds_sum{till="1"} 1
shop_seconds_count{till="1"} 1
`)
	cases := map[string]struct {
		expression expression
		want       int
	}{
		"sound":                   {expression{text: `sum by (namespace, till) (rate(shop_sales_total{till="1", job=~"j"}[5m]))`, words: []string{"till"}}, 0},
		"a sound histogram":       {expression{text: `histogram_quantile(0.9, sum by (le) (rate(shop_seconds_bucket[5m]))) > 3`}, 0},
		"a metric that is not":    {expression{text: `rate(shop_sale_total[5m])`}, 1},
		"a histogram by its name": {expression{text: `rate(shop_seconds[5m])`}, 1},
		"a label that is not":     {expression{text: `shop_sales_total{tills="1"}`}, 1},
		"a value that is not":     {expression{text: `shop_sales_total{till="2"}`}, 1},
		"a group that is not":     {expression{text: `sum by (shelf) (shop_sales_total)`}, 1},
		"a match that is not":     {expression{text: `shop_sales_total and on (shelf) shop_sales_total`}, 1},
		"a legend that is not":    {expression{text: `shop_sales_total`, words: []string{"shelf"}}, 1},
		"no expression":           {expression{text: `sum(shop_sales_total`}, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.expression.wrong(registered); len(got) != c.want {
				t.Errorf("%q", got)
			}
		})
	}
}

// sections is what whoever is woken up needs to find.
var sections = []string{"## What it means", "## Who is hurt", "## How to look", "## What to do", "## How to know that it is over"}

func TestEachAlertHasARunbookAndEachRunbookAnAlert(t *testing.T) {
	repo := repository(t)
	var want, got []string
	for _, service := range []string{"ingest", "query"} {
		for _, a := range alerts(t, repo, service) {
			page := "docs/runbooks/" + a.Alert + ".md"
			want = append(want, page)
			if a.Annotations["runbook_url"] != page || a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
				t.Errorf("%s is annotated with %q", a.Alert, a.Annotations)
			}
			if severity := a.Labels["severity"]; !slices.Contains([]string{"critical", "warning", "info"}, severity) {
				t.Errorf("%s is %q", a.Alert, severity)
			}
		}
	}
	pages, err := fs.Glob(repo, "docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		got = append(got, page)
		rest, title := text(repo, page), "# "+strings.TrimSuffix(path.Base(page), ".md")+"\n"
		if !strings.HasPrefix(rest, title) {
			t.Errorf("%s does not begin with %q", page, title)
		}
		for _, section := range sections {
			_, after, found := strings.Cut(rest, "\n"+section+"\n")
			if !found {
				t.Errorf("%s has no %q, or not in its place", page, section)
				continue
			}
			rest = after
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("runbooks (-alerts +pages):\n%s", diff)
	}
}
