package consume

import (
	"fmt"
	"testing"

	"coworking/services/ingest/internal/store"
)

// of is a batch of messages with these headers.
func of(parents ...string) []store.Incoming {
	batch := make([]store.Incoming, len(parents))
	for i, parent := range parents {
		if parent != "" {
			batch[i].Header = map[string][]string{"traceparent": {parent}}
		}
	}
	return batch
}

// parent is the n-th span of a trace that is kept, or not.
func parent(n int, flags string) string {
	return fmt.Sprintf("00-0af7651916cd43dd8448eb211c80319c-%016x-%s", n, flags)
}

func TestABatchIsLinkedToTheTracesOfItsEvents(t *testing.T) {
	many := make([]string, 5000)
	for i := range many {
		many[i] = parent(i+1, "01")
	}
	cases := map[string]struct {
		batch []store.Incoming
		want  int
	}{
		"none says of any":                 {of("", ""), 0},
		"each trace once":                  {of(parent(1, "01"), parent(1, "01"), parent(2, "01"), "", parent(1, "01")), 2},
		"not to what nobody keeps":         {of(parent(1, "00"), parent(2, "01")), 1},
		"not to what nobody can read":      {of("later", parent(1, "01")), 1},
		"to no more than anybody looks at": {of(many...), mostLinks},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := links(c.batch); len(got) != c.want {
				t.Errorf("%d links", len(got))
			}
		})
	}
}

func TestABatchThatIsNotTracedCostsNothing(t *testing.T) {
	w, batch := New(Config{BatchSize: 1}), of(parent(1, "01"))
	if allocated := testing.AllocsPerRun(100, func() {
		_, end := w.begin(t.Context(), batch)
		end(store.Result{Stored: 1}, nil)
	}); allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}
