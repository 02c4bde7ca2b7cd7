package report

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// table is the rows of an answer, group after group where it is asked for groups.
type table[Totals any] struct {
	rows        []any
	totals      Totals
	interval    string
	partialLast bool
	ends        ends
	next        *string
}

// tabulate asks a report for its rows: once for the whole, and once more for each
// group.
func tabulate[P asker, Row, Totals any](
	ctx context.Context, s *scope, params P,
	count func(ctx context.Context, s *scope, params P) (counted[Row, Totals], error),
) (table[Totals], error) {
	whole, err := count(ctx, s, params)
	if err != nil {
		return table[Totals]{}, err
	}
	t := table[Totals]{
		totals: whole.totals, interval: whole.interval, partialLast: whole.partialLast, ends: whole.ends, next: whole.next,
	}
	by := s.groupBy()
	if by == "" {
		for i := range whole.rows {
			t.rows = append(t.rows, &whole.rows[i])
		}
		return t, nil
	}
	groups, err := s.groups(ctx, by)
	if err != nil {
		return t, err
	}
	for _, g := range groups {
		part, err := count(ctx, g.scope, params)
		if err != nil {
			return t, err
		}
		for i := range part.rows {
			t.rows = append(t.rows, grouped{by: by, name: g.name, row: &part.rows[i]})
		}
	}
	return t, nil
}

// grouped is a row of one group, whose name comes first.
type grouped struct {
	by   string
	name *string // nil: not said
	row  any
}

// MarshalJSON writes the row with the group's name as its first field.
func (g grouped) MarshalJSON() ([]byte, error) {
	name, err := json.Marshal(g.name)
	if err != nil {
		return nil, err
	}
	row, err := json.Marshal(g.row)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "{%q:%s,%s", g.by, name, row[1:]), nil
}

// group is one part of what was asked for.
type group struct {
	name  *string
	scope *scope
}

// groups is the parts of a scope: its spaces, or what the visits of its range say.
// Those that say nothing come last.
func (s *scope) groups(ctx context.Context, by string) ([]group, error) {
	if by == "space" {
		var groups []group
		for _, p := range s.places {
			only := *s
			only.places = []*place{p}
			groups = append(groups, group{&p.name, &only})
		}
		return groups, nil
	}
	values, err := s.said(ctx, by)
	if err != nil {
		return nil, err
	}
	var groups []group
	for value := range values {
		only := *s
		only.filter = s.filter.with(by, value)
		name, err := s.word(ctx, value)
		if err != nil {
			return nil, err
		}
		groups = append(groups, group{name, &only})
	}
	slices.SortFunc(groups, func(a, b group) int {
		switch {
		case a.name == nil:
			return 1
		case b.name == nil:
			return -1
		}
		return cmp.Compare(*a.name, *b.name)
	})
	return groups, nil
}

// said is the values of a field among the visits of the range.
func (s *scope) said(ctx context.Context, field string) (map[int32]bool, error) {
	values := map[int32]bool{}
	for v, err := range s.walk(ctx, s.inRange()) {
		if err != nil {
			return nil, err
		}
		if s.instants(v.place).holds(v.in) {
			values[v.said(field)] = true
		}
	}
	return values, nil
}
