package report

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// scope is what a question turned out to be about: which spaces, which days, and
// when. Instants in it are microseconds since 1970 UTC.
type scope struct {
	db       pg.Querier
	reader   *Reader
	question Question
	asked    Common
	asOf     int64
	trying   bool         // it counts only as far as to what is asked first
	expected *expectation // nil: somebody looked how the spaces are

	filter filter  // which visits count
	by     string  // what rows are grouped by; "": nothing
	cursor *Cursor // where a list of members goes on
	plans  bool    // visits that name no plan or team have the member's

	completeThrough *time.Time // all that the stream had stored by then is in the numbers
	refiling        bool       // days of a space that is asked for wait to be filed anew
	newest          int32      // the number of the space that came last
	nowhere         int32      // the number of the space that is none
	memberVersion   int64      // moves with what is said of members
	visible         []*place   // every space that the asker may see; only those of places are laid out

	places   []*place // by name
	from, to calendar.Date
	clip     window             // what instants given as bounds leave of the days
	zone     *calendar.Calendar // midnight days of the tz parameter; nil: each space has its own days
}

// place is a space within a scope.
type place struct {
	id       int32
	name     string
	settings int64              // the version of its settings
	version  int64              // moves with everything that is written of it
	calendar *calendar.Calendar // its own visit days
	grid     *calendar.Calendar // the days that the answer is laid out by: its own, or those of a zone
	within   window             // the range

	// Its life, by the grid's dates, both included. Outside of it nothing is known
	// of it: null, not zero.
	lives       bool
	born, today calendar.Date

	firstDay calendar.Date // of its own calendar
}

// window is the instants of [start, end).
type window struct{ start, end int64 }

func (w window) empty() bool            { return w.start >= w.end }
func (w window) holds(at int64) bool    { return w.start <= at && at < w.end }
func (w window) cut(o window) window    { return window{max(w.start, o.start), min(w.end, o.end)} }
func (w window) length() int64          { return max(w.end-w.start, 0) }
func (w window) before(at int64) window { return window{w.start, min(w.end, at)} }

// alive says whether a date of the grid is within the space's life.
func (p *place) alive(d calendar.Date) bool {
	return p.lives && p.born <= d && d <= p.today
}

// span is the instants of a date of the grid that are within the range.
func (s *scope) span(p *place, d calendar.Date) window {
	start, end := p.grid.Span(d)
	return window{start, end}.cut(s.clip)
}

// running says whether a date of the space's grid has begun and not ended.
func (s *scope) running(p *place, d calendar.Date) bool { return s.span(p, d).holds(s.asOf) }

// wholeDays says whether the answer is of whole visit days, so that a day's totals
// are enough.
func (s *scope) wholeDays() bool {
	return s.zone == nil && s.clip == window{distantPast, distantFuture}
}

// instants is the range of a space: from where its first day begins to where its
// last one ends.
func (s *scope) instants(p *place) window { return p.within }

// mark notes where the range lies in each space, for this scope alone.
func (s *scope) mark() {
	s.places = slices.Clone(s.places)
	for i, p := range s.places {
		marked := *p
		start, _ := p.grid.Span(s.from)
		end, _ := p.grid.Span(s.to)
		marked.within = window{start, end}.cut(s.clip)
		s.places[i] = &marked
	}
}

// ownDays is the space's own visit days that hold any of a window, as [first, stop).
func (p *place) ownDays(w window) (first, stop calendar.Date) {
	if w.empty() {
		return 0, 0
	}
	return p.calendar.DayAt(w.start), p.calendar.DayAt(w.end-1) + 1
}

// resolve finds the spaces that are asked for, their calendars and lives, the days
// of the range, and which visits count. What state the spaces are in is asked of one
// database, and everything else of another.
func (r *Reader) resolve(ctx context.Context, state, rest pg.Querier, q Question, params asker) (*scope, error) {
	s := &scope{db: rest, reader: r, question: q, asked: params.asked(), asOf: q.AsOf.UnixMicro()}
	if s.asked.TZ != nil {
		s.zone = r.midnights(s.asked.TZ.Location)
	}
	if err := s.findPlaces(ctx, state); err != nil {
		return nil, err
	}
	if err := r.calendarsOf(ctx, rest, s.places); err != nil {
		return nil, err
	}
	if err := s.layOut(ctx); err != nil {
		return nil, err
	}
	if err := s.setRange(); err != nil {
		return nil, err
	}
	s.mark()
	return s, s.narrow(ctx, params)
}

// narrow takes over the parameters that only some reports have.
func (s *scope) narrow(ctx context.Context, params asker) error {
	if grouped, can := params.(interface{ groupedBy() *string }); can && grouped.groupedBy() != nil {
		s.by = *grouped.groupedBy()
	}
	if list, can := params.(interface{ paged() *Cursor }); can && list.paged() != nil {
		s.cursor = list.paged()
		if s.cursor.Question != s.fingerprint() {
			return fault.Invalid.With("invalid_cursor", "cursor", "this cursor belongs to another question")
		}
	}
	visits, can := params.(interface{ narrowed() Filtered })
	if !can {
		return nil
	}
	asked := visits.narrowed()
	s.plans = asked.Plan != nil || asked.Team != nil || s.by == "plan" || s.by == "team"
	var err error
	s.filter, err = s.filterOf(ctx, asked)
	return err
}

func (s *scope) groupBy() string { return s.by }

// findPlaces looks the spaces up, and when their lives begin. One that does not exist,
// or that the asker may not see, is fault.NotFound, `space_not_found`.
func (s *scope) findPlaces(ctx context.Context, db pg.Querier) error {
	begun := s.reader.begun()
	var known []int32
	var versions []int64
	for id, b := range begun {
		known, versions = append(known, id), append(versions, b.version)
	}
	var asked []string // nil: all
	if !s.question.Report.Anywhere && len(s.asked.Space) > 0 {
		asked = slices.DeleteFunc(slices.Clone(s.asked.Space), unstorable)
	}
	rows, err := db.Query(ctx, spacesSQL, pgx.StrictNamedArgs{
		"visible": s.question.Visible, "asked": asked, "known": known, "versions": versions,
	})
	if err != nil {
		return pg.Classify(err)
	}
	var (
		p                 place
		refiling, isKnown bool
		complete          *time.Time
		first             *int32
	)
	looked := map[int32]began{}
	_, err = pgx.ForEachRow(rows, []any{&p.id, &p.name, &p.settings, &p.version, &refiling, &complete, &s.newest, &isKnown, &first}, func() error {
		if complete != nil {
			at := complete.UTC()
			s.completeThrough = &at
		}
		if p.name == nowhere {
			s.nowhere, s.memberVersion = p.id, p.version
			return nil
		}
		found := p
		switch b := begun[p.id]; {
		case isKnown:
			found.lives, found.firstDay = b.lives, b.day
		case asked == nil || slices.Contains(asked, p.name):
			if first != nil {
				found.lives, found.firstDay = true, calendar.Date(*first)
			}
			looked[p.id] = began{p.version, found.lives, found.firstDay}
		}
		s.visible = append(s.visible, &found)
		if len(s.asked.Space) == 0 || slices.Contains(s.asked.Space, found.name) {
			s.places = append(s.places, &found)
			s.refiling = s.refiling || refiling
		}
		return nil
	})
	if err != nil {
		return pg.Classify(err)
	}
	s.reader.keepBegun(looked)
	for _, name := range s.asked.Space {
		if !slices.ContainsFunc(s.places, func(p *place) bool { return p.name == name }) {
			return noSuchSpace(name)
		}
	}
	return nil
}

// unstorable is a text that Postgres does not take: nothing has it for a name.
func unstorable(text string) bool { return !utf8.ValidString(text) || strings.ContainsRune(text, 0) }

// nowhere is the space of events that are about no single one.
const nowhere = "_"

// involved is the spaces that the answer rests on.
func (s *scope) involved() []*place {
	if s.question.Report.Anywhere {
		return s.visible
	}
	return s.places
}

// names is the names of the spaces.
func (s *scope) names() []string {
	names := make([]string, len(s.places))
	for i, p := range s.places {
		names[i] = p.name
	}
	return names
}

func noSuchSpace(name string) error {
	return fault.NotFound.With("space_not_found", "space", "there is no space %q", name)
}

// layOut gives each space its grid and its life on it.
func (s *scope) layOut(ctx context.Context) error {
	for _, p := range s.places {
		p.grid, p.born = p.calendar, p.firstDay
		if s.zone != nil {
			p.grid = s.zone
		}
		p.today = p.grid.DayAt(s.asOf)
	}
	if s.zone == nil {
		return nil
	}
	return s.findBirths(ctx)
}

// findBirths moves the begin of each life to the day of the zone that holds the
// space's first event.
func (s *scope) findBirths(ctx context.Context) error {
	for _, p := range s.places {
		if !p.lives {
			continue
		}
		at, err := s.bornAt(ctx, p)
		if err != nil {
			return err
		}
		p.born = p.grid.DayAt(at)
	}
	return nil
}

// shown is an instant as the clock of the zone shows it that was asked for, or that
// of the space.
func (s *scope) shown(p *place, at int64) time.Time {
	if s.asked.TZ != nil {
		return time.UnixMicro(at).In(s.asked.TZ.Location)
	}
	return time.UnixMicro(at).In(p.calendar.On(p.calendar.DayAt(at)).Zone)
}

// place is the space of a number.
func (s *scope) place(id int32) *place {
	for _, p := range s.places {
		if p.id == id {
			return p
		}
	}
	return nil
}

// ids is the numbers of the spaces.
func (s *scope) ids() []int32 {
	ids := make([]int32, len(s.places))
	for i, p := range s.places {
		ids[i] = p.id
	}
	return ids
}

// anyAlive says whether any of the spaces lives on a date.
func (s *scope) anyAlive(d calendar.Date) bool {
	return slices.ContainsFunc(s.places, func(p *place) bool { return p.alive(d) })
}

// anyOpen says whether any of the spaces lives on a date and opens on it.
func (s *scope) anyOpen(d calendar.Date) bool {
	return slices.ContainsFunc(s.places, func(p *place) bool { return p.alive(d) && p.calendar.IsOpen(d) })
}

// anyRunning says whether a date has begun and not ended in any of the spaces.
func (s *scope) anyRunning(d calendar.Date) bool {
	return slices.ContainsFunc(s.places, func(p *place) bool { return p.alive(d) && s.running(p, d) })
}
