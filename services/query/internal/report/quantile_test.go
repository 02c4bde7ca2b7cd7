package report

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// What is ordered only as far as it is looked at has the same ranks, and what lies in several
// sorted lists the same quantiles, as what is sorted.
func TestQuantilesNeedNotBeSorted(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	shares := []float64{0.25, 0.5, 0.75, 0.9, 0.99}
	for range 2000 {
		values := make([]int64, 1+random.IntN(60))
		for i := range values {
			values[i] = random.Int64N(1 + random.Int64N(100))
		}
		sorted := slices.Sorted(slices.Values(values))
		n := random.IntN(len(values))
		part := slices.Clone(values)
		partition(part, n, cmp.Compare)
		if part[n] != sorted[n] || !slices.Equal(slices.Sorted(slices.Values(part[:n])), sorted[:n]) {
			t.Fatalf("the first %d of %v are %v", n, sorted, part)
		}
		lists := make(sortedLists, 1+random.IntN(5))
		for _, value := range values {
			list := &lists[random.IntN(len(lists))]
			*list = append(*list, value)
		}
		for _, list := range lists {
			slices.Sort(list)
		}
		for _, share := range shares {
			if got, want := *lists.quantile(share), *quantile(sorted, share); got != want {
				t.Fatalf("%v of %v is %v, not %v", share, lists, got, want)
			}
		}
	}
}
