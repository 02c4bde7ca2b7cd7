// Package aws holds what the files of this folder promise: templates that AWS would
// take, metrics out of lines that the services write, and a release that stops where
// it should. It asks neither AWS nor the network.
package aws

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// root is the repository's.
const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// complain reports what is wrong, one line each, in a fixed order.
func complain(t *testing.T, wrong []string) {
	t.Helper()
	slices.Sort(wrong)
	for _, sentence := range slices.Compact(wrong) {
		t.Error(sentence)
	}
}

// parse reads YAML with CloudFormation's short tags, which become what they stand
// for: !Ref a is {Ref: a}, !GetAtt a.b is {Fn::GetAtt: [a, b]}, !X is {Fn::X: …}.
// CloudFormation knows no aliases and no merge keys, so they are refused.
func parse(text string) (any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	return value(document.Content[0])
}

func value(node *yaml.Node) (any, error) {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return nil, fmt.Errorf("line %d: CloudFormation reads no anchors", node.Line)
	}
	if name, short := strings.CutPrefix(node.Tag, "!"); short && !strings.HasPrefix(name, "!") {
		plain := *node
		plain.Tag = ""
		inner, err := value(&plain)
		if text, ok := inner.(string); ok && name == "GetAtt" {
			resource, attribute, _ := strings.Cut(text, ".")
			inner = []any{resource, attribute}
		}
		if name != "Ref" {
			name = "Fn::" + name
		}
		return map[string]any{name: inner}, err
	}
	switch node.Kind {
	case yaml.MappingNode:
		fields := map[string]any{}
		for i := 0; i < len(node.Content); i += 2 {
			name := node.Content[i].Value
			if _, twice := fields[name]; twice {
				return nil, fmt.Errorf("line %d: %s twice", node.Content[i].Line, name)
			}
			inner, err := value(node.Content[i+1])
			if err != nil {
				return nil, err
			}
			fields[name] = inner
		}
		return fields, nil
	case yaml.SequenceNode:
		items := []any{}
		for _, item := range node.Content {
			inner, err := value(item)
			if err != nil {
				return nil, err
			}
			items = append(items, inner)
		}
		return items, nil
	default:
		var scalar any
		err := node.Decode(&scalar)
		return scalar, err
	}
}

// object is v as a mapping, empty if it is none.
func object(v any) map[string]any {
	fields, _ := v.(map[string]any)
	return fields
}

// list is v as a list: CloudFormation and IAM take a single thing for a list of one.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// each calls visit with every mapping within v, the outer ones first.
func each(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v)
		for _, inner := range v {
			each(inner, visit)
		}
	case []any:
		for _, inner := range v {
			each(inner, visit)
		}
	}
}

func exists(name string) bool {
	_, err := os.Stat(filepath.FromSlash(name))
	return err == nil
}
