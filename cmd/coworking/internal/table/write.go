package table

import (
	"io"
	"slices"
	"strings"
)

// stillRunning says what a star beside a row or a figure means.
const stillRunning = "* still running"

// Style is how an answer is to be drawn.
type Style struct {
	Width  int    // columns of the terminal; 0: as wide as it needs
	Figure string // the column that bars and shades show; "": the first that differs
	Rows   bool   // every row, also where shades would say it
}

// Write draws an answer: what it is about, its rows, and what they add up to.
// fault.Invalid if it has no such figure.
func Write(out io.Writer, a Answer, style Style) error {
	s := a.sheet()
	figure, err := s.figure(style.Figure)
	if err != nil {
		return err
	}
	p := paper{width: style.Width}
	for _, parts := range s.meta.lines {
		p.put(fill(parts, " · ", style.Width)...)
	}
	p.put("")
	pictures, drawable := s.grids(figure, style.Width)
	switch {
	case s.rows == 0:
		p.put("no rows", "")
		p.put(s.besides(s.columns, style.Width)...)
	case drawable && !style.Rows:
		for _, g := range pictures {
			p.put(g.lines()...)
		}
		if slices.Contains(s.running, true) {
			p.put(stillRunning)
		}
		p.put(s.besides(s.columns, style.Width)...)
		p.put("The rows themselves: --rows.")
	default:
		p.put(s.lay(figure, style.Width)...)
	}
	p.put(s.besides(s.beside, style.Width)...)
	_, err = io.WriteString(out, p.String())
	return err
}

// paper is lines that are no wider than a terminal.
type paper struct {
	strings.Builder

	width int
}

func (p *paper) put(lines ...string) {
	for _, line := range lines {
		if p.width > 0 {
			line = cut(line, p.width)
		}
		p.WriteString(strings.TrimRight(line, " "))
		p.WriteByte('\n')
	}
}

// besides is totals that stand under no column, with how they changed.
func (s *sheet) besides(columns []*column, width int) []string {
	var parts []string
	for _, c := range columns {
		if !c.totalled {
			continue
		}
		t := c.texts(s.meta.zone, false)
		part := c.name + " " + t.total
		if s.changes && c.kind == number {
			part += " (" + t.change + ", was " + t.before + ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nil
	}
	return fill(append([]string{"in all"}, parts...), " · ", width)
}
