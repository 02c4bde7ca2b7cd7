package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// sourceKey names a row of sources, heard what a batch heard of it.
type sourceKey struct{ space, source int32 }

type heard struct {
	last       int64 // the latest time, µs since 1970
	duplicates int64
}

func (k sourceKey) compare(o sourceKey) int {
	return cmp.Or(cmp.Compare(k.space, o.space), cmp.Compare(k.source, o.source))
}

// hear notes that a source lives. A message that the stream gives out again is no
// duplicate: its sequence tells.
func (w *writing) hear(p *prepared, duplicate bool) {
	k := sourceKey{p.dayKey.space, p.source}
	h, known := w.heard[k]
	if !known || p.time > h.last {
		h.last = p.time
	}
	if duplicate {
		h.duplicates++
	}
	w.heard[k] = h
}

// writeSources stores when each source of the batch was last heard of.
func (w *writing) writeSources(context.Context) error {
	type columns struct {
		Spaces     []int32     `db:"spaces"`
		Sources    []int32     `db:"sources"`
		Times      []time.Time `db:"times"`
		Duplicates []int64     `db:"duplicates"`
	}
	var c columns
	for _, k := range slices.SortedFunc(maps.Keys(w.heard), sourceKey.compare) {
		h := w.heard[k]
		c.Spaces, c.Sources = append(c.Spaces, k.space), append(c.Sources, k.source)
		c.Times, c.Duplicates = append(c.Times, time.UnixMicro(h.last)), append(c.Duplicates, h.duplicates)
	}
	if len(c.Spaces) > 0 {
		w.queue(upsertSources, pgx.StrictStructArgs(c))
	}
	return nil
}
