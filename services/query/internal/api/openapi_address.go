package api

import (
	"net/http"
	"strings"

	"coworking/services/query/internal/report"

	"github.com/getkin/kin-openapi/openapi3"
)

// described is an address that is no report of the catalogue.
type described struct {
	path, id, tag string
	summary       string
	media         string                     // of its answer
	schema        func() *openapi3.SchemaRef // of its answer; nil: text
	refused       []int                      // the statuses with which it may refuse
}

// addresses are those that are no report of the catalogue.
var addresses = []described{
	{
		path: "/api/v1/reports", id: "listReports", tag: "reports", summary: "Every report there is.",
		media: "application/json", schema: listSchema,
		refused: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable},
	},

	{path: "/", id: "landing", tag: "documentation", summary: "The addresses there are.", media: "text/html"},
	{path: "/docs", id: "docs", tag: "documentation", summary: "How to ask, and every report with its sentence.", media: "text/html"},
	{path: "/docs/api", id: "docsAPI", tag: "documentation", summary: "This document, to be read.", media: "text/html"},
	{
		path: "/docs/reports/{report}", id: "docsReport", tag: "documentation", media: "text/html",
		summary: "What a report counts, its parameters and columns, and an example.", refused: []int{http.StatusNotFound},
	},
	{path: "/docs/style.css", id: "docsStyle", tag: "documentation", summary: "How these pages look.", media: "text/css"},
	{path: "/openapi.json", id: "openAPI", tag: "documentation", summary: "This document.", media: "application/json", schema: anObject},

	{path: "/livez", id: "livez", tag: "operations", summary: "Whether the process is alive.", media: "application/json", schema: health},
	{path: "/readyz", id: "readyz", tag: "operations", summary: "Whether it can answer questions; 503 before a stop.", media: "application/json", schema: health},
	{path: "/metrics", id: "metrics", tag: "operations", summary: "Its metrics, in the text format of Prometheus.", media: "text/plain"},

	{
		path: "/api/reports/daily_usage", id: "legacyDailyUsage", tag: "legacy", media: "application/json", schema: legacyDays,
		summary: "Tokens that were used, by the date they were issued on.", refused: []int{http.StatusInternalServerError, http.StatusServiceUnavailable},
	},
	{
		path: "/api/reports/user_visits", id: "legacyUserVisits", tag: "legacy", media: "application/json", schema: legacyUsers,
		summary: "The tokens of each user. It names persons: it needs a key of all spaces, unless the service is set to tell anybody.",
		refused: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable},
	},
	{path: "/health_check", id: "healthCheck", tag: "legacy", summary: "ok, as long as the process answers.", media: "text/html"},
	{path: "/readiness_check", id: "readinessCheck", tag: "legacy", summary: "ok, or 500 and failed if the data cannot be read.", media: "text/html"},
}

// operation is how the address is asked, and what it answers.
func (d described) operation() *openapi3.Operation {
	schema := openapi3.NewStringSchema().NewRef()
	if d.schema != nil {
		schema = d.schema()
	}
	well := func(description string) *openapi3.Response {
		response := openapi3.NewResponse().WithDescription(description)
		response.Content = openapi3.Content{d.media: openapi3.NewMediaType().WithSchemaRef(schema)}
		return response
	}
	answers := map[int]*openapi3.Response{http.StatusOK: well(d.summary)}
	switch d.id {
	case "livez", "readyz":
		answers[http.StatusServiceUnavailable] = well("It cannot, or will soon stop.")
	case "readinessCheck":
		answers[http.StatusInternalServerError] = well("failed")
	}
	scopes := admission[d.route()]
	if len(scopes) > 0 {
		answers[http.StatusOK].Headers = headersOf(0)
	}
	operation := &openapi3.Operation{
		OperationID: d.id, Summary: d.summary, Tags: []string{d.tag}, Security: needs(scopes...),
		Responses: responsesOf(answers, d.refused...),
	}
	if strings.Contains(d.path, "{report}") {
		names := openapi3.NewStringSchema()
		for _, r := range report.Catalogue {
			names.Enum = append(names.Enum, r.Name)
		}
		operation.AddParameter(openapi3.NewPathParameter("report").WithDescription("The report's name.").WithSchema(names))
	}
	return operation
}

// route is the path as the router writes it.
func (d described) route() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(d.path)
}

func health() *openapi3.SchemaRef { return schemaRef("Health") }

func anObject() *openapi3.SchemaRef { return openapi3.NewObjectSchema().NewRef() }

func listSchema() *openapi3.SchemaRef {
	list := openapi3.NewArraySchema()
	list.Items = schemaRef("Listed")
	return fieldsOf("", field{"data", list.NewRef()}).NewRef()
}

func legacyDays() *openapi3.SchemaRef {
	days := openapi3.NewObjectSchema().WithAdditionalProperties(openapi3.NewInt64Schema())
	days.Description = "How many tokens were used, by the date they were issued on, in order; dates without one are absent."
	return days.NewRef()
}

func legacyUsers() *openapi3.SchemaRef {
	users := openapi3.NewObjectSchema().WithAdditionalProperties(objectOf([]report.Column{
		{Name: "joined_at", Type: "text", Doc: "YYYY-MM-DD HH:MM:SS, with microseconds where there are any; None if nobody knows the user."},
		{Name: "visits", Type: "integer", Unit: "tokens", Doc: "All tokens, used or not."},
	}))
	users.Description = "By the user's id, in numeric order."
	return users.NewRef()
}
