package api

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"coworking/services/query/internal/report"

	"github.com/getkin/kin-openapi/openapi3"
)

// docsAPI is the OpenAPI document as people read it.
func docsAPI() ([]byte, error) {
	document, err := describe()
	if err != nil {
		return nil, err
	}
	type section struct {
		Name, Description string
		Operations        []readOperation
	}
	var sections []section
	for _, tag := range document.Tags {
		s := section{Name: tag.Name, Description: tag.Description}
		for _, path := range pathsInOrder() {
			if operation := document.Paths.Value(path).Get; operation.Tags[0] == tag.Name {
				s.Operations = append(s.Operations, read(document, path, operation))
			}
		}
		sections = append(sections, s)
	}
	var schemas []fieldTable
	for _, name := range slices.Sorted(maps.Keys(document.Components.Schemas)) {
		schema := document.Components.Schemas[name].Value
		table := fieldsTable(cmp.Or(schema.Description, name), schema)
		table.Name = name
		schemas = append(schemas, table)
	}
	return render("api.html", "API", "/docs/api", map[string]any{"Summary": summary, "Tags": sections, "Schemas": schemas})
}

// pathsInOrder is every path, in the order of the tables that they come from.
func pathsInOrder() []string {
	var paths []string
	for _, a := range addresses {
		paths = append(paths, a.path)
	}
	for _, r := range report.Catalogue {
		paths = append(paths, "/api/v1/reports/"+r.Name)
	}
	return paths
}

// readOperation is an operation as its part of the page shows it.
type readOperation struct {
	ID, Path, Summary, Docs string
	Scopes                  []string
	Parameters              []readParameter
	Answers                 []readAnswer
}

type readParameter struct {
	fieldLine

	In, Default string
}

// readAnswer is what an operation may answer.
type readAnswer struct {
	Status, Doc string
	Bodies      []readBody
}

func read(document *openapi3.T, path string, operation *openapi3.Operation) readOperation {
	o := readOperation{ID: operation.OperationID, Path: path, Summary: operation.Summary}
	if operation.ExternalDocs != nil {
		o.Docs = operation.ExternalDocs.URL
	}
	for _, requirement := range *operation.Security {
		o.Scopes = append(o.Scopes, requirement["key"]...)
	}
	for _, reference := range operation.Parameters {
		parameter := reference.Value
		if parameter == nil {
			parameter = document.Components.Parameters[lastOf(reference.Ref)].Value
		}
		line := lineOf(parameter.Name, parameter.Schema)
		line.Doc = parameter.Description
		p := readParameter{fieldLine: line, In: parameter.In}
		if d := parameter.Schema.Value.Default; d != nil {
			p.Default = fmt.Sprint(d)
		}
		o.Parameters = append(o.Parameters, p)
	}
	for _, status := range slices.Sorted(maps.Keys(operation.Responses.Map())) {
		reference := operation.Responses.Value(status)
		response := reference.Value
		if response == nil {
			response = document.Components.Responses[lastOf(reference.Ref)].Value
		}
		answer := readAnswer{Status: status, Doc: *response.Description}
		for _, media := range slices.Sorted(maps.Keys(response.Content)) {
			line := lineOf("", response.Content[media].Schema)
			answer.Bodies = append(answer.Bodies, readBody{media, line.Type, line.Href})
		}
		o.Answers = append(o.Answers, answer)
	}
	return o
}

type readBody struct{ Media, Type, Href string }

// fieldTable is the fields of an object under a caption.
type fieldTable struct {
	Name, Caption string
	Fields        []fieldLine
}

// fieldLine is a field: its name with those of the objects around it.
type fieldLine struct {
	Name, Type, Href, Unit, Doc string
	Nullable, Optional          bool
	Enum                        []any
}

// fieldsTable is the fields of an object: those that are always there in their
// order, then the others.
func fieldsTable(caption string, object *openapi3.Schema) fieldTable {
	return fieldTable{Caption: caption, Fields: linesOf("", object)}
}

func linesOf(before string, object *openapi3.Schema) []fieldLine {
	var lines []fieldLine
	for _, name := range namesOf(object) {
		property := object.Properties[name]
		line := lineOf(before+name, property)
		line.Optional = !slices.Contains(object.Required, name)
		var within []fieldLine
		if schema := property.Value; schema != nil {
			within = linesOf(line.Name+".", schema)
			if schema.Items != nil && schema.Items.Value != nil {
				within = linesOf(line.Name+"[].", schema.Items.Value)
			}
		}
		if len(within) == 0 || line.Doc != "" {
			lines = append(lines, line)
		}
		lines = append(lines, within...)
	}
	return lines
}

// namesOf is the properties of an object: those that are required in that order,
// which is the columns', then the others.
func namesOf(object *openapi3.Schema) []string {
	names := slices.Clone(object.Required)
	for _, name := range slices.Sorted(maps.Keys(object.Properties)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// lineOf is a field without what is within it.
func lineOf(name string, reference *openapi3.SchemaRef) fieldLine {
	line := fieldLine{Name: name}
	if reference.Ref != "" {
		line.Type = lastOf(reference.Ref)
		line.Href = "#" + line.Type
		return line
	}
	schema := reference.Value
	line.Doc, line.Enum = schema.Description, schema.Enum
	line.Unit, _ = schema.Extensions["x-unit"].(string)
	for _, either := range schema.AnyOf {
		if either.Ref != "" {
			line.Type, line.Href = lastOf(either.Ref), "#"+lastOf(either.Ref)
		} else {
			line.Nullable = true
		}
	}
	for _, kind := range schema.Type.Slice() {
		switch {
		case kind == openapi3.TypeNull && len(schema.Type.Slice()) > 1:
			line.Nullable = true
		case kind == openapi3.TypeString && schema.Format != "":
			line.Type = map[string]string{"date": "date", "date-time": "instant"}[schema.Format]
		case kind == openapi3.TypeString:
			line.Type = "text"
		case kind == openapi3.TypeArray:
			items := lineOf("", schema.Items)
			line.Type, line.Href, line.Enum = "list of "+items.Type, items.Href, items.Enum
		case kind == openapi3.TypeObject && schema.AdditionalProperties.Schema != nil:
			line.Type = lineOf("", schema.AdditionalProperties.Schema).Type + " for each name"
		default:
			line.Type = kind
		}
	}
	return line
}

// lastOf is the name that a reference ends with.
func lastOf(reference string) string { return reference[strings.LastIndex(reference, "/")+1:] }
