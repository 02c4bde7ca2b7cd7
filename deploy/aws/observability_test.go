package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unheard are the patterns and values of metric filters that no line can meet.
func unheard(m template, spoken []said, envelope []string) []string {
	var wrong []string
	for name, p := range m.of("AWS::Logs::MetricFilter") {
		transformation := object(list(p["MetricTransformations"])[0])
		needs := []string{}
		if path, ok := strings.CutPrefix(text(transformation["MetricValue"]), "$."); ok {
			needs = append(needs, path)
		}
		for _, dimension := range list(transformation["Dimensions"]) {
			needs = append(needs, strings.TrimPrefix(text(object(dimension)["Value"]), "$."))
		}
		if len(list(transformation["Dimensions"])) > 0 && transformation["DefaultValue"] != nil {
			wrong = append(wrong, name+": a metric with dimensions has no default")
		}
		// Each alternative has to be met by somebody: one misspelt of three would not be missed otherwise.
		for alternative := range strings.SplitSeq(strings.Trim(text(p["FilterPattern"]), "{} \n"), "||") {
			heard := false
			for _, line := range spoken {
				for _, record := range line.records(envelope) {
					yes, fields, err := matches("{"+alternative+"}", record)
					if err != nil {
						wrong = append(wrong, name+": "+err.Error())
					}
					for _, path := range needs {
						// CloudWatch takes values only of fields that the pattern names.
						yes = yes && at(record, path) != nil && slices.Contains(fields, path)
					}
					heard = heard || yes
				}
			}
			if !heard {
				wrong = append(wrong, fmt.Sprintf("%s: nothing that is ever logged matches %s", name, strings.TrimSpace(alternative)))
			}
		}
	}
	return wrong
}

func TestMetricFiltersHearWhatTheServicesSay(t *testing.T) {
	complain(t, unheard(templates(t)["observability.yaml"], append(lines(t), failed(t)), envelope(t)))
}

func TestAFilterThatHearsNothingIsFound(t *testing.T) {
	filter := func(pattern, value string) string {
		return fmt.Sprintf("Resources: {F: {Type: AWS::Logs::MetricFilter, Properties: {FilterPattern: '%s', MetricTransformations: [{MetricValue: %s}]}}}", pattern, value)
	}
	spoken := []said{
		{level: "info", message: "request", fields: map[string]any{"status": 1.0, "took": 0.25}},
		{plain: "ingest: not equal: the report says where"},
	}
	cases := map[string]struct {
		body string
		want []string
	}{
		"it hears":                           {filter(`{ $.log_processed.msg = "request" && $.log_processed.took >= 0 }`, "$.log_processed.took"), nil},
		"a line that is no JSON":             {filter(`{ $.kubernetes.container_name = "verify" && $.log = "ingest: *" }`, "1"), nil},
		"of another container":               {filter(`{ $.kubernetes.container_name = "setup" && $.log = "ingest: *" }`, "1"), []string{`F: nothing that is ever logged matches $.kubernetes.container_name = "setup" && $.log = "ingest: *"`}},
		"the fields are not at the top":      {filter(`{ $.msg = "request" }`, "1"), []string{`F: nothing that is ever logged matches $.msg = "request"`}},
		"one of two messages is misspelt":    {filter(`{ $.log_processed.msg = "request" || $.log_processed.msg = "requets" }`, "1"), []string{`F: nothing that is ever logged matches $.log_processed.msg = "requets"`}},
		"the value is a field of other ones": {filter(`{ $.log_processed.msg = "request" && $.log_processed.bytes >= 0 }`, "$.log_processed.bytes"), []string{`F: nothing that is ever logged matches $.log_processed.msg = "request" && $.log_processed.bytes >= 0`}},
		"the pattern does not name the value": {filter(`{ $.log_processed.msg = "request" }`, "$.log_processed.took"), []string{
			`F: nothing that is ever logged matches $.log_processed.msg = "request"`,
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := unheard(templateOf(t, "broken", c.body), spoken, []string{"level", "msg", "service", "time", "version"})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Logs Insights: the commands that are used, and what may be called.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
var (
	insightsCommand  = regexp.MustCompile(`^(filter|fields|stats|sort|limit|dedup|parse|display)\s+(\S.*)$`)
	insightsFunction = regexp.MustCompile(`([a-z_]+)\(`)
	insightsText     = regexp.MustCompile(`"[^"]*"`)
	insightsName     = regexp.MustCompile(`@?[A-Za-z_][A-Za-z0-9_.]*`)
)

var (
	insightsFunctions = []string{"count", "count_distinct", "latest", "earliest", "max", "min", "sum", "avg", "pct", "ispresent", "bin"}
	insightsWords     = []string{"by", "as", "and", "or", "not", "in", "like", "asc", "desc"}
)

// misasked are what of a query Logs Insights would not take, and the fields that no
// line has.
func misasked(query string, known func(field string) bool) []string {
	var wrong []string
	aliases := map[string]bool{}
	for command := range strings.SplitSeq(strings.TrimSpace(query), "|") {
		command = strings.TrimSpace(command)
		parts := insightsCommand.FindStringSubmatch(command)
		if parts == nil {
			wrong = append(wrong, fmt.Sprintf("%q is no command", command))
			continue
		}
		if strings.Count(command, "(") != strings.Count(command, ")") || strings.Count(command, "[") != strings.Count(command, "]") || strings.Count(command, `"`)%2 != 0 {
			wrong = append(wrong, fmt.Sprintf("%q is not closed", command))
		}
		body := insightsText.ReplaceAllString(parts[2], "")
		for _, call := range insightsFunction.FindAllStringSubmatch(body, -1) {
			if !slices.Contains(insightsFunctions, call[1]) {
				wrong = append(wrong, call[1]+" is no function")
			}
		}
		body = insightsFunction.ReplaceAllString(body, "(")
		words := insightsName.FindAllString(body, -1)
		for i, word := range words {
			switch {
			case slices.Contains(insightsWords, word), aliases[word]:
			case i > 0 && words[i-1] == "as":
				aliases[word] = true
			case !known(word):
				wrong = append(wrong, word+" is no field")
			}
		}
	}
	return wrong
}

// knows says whether a field is of CloudWatch's own, or in a line that is written.
func knows(spoken []said, envelope []string) func(string) bool {
	return func(field string) bool {
		if slices.Contains([]string{"@timestamp", "@message", "@logStream", "@log"}, field) {
			return true
		}
		return slices.ContainsFunc(spoken, func(line said) bool { return at(line.records(envelope)[0], field) != nil })
	}
}

// A query about certain messages must not ask for fields that those never have.
var askedMessages = regexp.MustCompile(`log_processed\.msg (?:= ("[^"]*")|in \[([^\]]*)\])`)

func about(query string, spoken []said) []said {
	match := askedMessages.FindStringSubmatch(query)
	if match == nil {
		return spoken
	}
	return slices.DeleteFunc(slices.Clone(spoken), func(line said) bool { return !strings.Contains(match[1]+match[2], `"`+line.message+`"`) })
}

func TestQueriesAskForWhatIsLogged(t *testing.T) {
	spoken, always := lines(t), envelope(t)
	for name, p := range templates(t)["observability.yaml"].of("AWS::Logs::QueryDefinition") {
		query := text(p["QueryString"])
		for _, sentence := range misasked(query, knows(about(query, spoken), always)) {
			t.Errorf("%s: %s", name, sentence)
		}
	}
}

var pageQuery = regexp.MustCompile("(?s)```\n(filter .*?)\n```")

// The page's queries are for the same log group.
func TestThePagesQueriesAskForWhatIsLogged(t *testing.T) {
	spoken, always := lines(t), envelope(t)
	queries := pageQuery.FindAllStringSubmatch(read(t, root+"/docs/observability.md"), -1)
	if len(queries) < 2 {
		t.Fatalf("%d queries", len(queries))
	}
	for _, query := range queries {
		complain(t, misasked(query[1], knows(about(query[1], spoken), always)))
	}
}

func TestAQueryThatAsksForNothingIsFound(t *testing.T) {
	known := knows([]said{{level: "info", message: "request", fields: map[string]any{"took": 0.25}}}, []string{"level", "msg"})
	cases := map[string]struct {
		query string
		want  []string
	}{
		"one that is fine":           {`filter log_processed.msg = "request" | stats pct(log_processed.took, 95) as p95 by log_processed.level | sort p95 desc`, nil},
		"a field of no line":         {`filter log_processed.colour = "red"`, []string{"log_processed.colour is no field"}},
		"a field at the top":         {`filter level = "error"`, []string{"level is no field"}},
		"no command":                 {`select * from log`, []string{`"select * from log" is no command`}},
		"no function":                {`stats median(log_processed.took)`, []string{"median is no function"}},
		"an alias that is not there": {`stats count(*) as n | sort m desc`, []string{"m is no field"}},
		"a list without its end":     {`filter log_processed.level in ["warn"`, []string{`"filter log_processed.level in [\"warn\"" is not closed`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, misasked(c.query, known)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// theirs are metrics that AWS makes by itself, by namespace, with their dimensions.
var theirs = map[string]map[string]string{
	"ContainerInsights": { // Container-Insights-metrics-EKS
		"node_memory_utilization": "ClusterName", "node_cpu_utilization": "ClusterName", "cluster_failed_node_count": "ClusterName",
		"service_number_of_running_pods": "ClusterName Namespace Service",
	},
	"AWS/RDS": { // rds-metrics
		"CPUUtilization": "DBInstanceIdentifier", "DatabaseConnections": "DBInstanceIdentifier",
		"CPUCreditBalance": "DBInstanceIdentifier", "FreeStorageSpace": "DBInstanceIdentifier",
	},
	"AWS/Logs":      {"IncomingBytes": "LogGroupName"}, // CloudWatch-Logs-Monitoring-CloudWatch-Metrics
	"AWS/CodeBuild": {"FailedBuilds": "ProjectName"},   // CodeBuild: monitoring-metrics
}

// measured are all metrics that there are: those, and those of the metric filters.
func measured(m template) map[string]map[string]string {
	all := maps.Clone(theirs)
	for _, p := range m.of("AWS::Logs::MetricFilter") {
		transformation := object(list(p["MetricTransformations"])[0])
		var names []string
		for _, dimension := range list(transformation["Dimensions"]) {
			names = append(names, text(object(dimension)["Key"]))
		}
		slices.Sort(names)
		namespace := text(transformation["MetricNamespace"])
		if all[namespace] == nil {
			all[namespace] = map[string]string{}
		}
		all[namespace][text(transformation["MetricName"])] = strings.Join(names, " ")
	}
	return all
}

// existing are the values that dimensions name things with.
func existing(all map[string]template) map[string][]string {
	things := map[string][]string{"ClusterName": {"coworking"}, "Namespace": {"coworking"}, "Service": {"ingest", "query"}}
	for _, m := range all {
		for _, p := range m.of("AWS::RDS::DBInstance") {
			things["DBInstanceIdentifier"] = append(things["DBInstanceIdentifier"], text(p["DBInstanceIdentifier"]))
		}
		for _, p := range m.of("AWS::CodeBuild::Project") {
			things["ProjectName"] = append(things["ProjectName"], text(p["Name"]))
		}
		for _, p := range m.of("AWS::Logs::LogGroup") {
			things["LogGroupName"] = append(things["LogGroupName"], m.plain(p["LogGroupName"]))
		}
	}
	return things
}

// plain is a text with the parameters' defaults in the places of their names.
func (m template) plain(v any) string {
	if name := text(object(v)["Ref"]); m.parameters[name] != nil {
		return text(object(m.parameters[name])["Default"])
	}
	body, computed := object(v)["Fn::Sub"].(string)
	if !computed {
		return text(v)
	}
	return substituted.ReplaceAllStringFunc(body, func(name string) string {
		name = strings.Trim(name, "${}")
		if parameter := object(m.parameters[name]); parameter != nil {
			return text(parameter["Default"])
		}
		return name
	})
}

// unmeasured says what of a metric with its dimensions is not there.
func unmeasured(m template, all map[string]template, namespace, metric string, dimensions map[string]string) []string {
	names, ok := measured(m)[namespace][metric]
	if !ok {
		return []string{fmt.Sprintf("there is no metric %s %s", namespace, metric)}
	}
	var wrong []string
	if given := strings.Join(slices.Sorted(maps.Keys(dimensions)), " "); given != names {
		wrong = append(wrong, fmt.Sprintf("%s has the dimensions [%s], not [%s]", metric, names, given))
	}
	for name, v := range dimensions {
		if !slices.Contains(existing(all)[name], v) {
			wrong = append(wrong, fmt.Sprintf("%s: there is no %s %s", metric, name, v))
		}
	}
	return wrong
}

func TestAlarmsWatchWhatIsMeasured(t *testing.T) {
	all := templates(t)
	m := all["observability.yaml"]
	for name, p := range m.of("AWS::CloudWatch::Alarm") {
		dimensions := map[string]string{}
		for _, dimension := range list(p["Dimensions"]) {
			dimensions[text(object(dimension)["Name"])] = m.plain(object(dimension)["Value"])
		}
		for _, sentence := range unmeasured(m, all, text(p["Namespace"]), text(p["MetricName"]), dimensions) {
			t.Errorf("%s: %s", name, sentence)
		}
	}
	for _, c := range []struct{ metric, dimension, value string }{{"Erors", "Service", "query"}, {"Errors", "Service", "nobody"}, {"Errors", "Pod", "query"}} {
		if len(unmeasured(m, all, "Coworking", c.metric, map[string]string{c.dimension: c.value})) == 0 {
			t.Errorf("%v is taken", c)
		}
	}
}

func TestTheDashboardShowsWhatIsMeasured(t *testing.T) {
	all := templates(t)
	m := all["observability.yaml"]
	spoken, always := lines(t), envelope(t)
	for _, p := range m.of("AWS::CloudWatch::Dashboard") {
		var board struct {
			Start   string
			Widgets []struct {
				Type                string
				X, Y, Width, Height int
				Properties          struct {
					Title, Region, View, Query, Stat string
					Period                           int
					Alarms                           []string
					Metrics                          [][]any
				}
			}
		}
		decoder := json.NewDecoder(strings.NewReader(m.plain(p["DashboardBody"])))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&board); err != nil {
			t.Fatal(err)
		}
		shown := map[string]bool{}
		for _, w := range board.Widgets {
			if w.X+w.Width > 24 || w.Properties.Title == "" || w.Type != "alarm" && w.Properties.Region == "" {
				t.Errorf("%s: too wide, or without a title or a region", w.Properties.Title)
			}
			for _, alarm := range w.Properties.Alarms {
				shown[strings.TrimSuffix(alarm, ".Arn")] = true
			}
			for _, metric := range w.Properties.Metrics {
				dimensions := map[string]string{}
				for rest := metric[2:]; len(rest) > 1; rest = rest[2:] {
					dimensions[text(rest[0])] = text(rest[1])
				}
				for _, sentence := range unmeasured(m, all, text(metric[0]), text(metric[1]), dimensions) {
					t.Errorf("%s: %s", w.Properties.Title, sentence)
				}
			}
			if source, query, ok := strings.Cut(w.Properties.Query, " | "); ok {
				group := strings.Trim(strings.TrimPrefix(source, "SOURCE "), "'")
				if !slices.Contains(existing(all)["LogGroupName"], group) {
					t.Errorf("%s: there is no log group %s", w.Properties.Title, group)
				}
				for _, sentence := range misasked(query, knows(about(query, spoken), always)) {
					t.Errorf("%s: %s", w.Properties.Title, sentence)
				}
			}
		}
		for name := range m.of("AWS::CloudWatch::Alarm") {
			if !shown[name] {
				t.Errorf("the alarm %s is not on the dashboard", name)
			}
		}
	}
}
