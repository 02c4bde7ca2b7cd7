package report

import "context"

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
			continue
		}
		for _, d := range of {
			days.add(d.place, d.first, d.stop)
		}
	}
	return on, days, nil
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
