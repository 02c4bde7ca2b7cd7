// Package report is the questions that can be asked of the numbers: each report
// is its name, its parameters, its queries and its columns, in one place. What
// else knows a report (routes, CSV headers, documentation) is made from that.
package report

import (
	"context"
	"net/url"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pg"
)

// Report is a named question with parameters and columns.
type Report struct {
	Name string
	Definition
	Params  []Param
	Columns []Column // of a row
	Totals  []Column // of the whole range

	look func(ctx context.Context, r *Reader, q Question, likely Likely) (Look, error)
}

// Definition is what a report means, in the words of its page.
type Definition struct {
	Doc      string   // one sentence: what a row counts
	Counts   []string // how it is counted, a sentence each
	Leaves   []string // what is left out, and what the numbers do not say
	Reads    string   // what its queries read, in plain English
	Example  string   // the parameters of the example on its page
	Personal bool     // it names persons: only who may read members is answered
	Printed  bool     // it is for paper, too: there is a page of it to print
	Anywhere bool     // a member's visits to all spaces matter, also to those not asked for
}

// Question is what is asked of a report, when, and by whom.
type Question struct {
	Report  Report
	Query   url.Values
	AsOf    time.Time
	Visible []string // the spaces that the asker may know of; nil: all
}

// Answer is what came of a question. Rows and Totals are structs whose JSON
// names are the report's columns.
type Answer struct {
	Columns []Column
	Rows    []any
	Totals  any
	Compare *Comparison // nil: not asked for
	Meta    Meta
	Version string // the same as long as nothing changed that the answer rests on
}

// counted is what a report's own code hands back: its rows, the whole range in
// the same words, and what an answer says of itself.
type counted[Row, Totals any] struct {
	rows        []Row
	totals      Totals
	interval    string // the width of a row: 15m, hour, day, week or month; "": rows are not stretches of time
	partialLast bool   // the last row is still running
	ends        ends
	next        *string // the cursor of the rows after these
}

// define makes a report of its parameters P, its row and its totals. It panics
// where a field lacks its name or its words, so that the first test finds it and
// no page that is made from the catalogue has holes.
func define[P asker, Row, Totals any](
	name string, words Definition,
	count func(ctx context.Context, s *scope, params P) (counted[Row, Totals], error),
) Report {
	if words.Doc == "" || len(words.Counts) == 0 || words.Reads == "" {
		panic("report: " + name + " lacks words")
	}
	r := Report{Name: name, Definition: words, Params: paramsOf[P](), Columns: ColumnsOf[Row]()}
	r.Totals = totalsOf[Totals](r.Columns)
	r.look = func(ctx context.Context, reader *Reader, q Question, likely Likely) (Look, error) {
		var params P
		if err := decode(&params, r.Params, q.Query); err != nil {
			return Look{}, err
		}
		answering := func(ctx context.Context, answer *Answer) func(*scope) error {
			return func(s *scope) error {
				*answer = Answer{}
				err := fill(ctx, answer, s, r, params, func(s *scope) (table[Totals], error) {
					return tabulate(ctx, s, params, count)
				})
				if err == nil {
					answer.Version = s.version()
				}
				return err
			}
		}
		looked, within, err := reader.look(ctx, q, params, likely, answering(ctx, &Answer{}))
		if err != nil {
			return Look{}, err
		}
		return Look{
			Version: looked.version(), Basis: looked.basis(), within: within,
			Answer: func(ctx context.Context) (answer Answer, err error) {
				if within != nil && !within.ended {
					defer within.end(ctx)
					return answer, pg.Classify(answering(ctx, &answer)(looked))
				}
				err = reader.count(ctx, looked, q, params, answering(ctx, &answer))
				return answer, err
			},
		}, nil
	}
	return r
}

// AsksForPersons says whether only somebody who may read members may ask this.
func (r Report) AsksForPersons(query url.Values) bool {
	if r.Personal {
		return true
	}
	for _, p := range r.Params {
		if p.Personal && query.Has(p.Name) {
			return true
		}
	}
	return false
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
