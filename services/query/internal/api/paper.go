package api

import (
	"bufio"
	"strings"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
	"coworking/services/query/internal/report"
)

// paper is the suffix of a page to print.
const paper = "html"

// onPaper is a report as a page to print, with a box to tick for each row.
func onPaper(r report.Report) format {
	return format{name: paper, mediaType: "text/html; charset=utf-8", encode: func(w *bufio.Writer, a report.Answer) error {
		return encodePage(w, r, a)
	}}
}

func encodePage(w *bufio.Writer, r report.Report, a report.Answer) error {
	type total struct{ Name, Text string }
	var names []string
	for _, c := range a.Columns {
		names = append(names, spoken(c))
	}
	var rows [][]string
	for _, row := range a.Rows {
		rows = append(rows, legible(a.Columns, row, a.Meta.AsOf))
	}
	var totals []total
	if a.Totals != nil {
		for i, text := range legible(r.Totals, a.Totals, a.Meta.AsOf) {
			totals = append(totals, total{spoken(r.Totals[i]), text})
		}
	}
	zone, err := calendar.LoadZone(a.Meta.TZ)
	if err != nil {
		zone = time.UTC // each space has its own
	}
	through := ""
	if t := a.Meta.CompleteThrough; t != nil {
		through = t.In(zone).Format("15:04:05")
	}
	page, err := render("paper.html", r.Name, "/api/v1/reports/"+r.Name+"."+paper, map[string]any{
		"Report": r, "AsOf": a.Meta.AsOf.In(zone).Format("2006-01-02 15:04:05 MST"), "Through": through,
		"Spaces": strings.Join(a.Meta.Filters["space"], ", "), "Columns": names, "Rows": rows, "Totals": totals,
	})
	if err != nil {
		return err
	}
	if _, err := w.Write(page); err != nil {
		return fault.Internal.Errorf("writing an answer: %w", err)
	}
	return nil
}

// spoken is a column's name in words.
func spoken(c report.Column) string { return strings.ReplaceAll(c.Name, "_", " ") }

// legible is a row as people read it who stand before the clock on the wall: to the
// minute, with the date if that is not today's.
func legible(columns []report.Column, row any, now time.Time) []string {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i], _ = c.Cell(row)
		if at, err := time.Parse(time.RFC3339Nano, cells[i]); err == nil && c.Type == "instant" {
			layout := "15:04"
			if at.Format(time.DateOnly) != now.In(at.Location()).Format(time.DateOnly) {
				layout = "2006-01-02 15:04"
			}
			cells[i] = at.Format(layout)
		}
	}
	return cells
}
