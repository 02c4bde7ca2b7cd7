package stream

import (
	"sync"
	"time"
)

// pace is how long a broker was seen to take for messages, one by one and as a batch. It
// depends on when the broker syncs: one that syncs each write opens a batch in the time of
// two dozen messages, and one that does not has stored hundreds meanwhile.
type pace struct {
	mu      sync.Mutex
	single  time.Duration // for each of some messages that are sent one by one
	opening time.Duration // for a batch, beside its messages
}

const (
	usualSingle  = 250 * time.Microsecond // with a sync
	usualOpening = 6 * time.Millisecond   // likewise
	eachOfBatch  = 10 * time.Microsecond  // for a message of a batch

	// So many are always sent one by one: with a sync each they take about as long as to
	// open a batch.
	few = 24
	// Fewer than these teach nothing: they take as long as the way there and back.
	tooFew = 8
	// More than a few are sent one by one where that takes less than this part of the
	// time: a batch is less work for everybody.
	muchSooner = 2
	// A measure changes an estimate by this part of the difference, and counts as so many
	// times the estimate, or what is usual, at most: one slow moment must not decide for
	// long.
	weight, mostTimes = 4, 4
	// What was not measured is held to be a little shorter each time, so that it is measured
	// again; single messages less often, and only where they are not many: where they are
	// slow, so many of them delay those that come next.
	fading      = 64
	worthTrying = 100
)

func newPace() *pace { return &pace{single: usualSingle, opening: usualOpening} }

// oneByOne says whether so many messages are stored sooner one by one than as a batch.
func (p *pace) oneByOne(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n <= few {
		return true
	}
	if muchSooner*time.Duration(n)*p.single > p.opening+time.Duration(n)*eachOfBatch {
		if n <= worthTrying {
			p.single -= p.single / (4 * fading)
		}
		return false
	}
	p.opening -= p.opening / fading
	return true
}

// sentOneByOne notes how long some messages took.
func (p *pace) sentOneByOne(n int, took time.Duration) {
	if n < tooFew {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.single = learn(p.single, took/time.Duration(n), usualSingle)
}

// sentAsBatch notes how long a batch took.
func (p *pace) sentAsBatch(n int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opening = learn(p.opening, max(0, took-time.Duration(n)*eachOfBatch), usualOpening)
}

func learn(estimate, measured, usual time.Duration) time.Duration {
	measured = min(measured, max(mostTimes*estimate, usual))
	return max(estimate+(measured-estimate)/weight, time.Microsecond)
}
