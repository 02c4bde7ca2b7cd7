// Package table draws the answer of any report for a terminal. It knows no report:
// what an answer looks like decides how it is drawn.
package table

import (
	"coworking/pkg/fault"
)

// Answer is what the query service answers: rows, totals, an earlier range if one
// was asked for, and what it says of itself.
type Answer struct {
	rows    []object
	totals  object
	compare object
	meta    object
}

// Parse reads an answer in JSON. Everything that is text loses what a terminal
// would take for an order.
func Parse(body []byte) (Answer, error) {
	parsed, err := decode(body)
	if err != nil {
		return Answer{}, fault.Internal.Errorf("reading an answer: %w", err)
	}
	whole, isObject := parsed.(object)
	data, hasRows := whole.get("data").([]any)
	if !isObject || !hasRows {
		return Answer{}, fault.Internal.Errorf("reading an answer: it has no data")
	}
	a := Answer{
		totals:  within(whole, "totals"),
		compare: within(whole, "compare"),
		meta:    within(whole, "meta"),
	}
	for _, item := range data {
		row, isRow := item.(object)
		if !isRow {
			return Answer{}, fault.Internal.Errorf("reading an answer: a row is no object")
		}
		a.rows = append(a.rows, row)
	}
	return a, nil
}

// Next is the cursor of the rows after these, "" if there are none.
func (a Answer) Next() string { return word(a.meta, "next_cursor") }

// Add appends the next page of the same answer.
func (a *Answer) Add(page Answer) {
	a.rows = append(a.rows, page.rows...)
	a.meta = page.meta
}
