package report

import (
	"context"
	"maps"
	"slices"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// filter is which visits count: by the words that they were opened with, as
// numbers of the dictionary. 0 is nothing said. A nil set lets everything pass.
type filter map[string]map[int32]bool

// filterOf looks the words of a filter up. One that was never said is no fault: no
// visit has it.
func (s *scope) filterOf(ctx context.Context, asked Filtered) (filter, error) {
	f := filter{}
	for field, words := range map[string][]string{
		"plan": asked.Plan, "team": asked.Team, "zone": asked.Zone, "method": asked.Method,
	} {
		if len(words) == 0 {
			continue
		}
		rows, err := s.db.Query(ctx, wordsNamedSQL, pgx.StrictNamedArgs{"names": words})
		if err != nil {
			return nil, pg.Classify(err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
		if err != nil {
			return nil, pg.Classify(err)
		}
		f[field] = map[int32]bool{}
		for _, id := range ids {
			f[field][id] = true
		}
	}
	return f, nil
}

// with is the filter that lets only one value of a field pass.
func (f filter) with(field string, value int32) filter {
	narrower := maps.Clone(f)
	if narrower == nil {
		narrower = filter{}
	}
	narrower[field] = map[int32]bool{value: true}
	return narrower
}

// passes says whether a visit counts.
func (f filter) passes(v *stay) bool {
	for field, values := range f {
		if !values[v.said(field)] {
			return false
		}
	}
	return true
}

// filtered says whether only some visits count, so that rollups are no help.
func (s *scope) filtered() bool { return len(s.filter) > 0 }

// word is a word of the dictionary; nil for 0, which stands for nothing said.
func (s *scope) word(ctx context.Context, id int32) (*string, error) {
	if id == 0 {
		return nil, nil //nolint:nilnil // nothing was said: there is no word
	}
	words, err := s.words(ctx, id)
	if err != nil {
		return nil, err
	}
	word := words[id]
	return &word, nil
}

// words looks up words of the dictionary. They never change, so that each is read
// once.
func (s *scope) words(ctx context.Context, ids ...int32) (map[int32]string, error) {
	r := s.reader
	known := map[int32]string{}
	var missing []int32
	r.mu.Lock()
	for _, id := range ids {
		if word, ok := r.words[id]; ok {
			known[id] = word
		} else if !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	r.mu.Unlock()
	if len(missing) == 0 {
		return known, nil
	}
	rows, err := s.db.Query(ctx, wordsSQL, pgx.StrictNamedArgs{"ids": missing})
	if err != nil {
		return nil, pg.Classify(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var id int32
	var word string
	_, err = pgx.ForEachRow(rows, []any{&id, &word}, func() error {
		known[id], r.words[id] = word, word
		return nil
	})
	return known, pg.Classify(err)
}
