package api

import (
	"net/http"
	"slices"

	"coworking/services/query/internal/report"

	"github.com/getkin/kin-openapi/openapi3"
)

// schemasOf is a report's row, its totals, and the whole of its answer.
func schemasOf(r report.Report) openapi3.Schemas {
	name := pascal(r.Name)
	row, null := objectOf(r.Columns), &openapi3.Schema{Type: &openapi3.Types{openapi3.TypeNull}}
	compare := &openapi3.Schema{Type: null.Type, Description: "This report compares nothing."}
	for _, p := range r.Params {
		switch p.Name {
		case "group_by":
			addGroups(row, p)
		case "compare":
			compare = &openapi3.Schema{
				AnyOf:       openapi3.SchemaRefs{schemaRef(name + "Comparison"), null.NewRef()},
				Description: "The earlier range; null where none was asked for.",
			}
		}
	}
	row.Description = r.Doc
	totals := objectOf(r.Totals)
	totals.Description = "The whole range."
	rows := openapi3.NewArraySchema()
	rows.Items = schemaRef(name + "Row")
	schemas := openapi3.Schemas{
		name + "Row":    row.NewRef(),
		name + "Totals": totals.NewRef(),
		name + "Answer": fieldsOf(r.Doc,
			field{"data", rows.NewRef()}, field{"totals", schemaRef(name + "Totals")},
			field{"compare", compare.NewRef()}, field{"meta", schemaRef("Meta")},
		).NewRef(),
	}
	if len(compare.AnyOf) > 0 {
		comparison := objectOf([]report.Column{
			{Name: "from", Type: "text", Doc: "The earlier range's first day, or an instant."},
			{Name: "to", Type: "text", Doc: "The day after its last, or an instant."},
			{Name: "as_of", Type: "instant", Doc: "Up to when it was counted: of a range that is still running, the part that had passed then."},
		})
		addFields(comparison, field{"data", rows.NewRef()}, field{"totals", schemaRef(name + "Totals")}, field{"change_pct", changesOf(r).NewRef()})
		schemas[name+"Comparison"] = comparison.NewRef()
	}
	return schemas
}

// addGroups adds the column of the group, which a row has if it was asked for; some
// reports have a column for it, whatever is asked.
func addGroups(row *openapi3.Schema, by report.Param) {
	if _, own := row.Properties["group"]; own {
		return
	}
	for _, group := range by.Enum {
		if _, taken := row.Properties[group]; !taken {
			row.WithPropertyRef(group, schemaOf(report.Column{
				Type: "text", Nullable: true, Doc: "The group, with group_by=" + group + "; null where that is not said.",
			}).NewRef())
		}
	}
}

// changesOf is by how much each figure of the totals differs from the earlier one.
func changesOf(r report.Report) *openapi3.Schema {
	var changes []report.Column
	for _, c := range r.Totals {
		if c.Type == "integer" || c.Type == "number" {
			changes = append(changes, report.Column{Name: c.Name, Type: "number", Nullable: true, Unit: "percent", Doc: c.Doc})
		}
	}
	schema := objectOf(changes)
	schema.Description = "By how many percent each total differs from the earlier one; null where that was nothing, or is not known."
	return schema
}

// field is a name in an object.
type field struct {
	name   string
	schema *openapi3.SchemaRef
}

// fieldsOf is an object of these fields and no others.
func fieldsOf(words string, fields ...field) *openapi3.Schema {
	object := openapi3.NewObjectSchema().WithoutAdditionalProperties()
	object.Description = words
	addFields(object, fields...)
	return object
}

func addFields(object *openapi3.Schema, fields ...field) {
	for _, f := range fields {
		object.WithPropertyRef(f.name, f.schema)
		object.Required = append(object.Required, f.name) // in this order, which properties do not keep
	}
}

// objectOf is columns as their JSON nests.
func objectOf(columns []report.Column) *openapi3.Schema {
	object := fieldsOf("")
	for _, c := range columns {
		within := object
		for _, name := range c.In {
			if within.Properties[name] == nil {
				addFields(within, field{name, fieldsOf("").NewRef()})
			}
			within = within.Properties[name].Value
		}
		addFields(within, field{c.Key(), schemaOf(c).NewRef()})
	}
	return object
}

// schemaOf is what a column holds.
func schemaOf(c report.Column) *openapi3.Schema {
	schema := openapi3.NewStringSchema()
	switch c.Type {
	case "date":
		schema.Format = "date"
	case "instant":
		schema.Format = "date-time"
	case "integer":
		schema = openapi3.NewInt64Schema()
	case "number":
		schema = openapi3.NewFloat64Schema().WithFormat("double")
	case "boolean":
		schema = openapi3.NewBoolSchema()
	case "list":
		items := openapi3.NewStringSchema()
		if c.Items != nil {
			items = objectOf(c.Items)
		}
		schema = openapi3.NewArraySchema().WithItems(items)
	case "counts":
		schema = openapi3.NewObjectSchema().WithAdditionalProperties(openapi3.NewInt64Schema())
	}
	if c.Nullable {
		nullable := append(slices.Clone(*schema.Type), openapi3.TypeNull)
		schema.Type = &nullable
	}
	schema.Description = c.Doc
	if c.Unit != "" {
		schema.Extensions = map[string]any{"x-unit": c.Unit}
	}
	return schema
}

// schemaRef is a schema by its name.
func schemaRef(name string) *openapi3.SchemaRef {
	return openapi3.NewSchemaRef("#/components/schemas/"+name, nil)
}

// sharedSchemas are those that are of no report.
func sharedSchemas() openapi3.Schemas {
	schemas := openapi3.Schemas{
		"Meta":   metaSchema().NewRef(),
		"Health": healthSchema().NewRef(),
		"Listed": objectOf([]report.Column{
			{Name: "name", Type: "text", Doc: "The report's name."},
			{Name: "doc", Type: "text", Doc: "What it counts."},
			{Name: "personal", Type: "boolean", Doc: "It names persons: it needs the scope members:read."},
			{Name: "href", Type: "text", Doc: "Its address."},
			{Name: "definition", Type: "text", Doc: "The address of its page."},
			{Name: "columns", Type: "list", Doc: "Its columns, as in CSV."},
		}).NewRef(),
		"Problem": problemSchema(0).NewRef(),
	}
	for _, status := range statuses {
		schemas[refusal(status)] = problemSchema(status).NewRef()
	}
	return schemas
}

func metaSchema() *openapi3.Schema {
	meta := objectOf([]report.Column{
		{Name: "report", Type: "text", Doc: "The report's name."},
		{Name: "definition", Type: "text", Doc: "The address of its page."},
		{Name: "schema", Type: "integer", Doc: "The version of what answers look like; it moves when a name changes, or its meaning."},
		{Name: "tz", Type: "text", Doc: "Whose dates these are; per-space: several spaces, each on its own."},
		{Name: "from", Type: "text", Doc: "The first day, or an instant."},
		{Name: "to", Type: "text", Doc: "The day after the last, or an instant."},
		{Name: "interval", Type: "text", Doc: "The width of a row; empty where rows are not stretches of time."},
		{Name: "group_by", Type: "text", Nullable: true, Doc: "What rows are grouped by."},
		{Name: "filters", Type: "counts", Doc: "What the answer was narrowed down to, by parameter."},
		{Name: "as_of", Type: "instant", Doc: "The answer says what held then."},
		{Name: "complete_through", Type: "instant", Nullable: true, Doc: "All that the stream had stored by then is in the numbers; null if that is not known."},
		{Name: "partial_last", Type: "boolean", Doc: "The last row is still running."},
		{Name: "refiling", Type: "boolean", Doc: "Settings changed; some days are still as before."},
		{Name: "late_events", Type: "integer", Unit: "events", Doc: "How many came late."},
		{Name: "estimated_share", Type: "number", Nullable: true, Doc: "Of the visits that have ended, how many had that inferred; null where no end is used."},
		{Name: "next_cursor", Type: "text", Nullable: true, Doc: "Where the list goes on; null at its end."},
	})
	meta.Description = "What an answer says of itself."
	meta.Properties["filters"].Value.WithAdditionalProperties(openapi3.NewArraySchema().WithItems(openapi3.NewStringSchema()))
	interval := meta.Properties["interval"].Value
	for _, width := range []string{"", "15m", "hour", "day", "week", "month"} {
		interval.Enum = append(interval.Enum, width)
	}
	return meta
}

// problemSchema is a problem of one status, or of any.
func problemSchema(status int) *openapi3.Schema {
	problem := objectOf([]report.Column{
		{Name: "type", Type: "text", Doc: "Always about:blank: the code says more."},
		{Name: "title", Type: "text", Doc: "What the status is called."},
		{Name: "status", Type: "integer", Doc: "The status again."},
		{Name: "code", Type: "text", Doc: "What is wrong, for machines."},
		{Name: "detail", Type: "text", Doc: "What is wrong, for people."},
	})
	problem.Description = "An answer that is none (RFC 9457)."
	problem.WithProperty("parameter", schemaOf(report.Column{
		Type: "text", Doc: "The query parameter at fault, or the scope that is missing.",
	}))
	if status == 0 {
		return problem
	}
	problem.Description = http.StatusText(status) + " (RFC 9457)."
	problem.Properties["status"].Value.Const = status
	for _, code := range codesOf(status) {
		problem.Properties["code"].Value.Enum = append(problem.Properties["code"].Value.Enum, code)
	}
	return problem
}

func healthSchema() *openapi3.Schema {
	health := objectOf([]report.Column{
		{Name: "status", Type: "text", Doc: "ok, failing or stopping."},
		{Name: "checks", Type: "counts", Doc: "What was looked at, by name: ok, or what is wrong."},
	})
	health.Properties["checks"].Value.WithAdditionalProperties(openapi3.NewStringSchema())
	notes := openapi3.NewObjectSchema().WithAdditionalProperties(openapi3.NewStringSchema())
	notes.Description = "What an operator should know, but that does not count."
	return health.WithProperty("notes", notes)
}
