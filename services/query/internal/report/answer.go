package report

import (
	"context"
	"reflect"
	"time"

	"coworking/pkg/calendar"
)

// Comparison is an earlier range beside the one that was asked for.
type Comparison struct {
	From string `json:"from"`
	To   string `json:"to"` // not included
	// AsOf is up to when the earlier range was counted: of a range that is still
	// running, only the part that had passed then is like the one that is seen now.
	AsOf      time.Time        `json:"as_of"`
	Data      []any            `json:"data"`
	Totals    any              `json:"totals"`
	ChangePct map[string]*Mean `json:"change_pct"` // of each total, by its column's name; null where it was nothing
}

// fill makes an answer of what count tabulates for the scope, and for the earlier
// range that it is compared with.
func fill[Totals any](
	ctx context.Context, answer *Answer, s *scope, r Report, params any, count func(*scope) (table[Totals], error),
) error {
	t, err := count(s)
	if err != nil {
		return err
	}
	answer.Columns, answer.Rows, answer.Totals = r.Columns, t.rows, t.totals
	if answer.Rows == nil {
		answer.Rows = []any{}
	}
	if by := s.groupBy(); by != "" {
		answer.Columns = append([]Column{{Name: by, Type: "text", Doc: "The group.", Nullable: true}}, r.Columns...)
	}
	if answer.Meta, err = s.meta(ctx, r.Name, t.interval, t.partialLast, t.ends); err != nil {
		return err
	}
	answer.Meta.NextCursor = t.next

	asked, can := params.(interface{ compared() Compared })
	if !can || asked.compared().Compare == nil {
		return nil
	}
	earlier := s.earlier(*asked.compared().Compare, asked.compared().Match != nil)
	then, err := count(earlier)
	if err != nil {
		return err
	}
	answer.Compare = &Comparison{
		From: bound(earlier.asked.From, earlier.from), To: bound(earlier.asked.To, earlier.to),
		AsOf: time.UnixMicro(earlier.asOf).UTC(),
		Data: then.rows, Totals: then.totals,
		ChangePct: changes(r.Totals, t.totals, then.totals),
	}
	if answer.Compare.Data == nil {
		answer.Compare.Data = []any{}
	}
	return nil
}

// changes is by how much each total differs from the earlier one, in percent.
func changes(columns []Column, now, then any) map[string]*Mean {
	changed := map[string]*Mean{}
	for _, c := range columns {
		if c.Type != "integer" && c.Type != "number" {
			continue
		}
		changed[c.Name] = nil
		n, knownNow := c.number(now)
		t, knownThen := c.number(then)
		if knownNow && knownThen && t != 0 {
			change := Mean((n - t) / t * 100)
			changed[c.Name] = &change
		}
	}
	return changed
}

// number is the column's figure in a struct, if it is known.
func (c Column) number(row any) (n float64, known bool) {
	v := reflect.ValueOf(row).FieldByIndex(c.path)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return 0, false
		}
		v = v.Elem()
	}
	if v.CanInt() {
		return float64(v.Int()), true
	}
	return v.Float(), true
}

// earlier is the scope of the range before, or of the year before. Where the range
// is still running, the earlier one ends when the same part of it had passed: at
// the same time of day on the clock of the zone asked for, or of the first space.
func (s *scope) earlier(compare string, byWeekday bool) *scope {
	e := *s
	e.from, e.to = s.rangeBefore(compare, byWeekday)
	back := int(s.from - e.from)

	e.clip.start, e.clip.end = s.moved(s.clip.start, back), s.moved(s.clip.end, back)
	if running := s.asOf < s.ending(); running {
		e.asOf = s.moved(s.asOf, back)
		e.clip.end = min(e.clip.end, e.asOf)
	}
	e.asked.From, e.asked.To = moveBound(s.asked.From, e.clip.start), moveBound(s.asked.To, e.clip.end)
	e.places = make([]*place, len(s.places))
	for i, p := range s.places {
		then := *p
		then.today = then.grid.DayAt(e.asOf)
		e.places[i] = &then
	}
	e.mark()
	return &e
}

// rangeBefore is the dates of the earlier range.
func (s *scope) rangeBefore(compare string, byWeekday bool) (from, to calendar.Date) {
	length := s.to - s.from
	before := func(years, months int) (calendar.Date, calendar.Date) {
		from := calendar.DateOf(s.from.Time().AddDate(-years, -months, 0))
		return from, from + length
	}
	back := length
	switch period := s.asked.period(); {
	case compare == "previous_year" && byWeekday:
		back = 364
	case compare == "previous_year":
		return before(1, 0)
	case byWeekday:
		back = (length + 6) / 7 * 7
	case period == "mtd":
		from, to = before(0, 1)
		return from, min(to, s.from)
	case period == "ytd":
		return before(1, 0)
	case period == "wtd":
		back = 7
	}
	return s.from - back, s.to - back
}

// ending is when the last of the spaces has had the range.
func (s *scope) ending() int64 {
	var end int64
	for _, p := range s.places {
		end = max(end, s.instants(p).end)
	}
	return end
}

// moved is the same time of day, so many days before.
func (s *scope) moved(at int64, back int) int64 {
	if at == distantPast || at == distantFuture {
		return at
	}
	zone := time.UTC
	switch {
	case s.asked.TZ != nil:
		zone = s.asked.TZ.Location
	case len(s.places) > 0:
		zone = s.places[0].calendar.On(s.places[0].calendar.DayAt(at)).Zone
	}
	t := time.UnixMicro(at).In(zone)
	return time.Date(t.Year(), t.Month(), t.Day()-back, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone).UnixMicro()
}

// moveBound is a bound that was given as an instant, moved; a date moves with the
// range.
func moveBound(asked *Bound, at int64) *Bound {
	if asked == nil || asked.Instant.IsZero() {
		return nil
	}
	return &Bound{Instant: time.UnixMicro(at).UTC()}
}
