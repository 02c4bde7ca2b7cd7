package table

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"coworking/pkg/fault"
)

// kind is how the values of a column are shown.
type kind uint8

const (
	text    kind = iota
	number       // digits in threes, on the right
	instant      // in the zone of the answer
	clock        // what a wall clock showed
	yesNo        // a truth
	drawn        // a list of figures, as a line
)

// column is a name and its values: those of the rows, and what they add up to.
type column struct {
	name     string
	kind     kind
	cells    []any
	total    any
	before   any  // of the earlier range
	totalled bool // the totals name it, be it with null
	change   any  // in percent
	axis     bool
	short    bool     // without decimals
	running  []int    // rows in which it is not over yet
	ahead    []string // by row: how far a wall clock was ahead of UTC, where that must be said
}

func (c *column) set(row int, v any) { c.cells[row] = v }

// known is all values of the column but null.
func (c *column) known() []any {
	all := append(slices.Clone(c.cells), c.total, c.before)
	return slices.DeleteFunc(all, func(v any) bool { return v == nil })
}

func (c *column) all(is func(any) bool) bool {
	return !slices.ContainsFunc(c.known(), func(v any) bool { return !is(v) })
}

// differs says whether the figures of the rows are not all the same.
func (c *column) differs() bool {
	return slices.ContainsFunc(c.cells, func(v any) bool { return v != nil && amount(v) != amount(c.cells[0]) })
}

// readKind finds out how to show the column. Where nothing is known, it would
// have been a figure.
func (c *column) readKind() {
	switch {
	case c.all(isNumber):
		c.kind = number
	case c.all(func(v any) bool { _, is := v.(bool); return is }):
		c.kind = yesNo
	case c.all(func(v any) bool { _, is := instantOf(v); return is }):
		c.kind = instant
	case c.all(func(v any) bool { _, is := clockOf(v); return is }):
		c.kind = clock
	case c.all(isSeries) && !c.all(isEmpty):
		c.kind = drawn
	}
}

func isNumber(v any) bool { _, is := v.(json.Number); return is }

// instantOf reads an instant of RFC 3339.
func instantOf(v any) (time.Time, bool) {
	text, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

// clockOf reads what a wall clock showed.
func clockOf(v any) (time.Time, bool) {
	text, _ := v.(string)
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// isSeries says whether a value is a list of figures, or of objects that hold one.
func isSeries(v any) bool {
	items, isList := v.([]any)
	return isList && !slices.ContainsFunc(items, func(item any) bool {
		o, isObject := item.(object)
		if !isObject {
			return item != nil && !isNumber(item)
		}
		_, counts := lastFigure(o)
		return !counts
	})
}

func isEmpty(v any) bool { items, _ := v.([]any); return len(items) == 0 }

// numbered says whether the column is lists of objects with a k.
func (c *column) numbered() bool {
	lists := 0
	return c.all(func(v any) bool {
		items, isList := v.([]any)
		lists += len(items)
		return isList && !slices.ContainsFunc(items, func(item any) bool {
			o, _ := item.(object)
			return !isNumber(o.get("k"))
		})
	}) && lists > 0
}

// lastFigure is what an object in a list counts: its last figure; those before it
// say of what.
func lastFigure(o object) (figure any, counts bool) {
	for _, f := range slices.Backward(o) {
		if f.value == nil || isNumber(f.value) {
			return f.value, true
		}
	}
	return nil, false
}

// ahead is how far a wall clock was ahead of UTC, as +02:00.
func ahead(start, local any) string {
	at, isInstant := instantOf(start)
	shown, isClock := clockOf(local)
	if !isInstant || !isClock {
		return ""
	}
	return " " + at.In(time.FixedZone("", int(shown.Sub(at).Seconds()))).Format("-07:00")
}

// chosen is the column of a name, or of the only one that begins like it.
func chosen(figures []*column, name string) (*column, error) {
	var names []string
	var alike []*column
	for _, c := range figures {
		if c.name == name {
			return c, nil
		}
		if strings.HasPrefix(c.name, name) {
			alike = append(alike, c)
		}
		names = append(names, c.name)
	}
	if len(alike) == 1 {
		return alike[0], nil
	}
	return nil, fault.Invalid.Errorf("--figure %s: the figures of this report are %s", name, strings.Join(names, ", "))
}

// texts is the column as it is shown: its rows, its total, the earlier total and
// the change.
type texts struct {
	rows                  []string
	total, before, change string
}

// texts writes the column's values. With weekdays, a date of an axis says which
// day of the week it is.
func (c *column) texts(zone zone, weekdays bool) texts {
	decimals := c.decimals()
	show := func(v any) string { return c.show(v, zone, decimals) }
	t := texts{rows: make([]string, len(c.cells))}
	if c.totalled {
		t.total, t.before, t.change = show(c.total), show(c.before), "–"
	}
	midnights := c.axis && c.kind == instant && c.all(zone.midnight)
	for i, v := range c.cells {
		t.rows[i] = show(v)
		switch {
		case v != nil && midnights:
			t.rows[i] = zone.date(v)
		case i < len(c.ahead):
			t.rows[i] += c.ahead[i]
		}
		if c.axis && weekdays {
			t.rows[i] += weekdayOf(t.rows[i])
		}
	}
	if len(c.running) > 0 {
		for i := range t.rows {
			mark := " "
			if slices.Contains(c.running, i) {
				mark = "*"
			}
			t.rows[i] += mark
		}
	}
	if n, isNumber := c.change.(json.Number); isNumber {
		t.change = percent(n)
	}
	return t
}

func (c *column) decimals() int {
	if c.short {
		return 0
	}
	var figures []json.Number
	for _, v := range c.known() {
		if n, isNumber := v.(json.Number); isNumber {
			figures = append(figures, n)
		}
	}
	return precision(figures)
}

// show is a value as text; null is –.
func (c *column) show(v any, zone zone, decimals int) string {
	switch value := v.(type) {
	case nil:
		return "–"
	case json.Number:
		return shown(value, decimals)
	case bool:
		if value {
			return "yes"
		}
		return "no"
	case string:
		switch c.kind {
		case instant:
			return zone.instant(v)
		case clock:
			return strings.Replace(value, "T", " ", 1)
		}
		return value
	case []any:
		if c.kind == drawn {
			return c.line(value, zone, decimals)
		}
		var parts []string
		for _, item := range value {
			parts = append(parts, c.show(item, zone, decimals))
		}
		return strings.Join(parts, ", ")
	case object:
		var parts []string
		for _, f := range value {
			parts = append(parts, f.name+" "+c.show(f.value, zone, decimals))
		}
		return strings.Join(parts, ", ")
	default:
		return fmt.Sprint(value)
	}
}

// line is a list of figures as a line, between what the first and the last of them
// count, where the list says so.
func (c *column) line(list []any, zone zone, decimals int) string {
	if len(list) == 0 {
		return ""
	}
	first, _ := list[0].(object)
	last, _ := list[len(list)-1].(object)
	drawn := line(series(list))
	if len(first) < 2 || len(last) < 2 {
		return drawn
	}
	return c.show(first[0].value, zone, decimals) + " " + drawn + " " + c.show(last[len(last)-2].value, zone, decimals)
}

// series is the figures of a list.
func series(list []any) []any {
	figures := make([]any, len(list))
	for i, item := range list {
		figures[i] = item
		if o, isObject := item.(object); isObject {
			figures[i], _ = lastFigure(o)
		}
	}
	return figures
}

// weekdayOf is the day of the week of a date, with a blank before it.
func weekdayOf(text string) string {
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return ""
	}
	return " " + date.Format("Mon")
}
