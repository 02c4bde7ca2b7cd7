package table

import (
	"slices"
	"strings"
)

// How wide things are.
const (
	gap       = 2  // between columns
	barLeast  = 5  // a bar that is shorter says nothing
	barWanted = 12 // worth folding names of columns for
	barMost   = 40
	textLeast = 12 // what text is not cut below
)

// strip is a column as it stands in a table.
type strip struct {
	column *column
	texts  texts
	width  int
	right  bool
}

// layout is strips beside one another, and how much room is left for bars.
type layout struct {
	strips []strip
	names  bool // of columns may be folded
	bar    int
}

// lay draws the rows as a table; what is too wide for the terminal goes on below,
// with the key columns once more.
func (s *sheet) lay(figure *column, most int) []string {
	var lines []string
	l := s.fit(figure, most)
	for i, columns := range l.panels(s.keys, most) {
		if i > 0 {
			lines = append(lines, "")
			l.bar = 0
		}
		lines = append(lines, s.draw(layout{strips: columns, bar: l.bar, names: l.names}, figure)...)
	}
	if slices.Contains(s.running, true) || slices.ContainsFunc(s.columns, func(c *column) bool { return c.running != nil }) {
		lines = append(lines, stillRunning)
	}
	return lines
}

// fit looks for the most comfortable way to have all columns in the width.
func (s *sheet) fit(figure *column, most int) layout {
	bars := s.inTime && figure != nil
	days := s.meta.interval == "day"
	attempts := []struct {
		names, days bool
		bar         int
	}{
		{false, days, barWanted}, {true, days, barWanted}, {true, days, barLeast}, {true, false, barLeast}, {true, false, 0},
	}
	var l layout
	for _, a := range attempts {
		l = layout{strips: s.strips(a.names, a.days), names: a.names}
		if !bars {
			a.bar = 0
		}
		left := most - l.width()
		switch {
		case most == 0 && bars:
			l.bar = barMost / 2
			return l
		case most == 0:
			return l
		case a.bar > 0 && left >= gap+a.bar:
			l.bar = min(left-gap, barMost)
			return l
		case a.bar == 0 && left >= 0:
			return l
		}
	}
	if narrow := (layout{strips: slices.Clone(l.strips)}); narrow.squeeze(most) {
		l.strips = narrow.strips
	}
	return l
}

// strips is the columns with their widths.
func (s *sheet) strips(folded, weekdays bool) []strip {
	strips := make([]strip, len(s.columns))
	for i, c := range s.columns {
		t := c.texts(s.meta.zone, weekdays)
		if i == s.keys-1 {
			s.mark(&t)
		}
		if i == 0 && !c.totalled {
			t.total, t.before, t.change = "total", "before", "change"
		}
		strip := strip{column: c, texts: t, width: width(c.name), right: c.kind == number}
		if folded {
			strip.width = longest(c.name)
		}
		for _, text := range t.rows {
			strip.width = max(strip.width, width(text))
		}
		if s.totalled() {
			strip.width = max(strip.width, width(t.total))
		}
		if s.totalled() && s.changes {
			strip.width = max(strip.width, width(t.before), width(t.change))
		}
		strips[i] = strip
	}
	return strips
}

// mark marks the rows that are still running.
func (s *sheet) mark(t *texts) {
	if !slices.Contains(s.running, true) {
		return
	}
	for i, running := range s.running {
		mark := "  "
		if running {
			mark = " *"
		}
		t.rows[i] += mark
	}
}

// totalled says whether any column has a total.
func (s *sheet) totalled() bool {
	return slices.ContainsFunc(s.columns, func(c *column) bool { return c.totalled })
}

func (l layout) width() int {
	total := -gap
	for _, s := range l.strips {
		total += s.width + gap
	}
	return total
}

// squeeze cuts text, the widest first, until all of it fits; false if it cannot.
func (l layout) squeeze(most int) bool {
	for l.width() > most {
		widest := -1
		for i, s := range l.strips {
			if s.right || s.width <= max(textLeast, longest(s.column.name)) || s.column.kind != text && s.column.kind != drawn {
				continue
			}
			if widest < 0 || s.width > l.strips[widest].width {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		l.strips[widest].width--
	}
	return true
}

// panels cuts the columns into as many tables as they need.
func (l layout) panels(keys, most int) [][]strip {
	if most == 0 || l.width() <= most {
		return [][]strip{l.strips}
	}
	for i, s := range l.strips {
		if s.column.kind == text {
			l.strips[i].width = min(s.width, max(textLeast, longest(s.column.name), most/3))
		}
	}
	var panels [][]strip
	open := slices.Clone(l.strips[:keys])
	for _, next := range l.strips[keys:] {
		wider := layout{strips: append(slices.Clone(open), next)}
		if len(open) > keys && wider.width() > most {
			panels = append(panels, open)
			wider.strips = append(slices.Clone(l.strips[:keys]), next)
		}
		open = wider.strips
	}
	return append(panels, open)
}

// draw is one table in lines.
func (s *sheet) draw(l layout, figure *column) []string {
	lines := l.title(figure)
	rule := strings.Repeat("─", max(0, l.width()))
	lines = append(lines, rule)
	most := 0.0
	if l.bar > 0 {
		for _, v := range figure.cells {
			most = max(most, amount(v))
		}
	}
	for i := range s.rows {
		row := l.row(func(t texts) string { return t.rows[i] })
		if l.bar > 0 {
			row += strings.Repeat(" ", gap) + bar(amount(figure.cells[i])/most, l.bar)
		}
		lines = append(lines, row)
	}
	if !slices.ContainsFunc(l.strips, func(s strip) bool { return s.column.totalled }) {
		return lines
	}
	lines = append(lines, rule, l.row(func(t texts) string { return t.total }))
	if s.changes {
		lines = append(lines, l.row(func(t texts) string { return t.before }), l.row(func(t texts) string { return t.change }))
	}
	return lines
}

// title is the names of the columns, the last line of each right above its rows.
func (l layout) title(figure *column) []string {
	names := make([][]string, len(l.strips))
	height := 1
	for i, s := range l.strips {
		names[i] = []string{s.column.name}
		if l.names {
			names[i] = folded(s.column.name, s.width)
		}
		height = max(height, len(names[i]))
	}
	lines := make([]string, height)
	for at := range lines {
		var parts []string
		for i, s := range l.strips {
			name := ""
			if from := height - len(names[i]); at >= from {
				name = names[i][at-from]
			}
			parts = append(parts, pad(cut(name, s.width), s.width, s.right))
		}
		lines[at] = strings.Join(parts, strings.Repeat(" ", gap))
	}
	if l.bar > 0 {
		lines[height-1] += strings.Repeat(" ", gap) + cut(figure.name, l.bar)
	}
	return lines
}

// row is one line of texts.
func (l layout) row(of func(texts) string) string {
	var parts []string
	for _, s := range l.strips {
		parts = append(parts, pad(cut(of(s.texts), s.width), s.width, s.right))
	}
	return strings.Join(parts, strings.Repeat(" ", gap))
}
