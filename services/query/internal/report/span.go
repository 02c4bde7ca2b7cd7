package report

import (
	"math"
	"slices"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
)

// Where a range has no bound that is an instant.
const (
	distantPast   = math.MinInt64
	distantFuture = math.MaxInt64
)

// setRange works out the days of the answer from what was asked: a period, or
// from and to, each with a default that goes with the other.
func (s *scope) setRange() error {
	asked := s.asked
	s.clip = window{distantPast, distantFuture}
	if asked.Period != nil && (asked.From != nil || asked.To != nil) {
		return fault.Invalid.With("invalid_value", "period", "period stands instead of from and to, not beside them")
	}
	if period := asked.period(); period != "" {
		s.from, s.to = s.period(period)
		return nil
	}

	s.to = s.today() + 1
	if asked.To != nil {
		s.to = asked.To.Date
		if !asked.To.Instant.IsZero() {
			s.clip.end = asked.To.Instant.UnixMicro()
			s.to = s.latest(s.clip.end-1) + 1
		}
	}
	s.from = s.to - 28
	if asked.From != nil {
		s.from = asked.From.Date
		if !asked.From.Instant.IsZero() {
			s.clip.start = asked.From.Instant.UnixMicro()
			s.from = s.earliest(s.clip.start)
		}
	}
	switch {
	case s.from >= s.to || s.clip.empty():
		return fault.Invalid.With("invalid_range", "from", "from must be before to")
	case s.to > calendar.DateOf(s.from.Time().AddDate(5, 0, 0)):
		return fault.Invalid.With("range_too_large", "from", "a range is at most 5 years; period=all has no limit")
	}
	return nil
}

// period is the days of a named period. All but yesterday end with today.
func (s *scope) period(name string) (from, to calendar.Date) {
	today := s.today()
	tomorrow := today + 1
	switch name {
	case "today":
		return today, tomorrow
	case "yesterday":
		return today - 1, today
	case "7d":
		return tomorrow - 7, tomorrow
	case "90d":
		return tomorrow - 90, tomorrow
	case "12mo":
		return calendar.DateOf(tomorrow.Time().AddDate(-1, 0, 0)), tomorrow
	case "wtd":
		return weekOf(today, s.asked.week()), tomorrow
	case "mtd":
		return monthOf(today), tomorrow
	case "ytd":
		return calendar.DateOf(time.Date(today.Time().Year(), 1, 1, 0, 0, 0, 0, time.UTC)), tomorrow
	case "all":
		for _, p := range s.places {
			if p.lives && p.born <= today {
				today = p.born
			}
		}
		return today, tomorrow
	default:
		return tomorrow - 28, tomorrow
	}
}

// today is the date at asOf: the latest one where spaces have their own.
func (s *scope) today() calendar.Date { return s.latest(s.asOf) }

// latest and earliest are the dates of the grids that hold an instant.
func (s *scope) latest(at int64) calendar.Date   { return slices.Max(s.dates(at)) }
func (s *scope) earliest(at int64) calendar.Date { return slices.Min(s.dates(at)) }

func (s *scope) dates(at int64) []calendar.Date {
	if s.zone != nil {
		return []calendar.Date{s.zone.DayAt(at)}
	}
	if len(s.places) == 0 {
		return []calendar.Date{calendar.DateOf(time.UnixMicro(at).UTC())}
	}
	dates := make([]calendar.Date, len(s.places))
	for i, p := range s.places {
		dates[i] = p.grid.DayAt(at)
	}
	return dates
}

// buckets is the rows of an answer: the days of the range, by day, week or month.
// A week or month that the range cuts counts only what is within the range.
type buckets struct {
	starts []calendar.Date
	from   calendar.Date
	rows   []int // by the number of days since from
}

func (s *scope) buckets(interval string) buckets {
	b := buckets{from: s.from}
	for d := s.from; d < s.to; d++ {
		start := d
		switch interval {
		case "week":
			start = weekOf(d, s.asked.week())
		case "month":
			start = monthOf(d)
		}
		if len(b.starts) == 0 || b.starts[len(b.starts)-1] != start {
			b.starts = append(b.starts, start)
		}
		b.rows = append(b.rows, len(b.starts)-1)
	}
	return b
}

// row is the row that counts a date of the range.
func (b buckets) row(d calendar.Date) int { return b.rows[d-b.from] }

// weekOf and monthOf are the first day of the week or month that holds a date.
func weekOf(d calendar.Date, first time.Weekday) calendar.Date {
	return d.AddDays(-int(d.Weekday()-first+7) % 7)
}

func monthOf(d calendar.Date) calendar.Date { return d.AddDays(1 - d.Time().Day()) }
