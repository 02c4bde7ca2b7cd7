package table

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// sheet is an answer as columns.
type sheet struct {
	meta    meta
	columns []*column
	rows    int
	keys    int    // how many columns, from the left, say what a row is about
	inTime  bool   // rows follow one another on an axis
	running []bool // by row: it is not over yet
	changes bool   // there is an earlier range

	beside []*column // totals that no column carries
}

// sheet sets the answer out in columns.
func (a Answer) sheet() sheet {
	s := sheet{meta: metaOf(a), rows: len(a.rows), running: make([]bool, len(a.rows))}
	nested := nestedNames(a.rows)
	for i, row := range a.rows {
		for name, v := range row.flat(nested) {
			s.column(name).set(i, v)
		}
	}
	s.addTotals(a, nested)
	s.columns = spread(s.columns)
	s.markRunning()
	s.readKinds()
	s.dropStart()
	s.findKeys()
	return s
}

// nestedNames is the fields that are objects, and whether their own fields are
// columns: only where all rows have the same ones. Else they are counts of what
// happened to occur, and stay together.
func nestedNames(rows []object) map[string]bool {
	names := map[string]string{}
	nested := map[string]bool{}
	var look func(prefix string, o object)
	look = func(prefix string, o object) {
		for _, f := range o {
			inner, isObject := f.value.(object)
			if !isObject {
				continue
			}
			path, has := prefix+f.name, inner.names()
			before, seen := names[path]
			nested[path] = has != "" && (!seen || before == has && nested[path])
			names[path] = has
			look(path+"_", inner)
		}
	}
	for _, row := range rows {
		look("", row)
	}
	return nested
}

func (o object) names() string {
	var all []string
	for _, f := range o {
		all = append(all, f.name)
	}
	return strings.Join(all, "\x00")
}

// flat is the fields of an object by their joined names: departures_explicit.
func (o object) flat(nested map[string]bool) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) { o.walk("", nested, yield) }
}

func (o object) walk(prefix string, nested map[string]bool, yield func(string, any) bool) bool {
	for _, f := range o {
		name := prefix + f.name
		inner, isObject := f.value.(object)
		if isObject && nested[name] {
			if !inner.walk(name+"_", nested, yield) {
				return false
			}
			continue
		}
		if f.value == nil && nested[name] {
			continue // its columns are empty in this row
		}
		if !yield(name, f.value) {
			return false
		}
	}
	return true
}

// column is the column of a name, a new one if it is the first to be called so.
func (s *sheet) column(name string) *column {
	if c := s.named(name); c != nil {
		return c
	}
	c := &column{name: name, cells: make([]any, s.rows)}
	s.columns = append(s.columns, c)
	return c
}

// named is the column of a name, nil if there is none.
func (s *sheet) named(name string) *column {
	i := slices.IndexFunc(s.columns, func(c *column) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return s.columns[i]
}

// addTotals puts totals, those of the earlier range and the change under the
// columns of their names.
func (s *sheet) addTotals(a Answer, nested map[string]bool) {
	split := nestedNames([]object{a.totals})
	for name, isNested := range split {
		if s.named(name) != nil {
			split[name] = isNested && nested[name]
		}
	}
	for name, v := range a.totals.flat(split) {
		if name != "partial" {
			c := s.carrier(name)
			if c == nil {
				c = &column{name: name}
				s.beside = append(s.beside, c)
			}
			c.total, c.totalled = v, true
		}
	}
	changed, told := a.compare.get("change_pct").(object)
	s.changes = a.compare != nil
	for name, v := range within(a.compare, "totals").flat(split) {
		if c := s.carrier(name); c != nil {
			c.before = v
			if !told {
				c.change = change(c.total, v)
			}
		}
	}
	for name, v := range changed.flat(nestedNames([]object{changed})) {
		if c := s.carrier(name); c != nil {
			c.change = v
		}
	}
}

// carrier is what carries the total of a name, nil if nothing does yet.
func (s *sheet) carrier(name string) *column {
	if c := s.named(name); c != nil {
		return c
	}
	if i := slices.IndexFunc(s.beside, func(c *column) bool { return c.name == name }); i >= 0 {
		return s.beside[i]
	}
	return nil
}

// change is by how much a figure differs from an earlier one, in percent; nil where
// that was nothing.
func change(now, then any) any {
	_, isFigure := now.(json.Number)
	if !isFigure || amount(then) == 0 {
		return nil
	}
	return json.Number(fmt.Sprintf("%.6f", (amount(now)-amount(then))/amount(then)*100))
}

// spread makes a column of each item where a column's cells are lists of objects
// that are numbered by k.
func spread(columns []*column) []*column {
	var all []*column
	for _, c := range columns {
		if !c.numbered() {
			all = append(all, c)
			continue
		}
		var items []*column
		for row, cell := range c.cells {
			list, _ := cell.([]any)
			for _, v := range list {
				item, _ := v.(object)
				k, _ := item.get("k").(json.Number)
				name := "+" + k.String()
				i := slices.IndexFunc(items, func(c *column) bool { return c.name == name })
				if i < 0 {
					i = len(items)
					items = append(items, &column{name: name, cells: make([]any, len(c.cells)), short: true})
				}
				figure, _ := lastFigure(item)
				items[i].set(row, figure)
				if item.get("partial") == true {
					items[i].running = append(items[i].running, row)
				}
			}
		}
		slices.SortStableFunc(items, func(a, b *column) int {
			return int(amount(json.Number(a.name[1:])) - amount(json.Number(b.name[1:])))
		})
		all = append(all, items...)
	}
	return all
}

// markRunning notes which rows are still running, for which there is no column.
func (s *sheet) markRunning() {
	said := s.named("partial")
	if said != nil && said.all(func(v any) bool { _, is := v.(bool); return is }) {
		for i, v := range said.cells {
			s.running[i] = v == true
		}
		s.columns = slices.DeleteFunc(s.columns, func(c *column) bool { return c == said })
	}
	if s.meta.partialLast && s.rows > 0 {
		s.running[s.rows-1] = true
	}
}

func (s *sheet) readKinds() {
	for _, c := range append(slices.Clone(s.columns), s.beside...) {
		c.readKind()
	}
}

// dropStart takes the instants away where the wall clock stands beside them. An
// hour that clocks repeat is told apart by what they were ahead of UTC.
func (s *sheet) dropStart() {
	start, local := s.named("start"), s.named("local")
	if start == nil || local == nil || local.kind != clock {
		return
	}
	at := slices.Index(s.columns, local)
	seen := map[string]int{}
	row := func(i int) string {
		var key strings.Builder
		for _, c := range s.columns[:at] {
			if c != start {
				fmt.Fprint(&key, c.cells[i], "\x00")
			}
		}
		fmt.Fprint(&key, local.cells[i])
		return key.String()
	}
	for i := range s.rows {
		seen[row(i)]++
	}
	local.ahead = make([]string, s.rows)
	for i := range s.rows {
		if seen[row(i)] > 1 {
			local.ahead[i] = ahead(start.cells[i], local.cells[i])
		}
	}
	s.columns = slices.DeleteFunc(s.columns, func(c *column) bool { return c == start })
}

// axes is the columns that rows follow one another by.
var axes = []string{"date", "start", "local", "cohort", "bucket", "weeks", "weekday", "hour"}

// findKeys finds what says what a row is about: the first column, and those before
// the axis, which are the group's.
func (s *sheet) findKeys() {
	s.keys = min(1, len(s.columns))
	for i, c := range s.columns[:min(3, len(s.columns))] {
		if slices.Contains(axes, c.name) && c.kind != drawn {
			s.keys, s.inTime = i+1, true
			c.axis = true
		}
	}
}

// figure is the column that bars and shades show: the one that was asked for, else
// the first figure that is not the same in all rows.
func (s *sheet) figure(asked string) (*column, error) {
	var figures []*column
	for _, c := range s.columns[s.keys:] {
		if c.kind == number {
			figures = append(figures, c)
		}
	}
	if asked != "" {
		return chosen(figures, asked)
	}
	for _, c := range figures {
		if c.differs() {
			return c, nil
		}
	}
	if len(figures) == 0 {
		return nil, nil
	}
	return figures[0], nil
}
