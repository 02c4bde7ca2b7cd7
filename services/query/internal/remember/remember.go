// Package remember is how much a process remembers: one budget of bytes for all that it
// has found out, whatever that is. What was not asked for longest is forgotten first, and
// found out again where somebody asks: with too little room answers come late, not wrong.
package remember

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// Most is how many bytes a process remembers, unless a test says otherwise. With as much
// again for garbage, some 25 MiB for the process itself, and what the questions need that
// are being answered, it stays within the chart's memory limit.
const Most = 40 << 20

// A thing takes at most one part in so many of the budget: a larger one would drive out too
// much else, and is not remembered. As much is freed at a time, since to look for what was
// not asked for longest is to look at everything.
const parts = 4

// Budget is shared by all that remember something. What they hold together is never more.
// Any number of goroutines may share it.
type Budget struct {
	most  int
	clock atomic.Int64 // counts uses

	mu      sync.Mutex
	held    int
	holders []Holder
}

// Holder remembers things within a budget. It is asked by whoever needs room: it must not
// take any while it keeps others out.
type Holder interface {
	// Uses calls yield with each thing: when it was asked for last, and its bytes.
	Uses(yield func(used int64, bytes int))
	// Forget forgets what was asked for last before an instant, and returns its bytes.
	Forget(before int64) int
}

// New is a budget of so many bytes.
func New(most int) *Budget { return &Budget{most: most} }

// Share lets somebody use it.
func (b *Budget) Share(holder Holder) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holders = append(b.holders, holder)
}

// Use is the instant of a use, later than those of all before.
func (b *Budget) Use() int64 { return b.clock.Add(1) }

// Held is how many bytes are remembered.
func (b *Budget) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// Take takes room for a thing, before it is remembered, and forgets others for it. It is
// false if there is no room for one so large.
func (b *Budget) Take(bytes int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if bytes > b.most/parts {
		return false
	}
	if b.held+bytes > b.most {
		b.forget(b.most - b.most/parts)
	}
	if b.held+bytes > b.most { // others have taken it, and are about to use it
		return false
	}
	b.held += bytes
	return true
}

// Give gives back the room of a thing that is not remembered any more.
func (b *Budget) Give(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= bytes
}

// forget forgets what was not asked for longest, until no more than so much is left.
func (b *Budget) forget(left int) {
	type use struct {
		at    int64
		bytes int
	}
	var uses []use
	for _, h := range b.holders {
		h.Uses(func(at int64, bytes int) { uses = append(uses, use{at, bytes}) })
	}
	slices.SortFunc(uses, func(a, b use) int { return cmp.Compare(a.at, b.at) })
	before, held := int64(0), b.held
	for _, u := range uses {
		if held <= left && u.at >= before { // of one use all go, or none
			break
		}
		before, held = u.at+1, held-u.bytes
	}
	for _, h := range b.holders {
		b.held -= h.Forget(before)
	}
}
