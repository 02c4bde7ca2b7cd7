package report

import (
	"context"
	"encoding/binary"
)

// mostRows is how many rows are remembered that were measured, of 300 bytes each, more
// where spaces are many. Past that all are forgotten.
const mostRows = 5000

// unmeasured fills in the rows that are remembered, and returns the days that must be
// read for the others, and what each row rests on. Rows that count some visits only, or are
// not of the spaces' own days, are not remembered.
func unmeasured[Row any](ctx context.Context, s *scope, what string, rows []Row, rests [][]daysOf) (keys []string, days ownDays, err error) {
	keys = make([]string, len(rows))
	if s.filtered() || s.zone != nil {
		return keys, s.inRange(), nil
	}
	if _, err := s.recall(ctx, s.rangeOf(s.places)...); err != nil { // all at once
		return nil, days, err
	}
	m := s.reader.memory
	for i, of := range rests {
		if keys[i], err = s.resting(ctx, what, of); err != nil {
			return nil, days, err
		}
		m.mu.Lock()
		row, known := m.rows[keys[i]].(Row)
		m.mu.Unlock()
		if known {
			rows[i] = row
			continue
		}
		for _, d := range of {
			days.add(d.place, d.first, d.stop)
		}
	}
	return keys, days, nil
}

// resting is what a row of visit days rests on: the settings of the spaces, and the
// versions of the days. It is "" if one of them is not over, or not whole.
func (s *scope) resting(ctx context.Context, what string, days []daysOf) (string, error) {
	recalled, err := s.recall(ctx, days...)
	if err != nil {
		return "", err
	}
	key := []byte(what)
	for i, a := range days {
		start, end := a.place.calendar.Span(a.first)
		if end > s.asOf || s.span(a.place, a.first) != (window{start, end}) {
			return "", nil
		}
		for _, n := range []int64{int64(a.place.id), a.place.settings, int64(a.first), recalled[i][0].version} {
			key = binary.AppendVarint(key, n)
		}
	}
	return string(key), nil
}

// keepRow remembers a row that was measured, if it rests on what holds.
func (m *memory) keepRow(key string, row any) {
	if key == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.rows) >= mostRows {
		clear(m.rows)
	}
	m.rows[key] = row
}
