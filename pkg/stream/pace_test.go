package stream_test

import (
	"testing"
	"time"

	"coworking/pkg/stream"
)

// broker is how long one takes.
type broker struct{ wayThereAndBack, single, opening, ofBatch time.Duration }

var (
	syncsAlways = broker{200 * time.Microsecond, 300 * time.Microsecond, 6 * time.Millisecond, 15 * time.Microsecond}
	syncsRarely = broker{200 * time.Microsecond, 8 * time.Microsecond, 5 * time.Millisecond, 15 * time.Microsecond}
)

// publish has messages stored the way that a pace advises.
func (b broker) publish(p *stream.Pace, n int) (took time.Duration, oneByOne bool) {
	if p.OneByOne(n) {
		took = b.wayThereAndBack + time.Duration(n)*b.single
		p.SentOneByOne(n, took)
		return took, true
	}
	took = b.opening + time.Duration(n)*b.ofBatch
	p.SentAsBatch(n, took)
	return took, false
}

func TestMessagesGoTheWayThatTheBrokerIsQuickerAt(t *testing.T) {
	sizes := []int{1, 5, 12, 30, 100, 1000}
	for name, c := range map[string]struct {
		broker     broker
		mostSingly int // the most that go one by one
	}{
		"syncs always": {syncsAlways, 24}, "syncs rarely": {syncsRarely, 100},
	} {
		t.Run(name, func(t *testing.T) {
			pace := stream.NewPace()
			for range 50 {
				for _, n := range sizes {
					c.broker.publish(pace, n)
				}
			}
			for _, n := range sizes {
				if _, oneByOne := c.broker.publish(pace, n); oneByOne != (n <= c.mostSingly) && n != 1000 {
					t.Errorf("%d messages go one by one: %t", n, oneByOne)
				}
			}
		})
	}
}

// A broker may be slow for a moment, and be made to sync always: what was learned before
// must not hold for long.
func TestWhatWasLearnedOfABrokerIsForgotten(t *testing.T) {
	pace := stream.NewPace()
	batches := 0
	for range 1000 {
		if _, oneByOne := syncsRarely.publish(pace, 100); !oneByOne {
			batches++
		}
	}
	if batches > 600 { // until it found out, and now and then
		t.Fatalf("%d times of 1000, a hundred messages went as a batch to a broker that rarely syncs", batches)
	}
	pace.SentAsBatch(100, 5*time.Second)
	pace.SentOneByOne(100, 5*time.Second)
	lost := time.Duration(0)
	for range 200 {
		took, _ := syncsAlways.publish(pace, 100)
		best, _ := syncsAlways.publish(stream.NewPace(), 100)
		lost += took - best
	}
	if lost > 200*time.Millisecond {
		t.Errorf("it took %v more than with batches", lost)
	}
}

// Where batches are no longer tried, nobody finds out that they are quick again. That a
// try paid is no reason to try less often the next time.
func TestASlowBatchIsTriedAgain(t *testing.T) {
	pace := stream.NewPace()
	for episode := range 20 {
		for range 20 {
			pace.SentAsBatch(100, time.Second)
		}
		batches := 0
		for range 200 {
			if _, oneByOne := syncsAlways.publish(pace, 100); !oneByOne {
				batches++
			}
		}
		if batches < 150 {
			t.Errorf("the %d. time, batches were sent %d times of 200", episode+1, batches)
		}
	}
}

// Hundreds of single messages, each with a sync, would hold up all that come after them.
func TestWhatWouldTakeFarLongerIsNotTried(t *testing.T) {
	pace := stream.NewPace()
	for n := range 24 {
		syncsAlways.publish(pace, n)
	}
	for round := range 2000 {
		if _, oneByOne := syncsAlways.publish(pace, 300); oneByOne {
			t.Fatalf("in round %d, three hundred messages went one by one", round)
		}
	}
}

// Messages come in steadily, whether or not those before them are stored. A broker that
// syncs rarely stores most of them at once; but twice a second or less it is held up, and
// more wait for it than are worth a batch. Were they sent as one, as many would wait again,
// and so on: at most a few batches are sent after each such moment.
func TestABrokerThatIsHeldUpIsNotTakenForASlowOne(t *testing.T) {
	const heldUp = 20 * time.Millisecond
	usually := broker{time.Millisecond, 30 * time.Microsecond, 11 * time.Millisecond, 20 * time.Microsecond}
	atTimes := usually
	atTimes.wayThereAndBack += heldUp
	atTimes.opening += heldUp
	for rate, most := range map[int]float64{5000: 0.01, 20_000: 0.12} {
		apart := time.Second / time.Duration(rate)
		pace := stream.NewPace()
		var now, sent, asBatch time.Duration // sent: when the first that was not sent yet is due
		for round := 1; now < time.Minute; round++ {
			n := max(1, int((now-sent)/apart))
			b := usually
			if round%200 == 0 {
				b = atTimes
			}
			took, oneByOne := b.publish(pace, n)
			if !oneByOne {
				asBatch += time.Duration(n) * apart
			}
			sent += time.Duration(n) * apart
			now = max(now, sent) + took
		}
		if part := asBatch.Seconds() / now.Seconds(); part > most {
			t.Errorf("%d a second: %.0f %% of the messages were sent as batches", rate, 100*part)
		}
	}
}
