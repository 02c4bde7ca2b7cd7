package report

import (
	"cmp"
	"context"
	_ "embed"
	"slices"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// IngestHealth tells a quiet day from a dead reader.
var IngestHealth = define("ingest_health", Definition{
	Doc: "Whether each source of events is alive and well: is a number low, or the reader dead?",
	Counts: []string{
		"per_hour is the events of the last hour, usual_per_hour the mean of the same hour in the four weeks before, as far as the spaces lived then.",
		"Lateness and orphan check-outs are those of the last 24 hours; duplicates, of all time; dead letters, all that nobody has settled.",
		"The state is silent if nothing was heard, not even a heartbeat, for stale_after minutes in which a space of the source was open; low if the last hour had less than half of the usual events, and those were at least four; else ok.",
	},
	Leaves: []string{
		"Duplicates are best effort: what the stream gives out twice is not counted, and a crash may lose a few.",
		"A dead letter whose source cannot be read is in a row without a source.",
		"It is about now, whatever range is asked for.",
	},
	Reads:   "When sources were last heard of, the events of five hours and of the last day, and open dead letters.",
	Example: "",
}, ingestHealth)

type ingestHealthParams struct {
	Present
	Source     []string `param:"source" doc:"Only these sources."`
	StaleAfter int      `param:"stale_after" default:"120" least:"1" most:"10080" doc:"After how many minutes of opening hours without a word a source is silent."`
}

type ingestHealthRow struct {
	Source          *string          `json:"source" doc:"The source; null for dead letters that tell of none."`
	LastEvent       *time.Time       `json:"last_event" doc:"The latest time that it sent, heartbeats included; null if no event of it was ever accepted."`
	PerHour         int64            `json:"per_hour" unit:"events" doc:"Events in the last hour."`
	UsualPerHour    *Mean            `json:"usual_per_hour" unit:"events" doc:"The mean of the same hour in the four weeks before; null where there were none yet."`
	Duplicates      int64            `json:"duplicates" unit:"events" doc:"Events that it published more than once."`
	LateP99S        *Seconds         `json:"late_p99_s" unit:"seconds" doc:"From an event's time to its receipt: 99 of 100 came sooner. Null without an event in the last 24 hours."`
	OrphanCheckouts int64            `json:"orphan_checkouts" unit:"events" doc:"Check-outs that closed no visit, in the last 24 hours."`
	DeadLetters     map[string]int64 `json:"dead_letters" unit:"messages" doc:"What could not be accepted and nobody has settled, by code."`
	State           string           `json:"state" doc:"ok, low or silent."`
}

type ingestHealthTotals struct {
	LastEvent       *time.Time       `json:"last_event"`
	PerHour         int64            `json:"per_hour"`
	UsualPerHour    *Mean            `json:"usual_per_hour"`
	Duplicates      int64            `json:"duplicates"`
	OrphanCheckouts int64            `json:"orphan_checkouts"`
	DeadLetters     map[string]int64 `json:"dead_letters"`
	State           string           `json:"state" doc:"The worst state of any source."`
}

var (
	//go:embed sources_heard.sql
	sourcesHeardSQL string
	//go:embed source_hours.sql
	sourceHoursSQL string
	//go:embed source_days.sql
	sourceDaysSQL string
	//go:embed source_letters.sql
	sourceLettersSQL string
)

// weeksBack is how many weeks "usual" looks back.
const weeksBack = 4

// health is a source's row in the making. The source of no name is "".
type health struct {
	name       string
	last       int64 // µs since 1970; 0: never
	spaces     []*place
	now, usual int64 // events of the last hour, and of the hours before
	duplicates int64
	late       *Seconds
	orphans    int64
	letters    map[string]int64
}

func ingestHealth(ctx context.Context, s *scope, p ingestHealthParams) (counted[ingestHealthRow, ingestHealthTotals], error) {
	answer := counted[ingestHealthRow, ingestHealthTotals]{partialLast: true}
	of, weeks, err := s.healths(ctx)
	if err != nil {
		return answer, err
	}
	rank := map[string]int{"ok": 0, "low": 1, "silent": 2}
	total := &answer.totals
	total.State, total.DeadLetters = "ok", map[string]int64{}
	var usual int64
	for _, h := range of {
		if len(p.Source) > 0 && !slices.Contains(p.Source, h.name) {
			continue
		}
		row := ingestHealthRow{
			PerHour: h.now, UsualPerHour: mean(h.usual, weeks), Duplicates: h.duplicates, LateP99S: h.late,
			OrphanCheckouts: h.orphans, DeadLetters: h.letters, State: s.stateOf(h, weeks, int64(p.StaleAfter)*time.Minute.Microseconds()),
		}
		if h.name != "" {
			row.Source = &h.name
		}
		if h.last != 0 {
			at := time.UnixMicro(h.last).UTC()
			row.LastEvent = &at
			if total.LastEvent == nil || at.After(*total.LastEvent) {
				total.LastEvent = &at
			}
		}
		answer.rows = append(answer.rows, row)
		total.PerHour += h.now
		total.Duplicates += h.duplicates
		total.OrphanCheckouts += h.orphans
		usual += h.usual
		for code, n := range h.letters {
			total.DeadLetters[code] += n
		}
		if rank[row.State] > rank[total.State] {
			total.State = row.State
		}
	}
	total.UsualPerHour = mean(usual, weeks)
	return answer, nil
}

// healths is what is known of each source, by name, and in how many of the weeks
// before any of the spaces lived.
func (s *scope) healths(ctx context.Context) ([]*health, int64, error) {
	of := map[int32]*health{}
	known := func(id int32) *health {
		if of[id] == nil {
			of[id] = &health{letters: map[string]int64{}}
		}
		return of[id]
	}
	weeks, err := s.countSources(ctx, known)
	if err != nil {
		return nil, 0, err
	}
	words, err := s.words(ctx, keysOf(of)...)
	if err != nil {
		return nil, 0, err
	}
	byName := map[string]*health{}
	for id, h := range of {
		h.name = words[id]
		byName[h.name] = h
	}
	if err := s.countLetters(ctx, byName); err != nil {
		return nil, 0, err
	}
	all := make([]*health, 0, len(byName))
	for _, h := range byName {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *health) int { return cmp.Compare(a.name, b.name) })
	return all, weeks, nil
}

// countSources counts what events tell of sources.
func (s *scope) countSources(ctx context.Context, known func(id int32) *health) (weeks int64, err error) {
	var (
		space, source               int32
		n                           int
		events, duplicates, orphans int64
		last                        time.Time
		late                        float64
		starts, ends                = s.sameHours()
		dayStart, now               = time.UnixMicro(s.asOf).Add(-24 * time.Hour), time.UnixMicro(s.asOf)
		ask                         = func(sql string, args pgx.StrictNamedArgs, into []any, row func() error) error {
			args["spaces"] = s.ids()
			rows, err := s.db.Query(ctx, sql, args)
			if err != nil {
				return pg.Classify(err)
			}
			_, err = pgx.ForEachRow(rows, into, row)
			return pg.Classify(err)
		}
	)
	err = ask(sourcesHeardSQL, pgx.StrictNamedArgs{}, []any{&space, &source, &last, &duplicates}, func() error {
		h := known(source)
		h.last, h.duplicates = max(h.last, last.UnixMicro()), h.duplicates+duplicates
		h.spaces = append(h.spaces, s.place(space))
		return nil
	})
	if err != nil {
		return 0, err
	}
	err = ask(sourceHoursSQL, pgx.StrictNamedArgs{"starts": starts, "ends": ends}, []any{&n, &source, &events}, func() error {
		if n == 0 {
			known(source).now += events
		} else {
			known(source).usual += events
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	err = ask(sourceDaysSQL, pgx.StrictNamedArgs{"start": dayStart, "stop": now}, []any{&source, &late, &orphans}, func() error {
		h, seconds := known(source), Seconds(late*1e6)
		h.late, h.orphans = &seconds, orphans
		return nil
	})
	return int64(len(starts) - 1), err
}

// sameHours is the last hour, and the same one of the weeks before in which any of
// the spaces lived.
func (s *scope) sameHours() (starts, ends []time.Time) {
	for week := range weeksBack + 1 {
		end := s.moved(s.asOf, 7*week)
		hour := window{end - time.Hour.Microseconds(), end}
		lived := slices.ContainsFunc(s.places, func(p *place) bool {
			return p.lives && p.firstDay <= p.calendar.DayAt(hour.start)
		})
		if week == 0 || lived {
			starts, ends = append(starts, time.UnixMicro(hour.start)), append(ends, time.UnixMicro(hour.end))
		}
	}
	return starts, ends
}

// countLetters adds the dead letters to their sources.
func (s *scope) countLetters(ctx context.Context, byName map[string]*health) error {
	rows, err := s.db.Query(ctx, sourceLettersSQL, pgx.StrictNamedArgs{"names": s.names()})
	if err != nil {
		return pg.Classify(err)
	}
	var source, code string
	var letters int64
	_, err = pgx.ForEachRow(rows, []any{&source, &code, &letters}, func() error {
		if byName[source] == nil {
			byName[source] = &health{name: source, letters: map[string]int64{}}
		}
		byName[source].letters[code] = letters
		return nil
	})
	return pg.Classify(err)
}

// stateOf is the word for a source. Who was never accepted is judged by nothing but
// its dead letters.
func (s *scope) stateOf(h *health, weeks, patience int64) string {
	var open int64
	for _, p := range h.spaces {
		open = max(open, p.openTime(h.last, s.asOf))
	}
	switch {
	case open >= patience:
		return "silent"
	case weeks > 0 && h.usual >= 4*weeks && 2*h.now*weeks < h.usual:
		return "low"
	default:
		return "ok"
	}
}
