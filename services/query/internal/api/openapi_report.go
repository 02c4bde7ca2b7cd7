package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"coworking/pkg/key"
	"coworking/services/query/internal/report"

	"github.com/getkin/kin-openapi/openapi3"
)

// operationOf is how a report is asked, and what it answers.
func operationOf(r report.Report) (*openapi3.Operation, error) {
	example, err := r.ExampleAnswer()
	if err != nil {
		return nil, err
	}
	operation := &openapi3.Operation{
		OperationID: camel(r.Name),
		Summary:     r.Doc,
		Description: wordsOf(r),
		Tags:        []string{"reports"},
		Security:    needs(scopeOf(r)),
		ExternalDocs: &openapi3.ExternalDocs{
			URL: "/docs/reports/" + r.Name, Description: "What is counted, with an example.",
		},
		Responses: responsesOf(map[int]*openapi3.Response{
			http.StatusOK:          rowsOf(r, example),
			http.StatusNotModified: openapi3.NewResponse().WithDescription("Nothing has changed since the answer of If-None-Match."),
		},
			http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
			http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable),
	}
	operation.Responses.Status(http.StatusNotModified).Value.Headers = headersOf(http.StatusNotModified)
	for _, p := range r.Params {
		parameter := &openapi3.ParameterRef{Value: parameterOf(p)}
		if isShared(p) {
			parameter = &openapi3.ParameterRef{Ref: "#/components/parameters/" + pascal(p.Name)}
		}
		operation.Parameters = append(operation.Parameters, parameter)
	}
	for _, name := range []string{"Format", "IfNoneMatch"} {
		operation.Parameters = append(operation.Parameters, &openapi3.ParameterRef{Ref: "#/components/parameters/" + name})
	}
	return operation, nil
}

// scopeOf is what who asks a report needs.
func scopeOf(r report.Report) key.Scope {
	if r.Personal {
		return key.ReadMembers
	}
	return key.ReadReports
}

// wordsOf is what a report means, in Markdown.
func wordsOf(r report.Report) string {
	var words strings.Builder
	for _, sentence := range r.Counts {
		words.WriteString("- " + sentence + "\n")
	}
	if len(r.Leaves) > 0 {
		words.WriteString("\nWhat is left out, and what it does not say:\n\n")
	}
	for _, sentence := range r.Leaves {
		words.WriteString("- " + sentence + "\n")
	}
	words.WriteString("\nIt reads: " + r.Reads)
	if r.Printed {
		words.WriteString("\n\nThe suffix `." + paper + "` of its address gives a page to print.")
	}
	if r.Personal {
		words.WriteString("\n\nIt names persons: it needs the scope " + string(key.ReadMembers) + ".")
	}
	return words.String()
}

// rowsOf is the answer of a report, in every format.
func rowsOf(r report.Report, example []byte) *openapi3.Response {
	response := openapi3.NewResponse().WithDescription(r.Doc)
	response.Headers = headersOf(http.StatusOK)
	object := openapi3.NewMediaType().WithSchemaRef(schemaRef(pascal(r.Name) + "Answer"))
	object.Examples = openapi3.Examples{"example": &openapi3.ExampleRef{Value: &openapi3.Example{
		Summary: exampleOf(r), Value: json.RawMessage(example),
	}}}
	names := make([]string, len(r.Columns))
	for i, column := range r.Columns {
		names[i] = column.Name
	}
	table, lines := openapi3.NewStringSchema(), openapi3.NewStringSchema()
	table.Description = "The rows of data (RFC 4180), after a line with their names; nested names are joined by an underscore, null is empty. With group_by, the group's column comes first. Text that a spreadsheet would take for a formula begins with an apostrophe."
	table.Examples = []any{strings.Join(names, ",") + "\r\n"}
	lines.Description = "The rows of data, one to a line, each a " + pascal(r.Name) + "Row."
	response.Content = openapi3.Content{
		"application/json":     object,
		"text/csv":             openapi3.NewMediaType().WithSchema(table),
		"application/x-ndjson": openapi3.NewMediaType().WithSchema(lines),
	}
	return response
}

// exampleOf is the address of a report's example.
func exampleOf(r report.Report) string {
	address := "/api/v1/reports/" + r.Name
	if r.Example != "" {
		address += "?" + r.Example
	}
	return address
}

// isShared says whether more than one report takes a parameter, all in the same
// words.
func isShared(p report.Param) bool {
	takers := 0
	for _, r := range report.Catalogue {
		for _, its := range r.Params {
			if its.Name != p.Name {
				continue
			}
			if !alike(its, p) {
				return false
			}
			takers++
		}
	}
	return takers > 1
}

func alike(a, b report.Param) bool {
	return a.Doc == b.Doc && a.Type == b.Type && slices.Equal(a.Enum, b.Enum) && a.Default == b.Default &&
		a.Repeated == b.Repeated && a.Least == b.Least && a.Most == b.Most && a.Personal == b.Personal
}

// sharedParameters are those that reports have in common.
func sharedParameters() openapi3.ParametersMap {
	format := openapi3.NewStringSchema()
	for _, f := range formats {
		format.Enum = append(format.Enum, f.name)
	}
	parameters := openapi3.ParametersMap{
		"Format": {Value: openapi3.NewQueryParameter("format").WithSchema(format).
			WithDescription("How the answer is written; without it, as Accept says, else as " + formats[0].name + ".")},
		"IfNoneMatch": {Value: openapi3.NewHeaderParameter("If-None-Match").WithSchema(openapi3.NewStringSchema()).
			WithDescription("The ETag of an answer that is at hand.")},
	}
	for _, r := range report.Catalogue {
		for _, p := range r.Params {
			if name := pascal(p.Name); parameters[name] == nil && isShared(p) {
				parameters[name] = &openapi3.ParameterRef{Value: parameterOf(p)}
			}
		}
	}
	return parameters
}

// parameterOf is one thing that may be asked.
func parameterOf(p report.Param) *openapi3.Parameter {
	schema := openapi3.NewStringSchema()
	switch p.Type {
	case "integer":
		schema = openapi3.NewIntegerSchema().WithMin(float64(p.Least)).WithMax(float64(p.Most))
	case "boolean":
		schema = openapi3.NewBoolSchema()
	case "date":
		schema.Examples = []any{"2026-03-29", "2026-03-29T10:00:00Z"}
	case "zone":
		schema.Examples = []any{"Europe/Berlin"}
	}
	for _, value := range p.Enum {
		schema.Enum = append(schema.Enum, value)
	}
	if p.Default != "" {
		schema.Default = defaultOf(p)
	}
	parameter := openapi3.NewQueryParameter(p.Name).WithDescription(meaning(p))
	if p.Repeated {
		parameter.Style, parameter.Explode = openapi3.SerializationForm, new(true)
		schema = openapi3.NewArraySchema().WithItems(schema)
	}
	return parameter.WithSchema(schema)
}

// meaning is what a parameter does, and what who gives it needs.
func meaning(p report.Param) string {
	if !p.Personal || strings.Contains(p.Doc, string(key.ReadMembers)) {
		return p.Doc
	}
	return p.Doc + " It names persons: it needs the scope " + string(key.ReadMembers) + "."
}

// defaultOf is what holds without the parameter, as a value of its type.
func defaultOf(p report.Param) any {
	switch p.Type {
	case "integer":
		if n, err := strconv.Atoi(p.Default); err == nil {
			return n
		}
	case "boolean":
		return p.Default == "true"
	}
	return p.Default
}
