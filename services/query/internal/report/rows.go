package report

import (
	"context"

	"coworking/pkg/calendar"
)

// rowRoom is how many bytes a row takes that was measured.
const rowRoom = 300

// unmeasured fills in the rows that are remembered, and returns the days that must be
// read for the others, and what each row rests on. Rows that count some visits only, or are
// not of the spaces' own days, are not remembered.
func unmeasured[Row any](ctx context.Context, s *scope, what string, rows []Row, rests [][]daysOf) (on []grounds, days ownDays, err error) {
	on = make([]grounds, len(rows))
	if s.filtered() || s.zone != nil {
		return on, s.inRange(), nil
	}
	if _, err := s.recall(ctx, s.rangeOf(s.places)...); err != nil { // all at once
		return nil, days, err
	}
	for i, of := range rests {
		if on[i], err = s.resting(ctx, what, of); err != nil {
			return nil, days, err
		}
		if found, known := s.reader.memory.results.find(on[i]); known {
			rows[i], _ = found.(Row)
			on[i] = grounds{} // it need not be remembered once more
			continue
		}
		for _, d := range of {
			days.add(d.place, d.first, d.stop)
		}
	}
	return on, days, nil
}

// inTime calls note with the visits of some days, date by date, which returns the last row
// that it noted one in. What was noted takes room: so measure is called with each such row
// and an instant before which nothing more happened in it, and returns whether anything is
// left to be measured. In the end it is called with all rows.
func (s *scope) inTime(ctx context.Context, days ownDays, rows int, note func(v *stay) int, measure func(row int, until int64) bool) error {
	var date calendar.Date
	next, last := 0, 0
	for v, err := range s.walk(ctx, days.byDate()) {
		if err != nil {
			return err
		}
		if v.day > date {
			date = v.day
			until := s.begins(date)
			for row := next; row <= last; row++ {
				if left := measure(row, until); !left && row == next {
					next++
				}
			}
		}
		last = max(last, note(v))
	}
	for row := next; row < rows; row++ {
		measure(row, distantFuture)
	}
	return nil
}

// begins is when the spaces' own days of a date begin in any of them.
func (s *scope) begins(d calendar.Date) int64 {
	at := int64(distantFuture)
	for _, p := range s.places {
		start, _ := p.calendar.Span(d)
		at = min(at, start)
	}
	return at
}

// resting is what a row of visit days rests on: the settings of the spaces, and the
// versions of the days. It is nothing if one of them is not over, or not whole.
func (s *scope) resting(ctx context.Context, what string, days []daysOf) (grounds, error) {
	recalled, err := s.recall(ctx, days...)
	if err != nil {
		return grounds{}, err
	}
	var numbers []int64
	for i, a := range days {
		if !s.settles(a.place, a.first) {
			return grounds{}, nil
		}
		numbers = append(numbers, int64(a.place.id), a.place.settings, int64(a.first), recalled[i][0].version)
	}
	return on(what, numbers...), nil
}
