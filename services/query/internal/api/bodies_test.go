package api

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"testing"

	"coworking/services/query/internal/remember"
)

// However many ask for the same packed body, while others crowd it out: each has it
// whole, it is packed once, and what is kept fits into the budget.
func TestPackedBodiesTakeRoom(t *testing.T) {
	t.Parallel()
	const most = 16 * mostOfABody
	kept := newMemory(remember.New(most))
	random := make([]byte, mostOfABody)
	_, _ = rand.Read(random)
	var askers sync.WaitGroup
	for i := range 32 {
		answer := &body{question: fmt.Sprint(i), bytes: random}
		kept.keepBody(answer)
		if i%12 > 0 {
			continue // most are never asked for again
		}
		packed := make(chan []byte, 4)
		for range cap(packed) {
			askers.Go(func() {
				kept.body(answer.question, "")
				packed <- kept.packed(answer)
			})
		}
		askers.Go(func() {
			first := <-packed
			for range cap(packed) - 1 {
				if next := <-packed; &next[0] != &first[0] {
					t.Errorf("body %s was packed more than once", answer.question)
				}
			}
			if text, err := unpacked(first); err != nil || !bytes.Equal(text, random) {
				t.Errorf("%d bytes are not those of body %s: %v", len(text), answer.question, err)
			}
		})
	}
	askers.Wait()

	bodies := 0
	for i := range 32 {
		if answer, known := kept.body(fmt.Sprint(i), ""); known {
			bodies += len(answer.bytes) + len(answer.packed)
		}
	}
	if held := kept.budget.Held(); bodies > held || held > most || bodies < most/2 {
		t.Errorf("%d bytes are kept, counted as %d; %d may be", bodies, held, most)
	}
}

// After each event there is another answer to the same question. The one before it is of no
// use to anybody, and goes.
func TestAQuestionKeepsOneBody(t *testing.T) {
	t.Parallel()
	kept := newMemory(remember.New(remember.Most))
	var sizes []int
	for event := range 1000 {
		answer := &body{question: "daily_usage.csv?", tag: fmt.Sprint(event % 10), bytes: make([]byte, 1000)}
		kept.keepBody(answer)
		if again, known := kept.body(answer.question, answer.tag); !known || again != answer {
			t.Fatalf("event %d: the answer is not kept", event)
		}
		sizes = append(sizes, kept.budget.Held())
	}
	if first, last := sizes[0], sizes[len(sizes)-1]; last != first {
		t.Errorf("%d bytes are kept after an event, %d after a thousand", first, last)
	}
}

func unpacked(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
