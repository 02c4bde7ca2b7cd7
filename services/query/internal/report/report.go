// Package report is the questions that can be asked of the numbers: each report
// is its name, its parameters, its queries and its columns, in one place. What
// else knows a report (routes, CSV headers, documentation) is made from that.
package report

import (
	"context"
	"net/url"

	"coworking/pkg/fault"
)

// Report is a named question with parameters and columns.
type Report struct {
	Name    string
	Doc     string // one sentence: what a row counts
	Params  []Param
	Columns []Column

	ask func(ctx context.Context, r *Reader, query url.Values, asOf int64) (Answer, error)
}

// Answer is what came of a question. Rows and Totals are structs whose JSON
// names are the report's columns.
type Answer struct {
	Columns []Column
	Rows    []any
	Totals  any
	Meta    Meta
}

// counted is what a report's own code hands back: its rows, the whole range in
// the same words, and what an answer says of itself.
type counted[Row, Totals any] struct {
	rows        []Row
	totals      Totals
	interval    string // the width of a row: 15m, hour, day, week or month
	partialLast bool   // the last row is still running
	ends        ends
}

// define makes a report of its parameters P, its row and its totals. It panics
// where a field lacks its name or its words, so that the first test finds it and
// no page that is made from the catalogue has holes.
func define[P asker, Row, Totals any](
	name, doc string,
	count func(ctx context.Context, s *scope, params P) (counted[Row, Totals], error),
) Report {
	r := Report{Name: name, Doc: doc, Params: paramsOf[P](), Columns: ColumnsOf[Row]()}
	r.ask = func(ctx context.Context, reader *Reader, query url.Values, asOf int64) (Answer, error) {
		var params P
		if err := decode(&params, r.Params, query); err != nil {
			return Answer{}, err
		}
		answer := Answer{Columns: r.Columns}
		err := reader.snapshot(ctx, params.asked(), asOf, func(s *scope) error {
			result, err := count(ctx, s, params)
			if err != nil {
				return err
			}
			answer.Rows = make([]any, len(result.rows))
			for i := range result.rows {
				answer.Rows[i] = &result.rows[i]
			}
			answer.Totals = result.totals
			answer.Meta, err = s.meta(ctx, name, result.interval, result.partialLast, result.ends)
			return err
		})
		if err != nil {
			return Answer{}, err
		}
		return answer, nil
	}
	return r
}

// Find is the report of a name. There being none is fault.NotFound,
// `report_not_found`.
func Find(name string) (Report, error) {
	for _, r := range Catalogue {
		if r.Name == name {
			return r, nil
		}
	}
	return Report{}, fault.NotFound.With("report_not_found", "", "there is no report %q", name)
}

// catalogue is the reports in the order they are listed. Two of one name are a
// mistake that no request should have to find.
func catalogue(reports ...Report) []Report {
	seen := map[string]bool{}
	for _, r := range reports {
		if seen[r.Name] {
			panic("report: " + r.Name + " is in the catalogue twice")
		}
		seen[r.Name] = true
	}
	return reports
}
