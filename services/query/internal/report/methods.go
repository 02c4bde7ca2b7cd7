package report

import (
	"cmp"
	"context"
	_ "embed"
	"maps"
	"slices"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// Methods is how people come in, and why they are refused.
var Methods = define("methods", Definition{
	Doc: "Check-ins and refusals by method and by the source that told of them, with the reasons.",
	Counts: []string{
		"Every check-in counts, also one by token and one that only touches an open visit; a row is a method and a source of which there was any check-in or refusal in the range.",
		"A share is of all check-ins that are counted: with a filter, of those that pass it; in a group, of the group's.",
		"A check-in or a refusal that names no method is in a row without one; a refusal that names no reason is not_said.",
	},
	Leaves: []string{
		"What has neither check-ins nor refusals: there is no row of zeros.",
		"Where a range cuts a visit day whose raw events are no longer kept, the method and the reason of what lies in that part are not known.",
	},
	Reads:   "The sums of each visit day by method, source and reason; of days that the range cuts, the events themselves.",
	Example: "from=2026-03-27&to=2026-04-02",
}, methods)

type methodsParams struct {
	Common
	BySpace
	Compared
	Method []string `param:"method" doc:"Only these ways to come in: door, kiosk, app, …"`
	Source []string `param:"source" doc:"Only what these sources told of."`
}

type methodsRow struct {
	Method   *string `json:"method" doc:"How they came, or tried to; null: not said."`
	Source   string  `json:"source" doc:"The source of the events."`
	Checkins int64   `json:"checkins" unit:"events" doc:"Check-ins, also those by token and those that only touched an open visit."`
	Failed   int64   `json:"failed" unit:"events" doc:"Refusals."`
	Reasons  reasons `json:"reasons"`
	Share    *Mean   `json:"share" unit:"share" doc:"Its check-ins ÷ all that are counted; null where there are none."`
}

type methodsTotals struct {
	Checkins *int64       `json:"checkins"`
	Failed   *int64       `json:"failed"`
	Reasons  knownReasons `json:"reasons"`
}

// reasons is the refusals by the reason that was given.
type reasons struct {
	NoValidPass   int64 `json:"no_valid_pass" unit:"events" doc:"Refusals for want of a valid pass."`
	TokenReused   int64 `json:"token_reused" unit:"events" doc:"Refusals of a token that had been used."`
	TokenExpired  int64 `json:"token_expired" unit:"events" doc:"Refusals of a token that had expired."`
	UnknownMember int64 `json:"unknown_member" unit:"events" doc:"Refusals of somebody unknown."`
	OutsideHours  int64 `json:"outside_hours" unit:"events" doc:"Refusals outside of the hours that were allowed."`
	Other         int64 `json:"other" unit:"events" doc:"Refusals for another reason."`
	NotSaid       int64 `json:"not_said" unit:"events" doc:"Refusals without a reason."`
}

// knownReasons is the same of a range, null outside the life of the spaces.
type knownReasons struct {
	NoValidPass   *int64 `json:"no_valid_pass"`
	TokenReused   *int64 `json:"token_reused"`
	TokenExpired  *int64 `json:"token_expired"`
	UnknownMember *int64 `json:"unknown_member"`
	OutsideHours  *int64 `json:"outside_hours"`
	Other         *int64 `json:"other"`
	NotSaid       *int64 `json:"not_said"`
}

// add counts refusals with a reason. What an older or newer writer may have called
// otherwise is another reason.
func (r *reasons) add(reason string, n int64) {
	switch reason {
	case "no_valid_pass":
		r.NoValidPass += n
	case "token_reused":
		r.TokenReused += n
	case "token_expired":
		r.TokenExpired += n
	case "unknown_member":
		r.UnknownMember += n
	case "outside_hours":
		r.OutsideHours += n
	case "":
		r.NotSaid += n
	default:
		r.Other += n
	}
}

var (
	//go:embed methods_days.sql
	methodsDaysSQL string
	//go:embed methods_events.sql
	methodsEventsSQL string
)

// passage is a way to come in, or to be refused: words of the dictionary, 0 where
// nothing was said.
type passage struct{ method, source, reason int32 }

// passed counts those who took it.
type passed struct{ checkins, failed int64 }

// way is what a row is of, in words; "": no method was said.
type way struct{ method, source string }

// compare orders rows by method and source, those without a method last.
func (w way) compare(o way) int {
	if (w.method == "") != (o.method == "") {
		return -cmp.Compare(w.method, o.method)
	}
	return cmp.Or(cmp.Compare(w.method, o.method), cmp.Compare(w.source, o.source))
}

func methods(ctx context.Context, s *scope, p methodsParams) (counted[methodsRow, methodsTotals], error) {
	var answer counted[methodsRow, methodsTotals]
	passages, err := s.passages(ctx)
	if err != nil {
		return answer, err
	}
	words, err := s.words(ctx, wordsOf(passages)...)
	if err != nil {
		return answer, err
	}
	ways := map[way]*methodsRow{}
	var checkins, failed int64
	var refused reasons
	for by, n := range passages {
		w := way{words[by.method], words[by.source]}
		if !asksFor(p.Method, w.method) || !asksFor(p.Source, w.source) || n == (passed{}) {
			continue
		}
		row := ways[w]
		if row == nil {
			row = &methodsRow{Source: w.source}
			if w.method != "" {
				row.Method = &w.method
			}
			ways[w] = row
		}
		row.Checkins += n.checkins
		row.Failed += n.failed
		row.Reasons.add(words[by.reason], n.failed)
		checkins += n.checkins
		failed += n.failed
		refused.add(words[by.reason], n.failed)
	}
	for _, w := range slices.SortedFunc(maps.Keys(ways), way.compare) {
		row := *ways[w]
		row.Share = mean(row.Checkins, checkins)
		answer.rows = append(answer.rows, row)
	}
	if s.livesInRange() {
		answer.totals = methodsTotals{&checkins, &failed, refused.known()}
	}
	answer.partialLast = s.anyRunning(s.to - 1)
	return answer, nil
}

// passages counts the check-ins and refusals of the range.
func (s *scope) passages(ctx context.Context) (map[passage]passed, error) {
	var days ownDays
	var cut stretches
	for _, p := range s.places {
		p.parts(s.lived(p), &days, &cut)
	}
	passages := map[passage]passed{}
	read := func(sql string, args pgx.StrictNamedArgs) error {
		rows, err := s.db.Query(ctx, sql, args)
		if err != nil {
			return pg.Classify(err)
		}
		var by passage
		var n passed
		_, err = pgx.ForEachRow(rows, []any{&by.method, &by.source, &by.reason, &n.checkins, &n.failed}, func() error {
			sum := passages[by]
			passages[by] = passed{sum.checkins + n.checkins, sum.failed + n.failed}
			return nil
		})
		return pg.Classify(err)
	}
	if len(days.spaces) > 0 {
		if err := read(methodsDaysSQL, days.args()); err != nil {
			return nil, err
		}
	}
	if len(cut.spaces) > 0 {
		if err := read(methodsEventsSQL, cut.args()); err != nil {
			return nil, err
		}
	}
	return passages, nil
}

// lived is the part of the range that is within the space's life.
func (s *scope) lived(p *place) window {
	if !p.lives {
		return window{}
	}
	start, _ := p.grid.Span(p.born)
	_, end := p.grid.Span(p.today)
	return window{start, end}.cut(s.instants(p))
}

// parts parts a window into whole visit days of the space's own and what is left of
// the days that it cuts.
func (p *place) parts(w window, whole *ownDays, cut *stretches) {
	first, stop := p.ownDays(w)
	for _, d := range []calendar.Date{first, stop - 1} {
		if first >= stop {
			return
		}
		start, end := p.calendar.Span(d)
		day := window{start, end}
		if day.cut(w) == day {
			continue
		}
		cut.add(p, day.cut(w))
		if d == first {
			first++
		} else {
			stop--
		}
	}
	whole.add(p, first, stop)
}

// wordsOf is the words that passages are told in.
func wordsOf(passages map[passage]passed) []int32 {
	used := map[int32]bool{}
	for by := range passages {
		used[by.method], used[by.source], used[by.reason] = true, true, true
	}
	delete(used, 0)
	return keysOf(used)
}

// asksFor says whether a word passes a filter; none lets everything pass.
func asksFor(words []string, word string) bool {
	return len(words) == 0 || slices.Contains(words, word)
}

// livesInRange says whether any of the spaces lives on any day of the range.
func (s *scope) livesInRange() bool {
	return slices.ContainsFunc(s.places, func(p *place) bool { return !s.lived(p).empty() })
}

// known is the refusals of a range in which a space lives.
func (r reasons) known() knownReasons {
	return knownReasons{
		NoValidPass: &r.NoValidPass, TokenReused: &r.TokenReused, TokenExpired: &r.TokenExpired, UnknownMember: &r.UnknownMember,
		OutsideHours: &r.OutsideHours, Other: &r.Other, NotSaid: &r.NotSaid,
	}
}
