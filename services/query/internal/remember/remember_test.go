package remember_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"coworking/services/query/internal/remember"

	"github.com/google/go-cmp/cmp"
)

// beside is how many bytes a thing takes beside its value.
const beside = 100

// held is how many bytes holders remember, added up.
func held(holders ...remember.Holder) int {
	all := 0
	for _, h := range holders {
		h.Uses(func(_ int64, bytes int) { all += bytes })
	}
	return all
}

// Whatever is remembered, and by however many at a time, it is never more than the budget,
// and it is counted as what it is.
func TestTheBudgetIsNeverExceeded(t *testing.T) {
	t.Parallel()
	const most = 100_000
	budget := remember.New(most)
	words, numbers := remember.NewMap[string, int](budget), remember.NewMap[int, int](budget)
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			for i := range 5000 {
				key, bytes := random.IntN(300), random.IntN(3000)
				words.Keep(fmt.Sprint(key), i, bytes)
				numbers.Find(key)
				numbers.Keep(key, i, bytes/10)
				if now := held(words); now > most {
					t.Errorf("%d bytes are remembered of words alone", now)
				}
				if now := budget.Held(); now > most {
					t.Errorf("%d bytes are remembered", now)
				}
			}
		})
	}
	workers.Wait()
	if now, counted := held(words, numbers), budget.Held(); now != counted || now < most/2 {
		t.Errorf("%d bytes are remembered, counted as %d; %d may be", now, counted, most)
	}
}

// What was not asked for longest goes first, whoever remembers it.
func TestWhatWasNotAskedForLongestGoesFirst(t *testing.T) {
	t.Parallel()
	budget := remember.New(10 * (beside + 900))
	one, other := remember.NewMap[int, string](budget), remember.NewMap[int, string](budget)
	for i := range 5 {
		one.Keep(i, "one", 900)
		other.Keep(i, "other", 900)
	}
	one.Find(0)
	one.Keep(5, "one", 900)
	var left []string
	for i := range 6 {
		for _, m := range []*remember.Map[int, string]{one, other} {
			if whose, known := m.Find(i); known {
				left = append(left, fmt.Sprint(whose, " ", i))
			}
		}
	}
	slices.Sort(left)
	want := []string{"one 0", "one 2", "one 3", "one 4", "one 5", "other 2", "other 3", "other 4"}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
}

// Something too large would drive out everything else, and what it was to replace is of no
// use any more.
func TestWhatIsTooLargeIsNotRemembered(t *testing.T) {
	t.Parallel()
	budget := remember.New(4 * (beside + 900))
	m := remember.NewMap[string, int](budget)
	m.Keep("small", 1, 900)
	m.Keep("large", 1, 900)
	m.Keep("large", 2, 901)
	_, small := m.Find("small")
	_, large := m.Find("large")
	if !small || large || budget.Held() != beside+900 {
		t.Errorf("small %v, large %v, %d bytes", small, large, budget.Held())
	}
}
