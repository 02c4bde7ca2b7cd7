package simulate

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"coworking/pkg/event"
)

// random is a source of chance that is the same for the same seed and topic.
type random struct {
	*rand.Rand

	bytes *rand.ChaCha8
}

func (w *World) random(topic ...any) *random {
	bytes := rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, append([]any{w.config.Seed, "|"}, topic...)...)))
	return &random{Rand: rand.New(bytes), bytes: bytes}
}

// chance is true so often.
func (r *random) chance(p float64) bool { return r.Float64() < p }

// between is a time of at least one and less than the other.
func (r *random) between(least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}

// around is a time near the middle; two in three are no further off than spread.
func (r *random) around(middle, spread time.Duration) time.Duration {
	return middle + time.Duration(r.NormFloat64()*float64(spread))
}

// count is how often something happens that happens so often on average.
func (r *random) count(average float64) int {
	n := 0
	for p := r.Float64(); p > math.Exp(-average); p *= r.Float64() {
		n++
	}
	return n
}

// pick is one of a list.
func pick[T any](r *random, list []T) T { return list[r.IntN(len(list))] }

// weighted is the index of one of several, each as likely as its weight.
func (r *random) weighted(weights ...float64) int {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	at := r.Float64() * sum
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// event begins an event; its id is a UUIDv7 of its own time, as publishers should
// send it.
func (r *random) event(kind event.Kind, at time.Time, source, space, member string) event.Event {
	at = at.UTC().Truncate(time.Millisecond)
	id, err := event.NewID(at, r.bytes)
	if err != nil {
		panic(err) // a made-up source of bytes does not run dry
	}
	e := event.Event{ID: id, Source: source, Kind: kind, Time: at, Member: member, Space: space}
	if kind == event.CheckIn || kind == event.TokenUsed {
		e.Data.PartySize = 1
	}
	return e
}
