package report

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"coworking/pkg/calendar"
)

// Column is one named figure of a row. A nested one has its names joined by an
// underscore: departures_explicit.
type Column struct {
	Name     string
	In       []string // the objects that JSON nests it in, the outermost first
	Type     string   // date, instant, text, integer, number, boolean, list, or counts: a number for each of some names
	Items    []Column // what each item of a list is made of; nil: it is text
	Unit     string   // what the figure counts; "" where it is no figure
	Doc      string
	Nullable bool

	path []int // through the row's fields; nil: the name of the row's group
}

// Key is the column's name in the object of JSON that holds it: explicit, in
// departures.
func (c Column) Key() string {
	return strings.TrimPrefix(c.Name, strings.Join(append(slices.Clone(c.In), ""), "_"))
}

// Cell is the column's text in a row, and whether it is text that a person or a
// device wrote: a spreadsheet must not take such a cell for a formula. Null is "".
// Totals are a row as well.
func (c Column) Cell(row any) (text string, words bool) {
	if g, isGrouped := row.(grouped); isGrouped {
		if c.path == nil {
			if g.name == nil {
				return "", false
			}
			return *g.name, true
		}
		row = g.row
	}
	v := reflect.Indirect(reflect.ValueOf(row)).FieldByIndex(c.path)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", false
		}
		v = v.Elem()
	}
	switch value := v.Interface().(type) {
	case string:
		return value, true
	case bool:
		return strconv.FormatBool(value), false
	case int64:
		return strconv.FormatInt(value, 10), false
	case time.Time:
		return value.Format(time.RFC3339Nano), false
	case fmt.Stringer:
		return value.String(), false
	case []string:
		return strings.Join(value, "; "), true
	default: // a list or counts: one cell holds it as JSON
		text, err := json.Marshal(value)
		if err != nil {
			panic(fmt.Sprintf("report: column %s has no text: %v", c.Name, err))
		}
		return string(text), false
	}
}

// totalsOf reads the columns of totals. What carries the name of a row's column
// has its words, too.
func totalsOf[Totals any](row []Column) []Column {
	return columnsIn(reflect.TypeFor[Totals](), nil, nil, row)
}

// ColumnsOf reads a row's columns from its fields: their JSON names, `doc` and
// `unit` tags. A struct within the row is a nested name.
func ColumnsOf[Row any]() []Column {
	return columnsIn(reflect.TypeFor[Row](), nil, nil, nil)
}

func columnsIn(row reflect.Type, in []string, path []int, known []Column) []Column {
	var columns []Column
	for i := range row.NumField() {
		field := row.Field(i)
		if !field.IsExported() {
			continue // for the report's own use
		}
		name := field.Tag.Get("json")
		if name == "" || strings.ContainsAny(name, ", ") {
			panic(fmt.Sprintf("report: %s.%s has no plain JSON name", row, field.Name))
		}
		here := append(append([]int(nil), path...), i)
		if field.Type.Kind() == reflect.Struct && field.Type != reflect.TypeFor[time.Time]() {
			columns = append(columns, columnsIn(field.Type, append(slices.Clone(in), name), here, known)...)
			continue
		}
		column := Column{
			Name: strings.Join(append(slices.Clone(in), name), "_"),
			In:   in,
			Unit: field.Tag.Get("unit"),
			Doc:  field.Tag.Get("doc"),
			path: here,
		}
		kind := field.Type
		if kind.Kind() == reflect.Pointer {
			column.Nullable, kind = true, kind.Elem()
		}
		column.Type = typeName(kind)
		if column.Type == "list" && kind.Elem().Kind() == reflect.Struct {
			column.Items = columnsIn(kind.Elem(), nil, nil, nil)
		}
		if i := slices.IndexFunc(known, func(k Column) bool { return k.Name == column.Name }); i >= 0 && column.Doc == "" {
			column.Doc, column.Unit = known[i].Doc, known[i].Unit
		}
		if column.Doc == "" || column.Type == "" {
			panic(fmt.Sprintf("report: column %s of %s has no words, or a type that cannot be written", column.Name, row))
		}
		columns = append(columns, column)
	}
	return columns
}

func typeName(kind reflect.Type) string {
	switch kind {
	case reflect.TypeFor[calendar.Date]():
		return "date"
	case reflect.TypeFor[time.Time]():
		return "instant"
	case reflect.TypeFor[Hours](), reflect.TypeFor[Minutes](), reflect.TypeFor[Seconds](), reflect.TypeFor[Mean]():
		return "number"
	case reflect.TypeFor[string]():
		return "text"
	case reflect.TypeFor[int64]():
		return "integer"
	case reflect.TypeFor[bool]():
		return "boolean"
	case reflect.TypeFor[map[string]int64]():
		return "counts"
	}
	if kind.Kind() == reflect.Slice {
		return "list"
	}
	return ""
}
