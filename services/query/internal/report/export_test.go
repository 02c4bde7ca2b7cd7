package report

import "coworking/services/query/internal/remember"

// Remember sets how many bytes the reader remembers. It forgets what it has.
func (r *Reader) Remember(most int) {
	r.Remembered = remember.New(most)
	r.memory = newMemory(r.Remembered)
}

// ReadFew sets how many visits, days' tokens and rows are read or gathered at a time.
func (r *Reader) ReadFew(n int) { r.few = few{visits: int64(n), tokenDays: n, rows: n} }

// Holds is how many bytes the reader remembers, added up thing by thing.
func (r *Reader) Holds() int {
	held := 0
	for _, holder := range []remember.Holder{r.memory, r.memory.tokens, r.memory.results.of} {
		holder.Uses(func(_ int64, bytes int) { held += bytes })
	}
	return held
}
