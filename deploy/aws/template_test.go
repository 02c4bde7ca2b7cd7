package aws

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// template is a CloudFormation template.
type template struct {
	name                                        string
	parameters, conditions, resources, sections map[string]any
}

func templateOf(t *testing.T, name, body string) template {
	t.Helper()
	parsed, err := parse(body)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	sections := object(parsed)
	return template{
		name: name, sections: sections, parameters: object(sections["Parameters"]),
		conditions: object(sections["Conditions"]), resources: object(sections["Resources"]),
	}
}

// templates are those of this folder, by name.
func templates(t *testing.T) map[string]template {
	t.Helper()
	all := map[string]template{}
	for _, name := range []string{"registry.yaml", "pipeline.yaml", "database.yaml", "observability.yaml"} {
		all[name] = templateOf(t, name, read(t, name))
	}
	files, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if _, known := all[name]; !known && strings.Contains(read(t, name), "AWSTemplateFormatVersion") {
			t.Errorf("%s is a template that nobody looks at", name)
		}
	}
	return all
}

// of are the resources of a type, by their logical names.
func (m template) of(kind string) map[string]map[string]any {
	found := map[string]map[string]any{}
	for name, resource := range m.resources {
		if text(object(resource)["Type"]) == kind {
			found[name] = object(object(resource)["Properties"])
		}
	}
	return found
}

func TestTemplatesAreWhatCloudFormationTakes(t *testing.T) {
	for name, m := range templates(t) {
		t.Run(name, func(t *testing.T) {
			complain(t, append(m.strangers(), m.misfits()...))
		})
	}
}

func TestABrokenTemplateIsFound(t *testing.T) {
	cases := map[string]struct {
		body string
		want []string
	}{
		"a name that does not exist": {
			"Resources: {Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref Nobody}}}",
			[]string{"broken: Nobody does not exist"},
		},
		"one within a text": {
			`Resources: {Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub "a/${Nobody}/${!This}/${AWS::Region}"}}}`,
			[]string{"broken: Nobody does not exist"},
		},
		"an attribute that does not exist": {
			"Resources: {Log: {Type: AWS::Logs::LogGroup}, Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAtt Log.Colour}}}",
			[]string{"broken: Log has no attribute Colour"},
		},
		"a parameter that nobody reads, and a condition that does not exist": {
			"Parameters: {Idle: {Type: String}}\nResources: {Log: {Type: AWS::Logs::LogGroup, Condition: Never, DependsOn: Rain}}",
			[]string{"broken: Log depends on Rain, which does not exist", "broken: condition Never does not exist", "broken: nobody reads the parameter Idle"},
		},
		"a type that is none": {
			"Resources: {Log: {Type: AWS::Logs::Book}}",
			[]string{"broken: Log: no schema of AWS::Logs::Book at hand"},
		},
		"a property that is none, one that is missing and one that has no such value": {
			"Resources: {Alarm: {Type: AWS::EKS::AccessEntry, Properties: {Principal: a, ClusterName: b}}, R: {Type: AWS::ECR::Repository, Properties: {ImageTagMutability: STONE}}}",
			[]string{
				"broken: Alarm: Principal is no property", "broken: Alarm: PrincipalArn is missing",
				"broken: R.ImageTagMutability: STONE is none of [MUTABLE IMMUTABLE MUTABLE_WITH_EXCLUSION IMMUTABLE_WITH_EXCLUSION]",
			},
		},
		"values of the wrong kind": {
			"Resources: {A: {Type: AWS::RDS::DBInstance, Properties: {MultiAZ: perhaps}}, Log: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 8, LogGroupName: [a], KmsKeyId: {a: b}}}}",
			[]string{
				"broken: A.MultiAZ: perhaps is no boolean", "broken: Log.KmsKeyId: a mapping is no string", "broken: Log.LogGroupName: a list is no string",
				"broken: Log.RetentionInDays: 8 is none of [1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653]",
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := templateOf(t, "broken", c.body)
			got := append(m.strangers(), m.misfits()...)
			slices.Sort(got)
			if diff := cmp.Diff(c.want, slices.Compact(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for name, body := range map[string]string{"an alias": "a: &x 1\nb: *x", "a key twice": "a: 1\na: 2"} {
		if _, err := parse(body); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// substituted are the names in a text of Fn::Sub; ${!…} is no name.
var substituted = regexp.MustCompile(`\$\{([A-Za-z][^}]*)\}`)

// strangers are names that lead nowhere, and parameters that nobody reads.
func (m template) strangers() []string {
	var wrong []string
	read := map[string]bool{}
	ref := func(name string) {
		read[name] = true
		if m.parameters[name] == nil && m.resources[name] == nil && !strings.HasPrefix(name, "AWS::") {
			wrong = append(wrong, fmt.Sprintf("%s: %s does not exist", m.name, name))
		}
	}
	attribute := func(name, attribute string) {
		resource := object(m.resources[name])
		if resource == nil {
			ref(name)
			return
		}
		schema, _ := schemaOf(text(resource["Type"]))
		if !slices.Contains(list(schema["readOnlyProperties"]), any("/properties/"+strings.ReplaceAll(attribute, ".", "/"))) {
			wrong = append(wrong, fmt.Sprintf("%s: %s has no attribute %s", m.name, name, attribute))
		}
	}
	each(m.sections, func(fields map[string]any) {
		if name, ok := fields["Ref"].(string); ok && len(fields) == 1 {
			ref(name)
		}
		if path, ok := fields["Fn::GetAtt"].([]any); ok {
			attribute(text(path[0]), text(path[1]))
		}
		if body, ok := fields["Fn::Sub"].(string); ok {
			for _, match := range substituted.FindAllStringSubmatch(body, -1) {
				if resource, of, dotted := strings.Cut(match[1], "."); dotted {
					attribute(resource, of)
				} else {
					ref(match[1])
				}
			}
		}
	})
	for name, resource := range m.resources {
		for _, other := range list(object(resource)["DependsOn"]) {
			if m.resources[text(other)] == nil {
				wrong = append(wrong, fmt.Sprintf("%s: %s depends on %s, which does not exist", m.name, name, other))
			}
		}
		if condition := text(object(resource)["Condition"]); condition != "" && m.conditions[condition] == nil {
			wrong = append(wrong, fmt.Sprintf("%s: condition %s does not exist", m.name, condition))
		}
	}
	for name := range m.parameters {
		if !read[name] {
			wrong = append(wrong, fmt.Sprintf("%s: nobody reads the parameter %s", m.name, name))
		}
	}
	return wrong
}

// misfits are resources whose type or properties are not in CloudFormation's own
// schemas. Conditions between properties are not looked at: cfn-lint does.
func (m template) misfits() []string {
	var wrong []string
	for name, resource := range m.resources {
		fields := object(resource)
		schema, err := schemaOf(text(fields["Type"]))
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %s: no schema of %s at hand", m.name, name, fields["Type"]))
			continue
		}
		properties := fields["Properties"]
		if properties == nil {
			properties = map[string]any{}
		}
		for _, sentence := range fits(schema, schema, properties, name) {
			wrong = append(wrong, m.name+": "+sentence)
		}
	}
	return wrong
}

func schemaOf(kind string) (map[string]any, error) {
	body, err := os.ReadFile("testdata/cloudformation/" + strings.ToLower(strings.ReplaceAll(kind, "::", "-")) + ".json")
	if err != nil {
		return nil, err
	}
	var schema map[string]any
	return schema, json.Unmarshal(body, &schema)
}

// fits says where v is not what the schema wants. What is computed (Ref, Fn::…) may
// be anything, and CloudFormation takes "1" for 1 and "true" for true.
func fits(whole, schema map[string]any, v any, at string) []string {
	if name, ok := strings.CutPrefix(text(schema["$ref"]), "#/definitions/"); ok {
		schema = object(object(whole["definitions"])[name])
	}
	if computed(v) {
		return nil
	}
	var wrong []string
	say := func(format string, a ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, a...)) }
	kinds := list(schema["type"])
	switch v := v.(type) {
	case map[string]any:
		if len(kinds) > 0 && !slices.Contains(kinds, any("object")) {
			say("a mapping is no %s", kinds[0])
			break
		}
		properties := object(schema["properties"])
		for name, inner := range v {
			switch known := object(properties[name]); {
			case known != nil:
				wrong = append(wrong, fits(whole, known, inner, at+"."+name)...)
			case schema["additionalProperties"] == false:
				say("%s is no property", name)
			}
		}
		for _, name := range list(schema["required"]) {
			if _, given := v[text(name)]; !given {
				say("%s is missing", name)
			}
		}
	case []any:
		if len(kinds) > 0 && !slices.Contains(kinds, any("array")) {
			say("a list is no %s", kinds[0])
			break
		}
		for i, item := range v {
			wrong = append(wrong, fits(whole, object(schema["items"]), item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	default:
		if len(kinds) > 0 && !slices.ContainsFunc(kinds, func(kind any) bool { return isScalar(text(kind), text(v)) }) {
			say("%v is no %s", v, kinds[0])
		}
		allowed := list(schema["enum"])
		if len(allowed) > 0 && !slices.ContainsFunc(allowed, func(one any) bool { return text(one) == text(v) }) {
			say("%v is none of %v", v, allowed)
		}
		if pattern, err := regexp.Compile(text(schema["pattern"])); err == nil && !pattern.MatchString(text(v)) {
			say("%v does not match %s", v, pattern)
		}
		length := float64(utf8.RuneCountInString(text(v)))
		if most, ok := schema["maxLength"].(float64); ok && length > most {
			say("%v characters, %v at most", length, most)
		}
		if least, ok := schema["minLength"].(float64); ok && length < least {
			say("%v characters, %v at least", length, least)
		}
	}
	return wrong
}

func computed(v any) bool {
	for name := range object(v) {
		if name == "Ref" || strings.HasPrefix(name, "Fn::") {
			return true
		}
	}
	return false
}

var whole = regexp.MustCompile(`^-?[0-9]+$`)

func isScalar(kind, v string) bool {
	switch kind {
	case "string":
		return true
	case "integer":
		return whole.MatchString(v)
	case "number":
		return json.Valid([]byte(v)) && strings.ContainsAny(v, "0123456789")
	case "boolean":
		return v == "true" || v == "false"
	default:
		return false
	}
}
