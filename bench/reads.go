package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"coworking/pkg/fault"

	"go.uber.org/zap"
)

// readsCmd measures how long reports take beside the queries of the system before, as
// plain SQL over the same tokens, at several sizes of history.
type readsCmd struct {
	base
	histories

	Times    int      `default:"10" help:"How often each size has its turn at a question: three events each."`
	Reports  []string `help:"Ask only these, such as daily_usage or \"old daily_usage\". The figures go to the terminal alone."`
	FillOnly bool     `help:"Fill what is missing in the folder of --keep, and ask nothing."`
}

// reading is how long a question took, in milliseconds, at one size.
type reading struct {
	Tokens int    `json:"tokens"`
	Name   string `json:"name"`
	Bytes  int    `json:"bytes"`
	// First is a process's first answer; Changed is one after an event came; Again is
	// the same answer once more, from memory.
	First   float64 `json:"first_ms"`
	Changed Spread  `json:"changed_ms,omitzero"`
	Again   Spread  `json:"again_ms,omitzero"`
	Old     Spread  `json:"old_ms,omitzero"`  // the old system's query
	Refused bool    `json:"refused,omitzero"` // there was no answer within the time that one may take

	// By what was taken in the same round: Changed by that of the smallest size, and
	// the old system's query by Changed and by the middle of Again.
	Growth       Spread `json:"changed_by_smallest,omitzero"`
	OldByChanged Spread `json:"old_by_changed,omitzero"`
	OldByAgain   Spread `json:"old_by_again,omitzero"`
}

// Run makes worlds of all sizes, and asks them everything.
func (c *readsCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	if c.FillOnly && c.Keep == "" {
		return fault.Invalid.Errorf("--fill-only without --keep: what is filled would go with the run")
	}
	g, all, err := c.filled(ctx, c.base, log, out)
	if err != nil {
		return err
	}
	defer g.close()
	if c.FillOnly {
		return nil
	}
	r := &reads{readsCmd: c, ground: g, worlds: all, out: out}
	questions, err := r.questions(ctx)
	if err != nil {
		return err
	}
	var found []reading
	for _, q := range questions {
		one, err := r.question(ctx, q)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		found = append(found, one...)
	}
	return r.write(found)
}

// reads is a run.
type reads struct {
	*readsCmd

	ground *ground
	worlds []*history // the smallest first
	out    io.Writer
}

// question is a report, and the old system's query where there is one.
type question struct{ name, path, old string }

// questions is the two old reports, each with the old system's query, and every report
// there is, or those of them that somebody wants.
func (r *reads) questions(ctx context.Context) ([]question, error) {
	all := []question{
		{"old daily_usage", "/api/reports/daily_usage", oldDailyUsageSQL},
		{"old user_visits", "/api/reports/user_visits", oldUserVisitsSQL},
	}
	reports, err := r.reports(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range reports {
		all = append(all, question{name, "/api/v1/reports/" + name + "?from=2026-01-01&to=2026-01-29", ""})
	}
	return wanted(all, r.Reports)
}

// wanted is the questions of some names, all if there are none.
func wanted(all []question, names []string) ([]question, error) {
	if len(names) == 0 {
		return all, nil
	}
	var some []question
	for _, name := range names {
		i := slices.IndexFunc(all, func(q question) bool { return q.name == name })
		if i < 0 {
			return nil, fault.Invalid.Errorf("there is no report %q", name)
		}
		some = append(some, all[i])
	}
	return some, nil
}

// reports is the names of all reports.
func (r *reads) reports(ctx context.Context) ([]string, error) {
	service, err := r.ground.serve(ctx, r.worlds[0].database("service"))
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = service.stop() }()
	_, body, err := get(ctx, service.address+"/api/v1/reports")
	if err != nil {
		return nil, err
	}
	var listed struct {
		Data []struct {
			Name string `json:"name"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &listed); err != nil {
		return nil, err
	}
	var names []string
	for _, report := range listed.Data {
		names = append(names, report.Name)
	}
	return names, nil
}

// A question is asked so often, or as long as this for each size, but not less than
// thrice.
const patience = 15 * time.Second

// question asks one of all sizes in turn, again and again: whatever the machine does
// slowly, it does to all.
func (r *reads) question(ctx context.Context, q question) ([]reading, error) {
	var all []*turns
	defer func() {
		for _, t := range all {
			t.close()
		}
	}()
	for _, h := range r.worlds {
		t := &turns{history: h, question: q}
		all = append(all, t)
		if err := t.first(ctx); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	for round := 0; round < r.Times && (round < 3 || time.Since(began) < patience*time.Duration(len(all))); round++ {
		for i := range all { // each is the first once
			if err := all[(round+i)%len(all)].round(ctx); err != nil {
				return nil, err
			}
		}
	}
	var found []reading
	for _, t := range all {
		found = append(found, t.reading(all[0]))
	}
	return found, nil
}

// turns is what one size answers to a question, by a process of its own.
type turns struct {
	*history

	question question
	program  *server
	line     *line
	refused  bool
	bytes    int
	asked    float64 // milliseconds of the first answer

	// Round by round. Changed and again have some of each round, changes and middles one.
	changed, again, changes, middles, queried []float64
}

// first asks a process that remembers nothing.
func (t *turns) first(ctx context.Context) (err error) {
	if t.program, err = t.serve(ctx, t.database("service")); err != nil {
		return err
	}
	if t.line, err = call(ctx, t.program.address+t.question.path); err != nil {
		return err
	}
	t.asked, err = t.ask()
	return err
}

func (t *turns) close() {
	if t.line != nil {
		t.line.close()
	}
	if t.program != nil {
		_, _ = t.program.stop()
	}
}

// ask asks once, and says how many milliseconds that took. One that is not answered in
// time is not asked any more.
func (t *turns) ask() (took float64, err error) {
	began := time.Now()
	t.bytes, err = t.line.ask()
	if fault.Of(err) == fault.Unavailable {
		t.refused = true
		return 0, nil
	}
	return milliseconds(time.Since(began)), err
}

// How often a turn asks after an event, and again after each: a process that was not
// asked for a while, or after a query that read all there is, does not have its things as
// near at hand as one that is in use.
const (
	events  = 3
	repeats = 10
)

// round asks the old system's query, and then after events, and again.
func (t *turns) round(ctx context.Context) error {
	if t.refused {
		return nil
	}
	if t.question.old != "" && !enough(t.queried) {
		began := time.Now()
		if _, err := t.old.Exec(ctx, t.question.old); err != nil {
			return err
		}
		t.queried = append(t.queried, milliseconds(time.Since(began)))
	}
	var changed, again []float64
	for range events {
		if err := t.touch(ctx); err != nil {
			return err
		}
		for i := range 1 + repeats {
			took, err := t.ask()
			if err != nil || t.refused {
				return err
			}
			if i == 0 {
				changed = append(changed, took)
			} else {
				again = append(again, took)
			}
		}
	}
	t.changed, t.again = append(t.changed, changed...), append(t.again, again...)
	t.changes, t.middles = append(t.changes, spread(changed).Median), append(t.middles, spread(again).Median)
	return nil
}

// enough says whether the old system's query was asked so often that its middle is
// known: five times, or thrice if it takes its time.
func enough(took []float64) bool {
	const slow = 1000
	return len(took) >= 5 || len(took) >= 3 && spread(took).Median > slow
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// reading is what a size's turns were, beside those of the smallest.
func (t *turns) reading(smallest *turns) reading {
	if t.refused {
		return reading{Tokens: t.tokens, Name: t.question.name, Refused: true}
	}
	found := reading{
		Tokens: t.tokens, Name: t.question.name, Bytes: t.bytes, First: t.asked, Changed: spread(t.changed), Again: spread(t.again),
		Growth: ratios(t.changes, smallest.changes), OldByChanged: ratios(t.queried, t.changes), OldByAgain: ratios(t.queried, t.middles),
	}
	if len(t.queried) > 0 {
		found.Old = spread(t.queried)
	}
	return found
}

func (r *reads) write(all []reading) error {
	var table strings.Builder
	fmt.Fprintf(&table, "Medians of up to %d, and of %d times as many for *again*, in milliseconds; %s\n\n| report | tokens | bytes | first | after an event | ÷ that of the smallest | again | old query | old ÷ after an event | old ÷ again |\n|---|---|---|---|---|---|---|---|---|---|\n", events*r.Times, repeats, r.ground.machine)
	slices.SortStableFunc(all, func(a, b reading) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range all {
		if f.Refused {
			fmt.Fprintf(&table, "| %s | %d |  |  | none |  |  |  |  |  |\n", f.Name, f.Tokens)
			continue
		}
		growth, old, changed, again := "", "", "", ""
		if f.Growth.Median > 0 {
			growth = fmt.Sprintf("%.2f", f.Growth.Median)
		}
		if f.Old.Median > 0 {
			old, changed, again = fmt.Sprintf("%.0f", f.Old.Median), fmt.Sprintf("%.0f", f.OldByChanged.Median), fmt.Sprintf("%.0f", f.OldByAgain.Median)
		}
		fmt.Fprintf(&table, "| %s | %d | %d | %.1f | %.2f | %s | %.2f | %s | %s | %s |\n",
			f.Name, f.Tokens, f.Bytes, f.First, f.Changed.Median, growth, f.Again.Median, old, changed, again)
	}
	if len(r.Reports) > 0 {
		_, err := io.WriteString(r.out, table.String())
		return err
	}
	return r.keep(r.out, "reads", map[string]any{"machine": r.ground.machine, "readings": all}, table.String())
}
