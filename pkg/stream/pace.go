package stream

import (
	"sync"
	"time"
)

// pace is how long a broker was seen to take for messages, one by one and as a batch. It
// depends on when the broker syncs, and on its copies of the stream: with one copy it writes
// files for each batch, and syncs them whether or not it syncs single messages. One that does
// opens a batch in the time of a dozen messages or two; one that does not has stored hundreds
// meanwhile, with less work.
type pace struct {
	mu      sync.Mutex
	answer  time.Duration // for messages that are sent one by one: the way there and back
	single  time.Duration // for each of them
	opening time.Duration // for a batch, beside its messages

	singly, together way
}

// way is one of the two that messages may go.
type way struct {
	gone  int // so often since the other way was tried
	until int // that often
}

const (
	usualSingle  = 250 * time.Microsecond // with a sync
	usualOpening = 6 * time.Millisecond   // likewise
	eachOfBatch  = 10 * time.Microsecond  // for a message of a batch

	// Fewer than these are always sent one by one, and teach how long the way there and back
	// takes; more teach how long a message does.
	few = 8

	// What was quick says what the broker can do, what was slow perhaps only that it was held
	// up for a moment. So a longer measure moves an estimate by a part of the difference, and
	// counts as so many times the estimate, or what is usual, at most. That of a single
	// message moves less: many wait after such a moment, and if they went as a batch, which
	// takes its time, as many would wait after it.
	mostTimes, partOfBatch, partOfSingle = 4, 4, 8

	// After so many times the other way is tried: it may be the quicker one by now. If it is
	// not, the next time is after twice as many, for it costs those who wait. Single messages
	// only where they are not held to take so many times as long.
	firstTry, lastTry = 4, 512
	tooLong           = 4
)

func newPace() *pace {
	begin := way{until: firstTry}
	return &pace{single: usualSingle, opening: usualOpening, singly: begin, together: begin}
}

// oneByOne says whether so many messages are stored sooner one by one than as a batch.
func (p *pace) oneByOne(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n < few {
		return true
	}
	singly, together := p.held(n)
	if singly > together {
		return singly < tooLong*together && p.together.tryOther()
	}
	return !p.singly.tryOther()
}

// held is how long so many messages are held to take, either way.
func (p *pace) held(n int) (singly, together time.Duration) {
	return p.answer + time.Duration(n)*p.single, p.opening + time.Duration(n)*eachOfBatch
}

// tryOther says whether the other way is to be tried instead.
func (w *way) tryOther() bool {
	if w.gone++; w.gone < w.until {
		return false
	}
	w.gone, w.until = 0, min(2*w.until, lastTry)
	return true
}

// sentOneByOne notes how long some messages took.
func (p *pace) sentOneByOne(n int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n < few {
		p.answer = learn(p.answer, took-time.Duration(n)*p.single, usualSingle, partOfSingle)
		return
	}
	if singly, together := p.held(n); took < together && together < singly {
		p.together.until = firstTry
	}
	p.single = learn(p.single, (took-p.answer)/time.Duration(n), usualSingle, partOfSingle)
}

// sentAsBatch notes how long a batch took.
func (p *pace) sentAsBatch(n int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if singly, together := p.held(n); took < singly && singly < together {
		p.singly.until = firstTry
	}
	p.opening = learn(p.opening, took-time.Duration(n)*eachOfBatch, usualOpening, partOfBatch)
}

// learn is the estimate after a measure. A longer one counts for a part of the difference.
func learn(estimate, measured, usual, part time.Duration) time.Duration {
	if measured < estimate {
		return max(measured, time.Microsecond)
	}
	return estimate + (min(measured, max(mostTimes*estimate, usual))-estimate)/part
}
