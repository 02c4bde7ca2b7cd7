package report

import (
	"cmp"
	"math"
)

// quantile is the value that a share of sorted ones is under, linear between the two
// closest ranks; nil where there are none.
func quantile[N int64 | float64](sorted []N, share float64) *float64 {
	if len(sorted) == 0 {
		return nil
	}
	rank := share * float64(len(sorted)-1)
	below, above := float64(sorted[int(math.Floor(rank))]), float64(sorted[int(math.Ceil(rank))])
	at := below + (above-below)*(rank-math.Floor(rank))
	return &at
}

// rankFor brings the values that quantile looks at for some shares to where they were if
// all were sorted, which takes longer. Shares go up.
func rankFor(values []int64, shares ...float64) {
	from := 0
	for _, share := range shares {
		rank := share * float64(len(values)-1)
		for _, at := range []int{int(math.Floor(rank)), int(math.Ceil(rank))} {
			if from <= at && at < len(values) {
				partition(values[from:], at-from, cmp.Compare)
				from = at + 1
			}
		}
	}
}

// partition orders values so far that the first n are none above any other, and that
// the n-th after them is where it was if all were sorted.
func partition[V any](values []V, n int, order func(a, b V) int) {
	for len(values) > 1 {
		pivot := values[len(values)/2]
		low, high := 0, len(values)-1
		for low <= high {
			for order(values[low], pivot) < 0 {
				low++
			}
			for order(pivot, values[high]) < 0 {
				high--
			}
			if low <= high {
				values[low], values[high] = values[high], values[low]
				low, high = low+1, high-1
			}
		}
		switch { // [0, high] are not above the pivot, [low, …) not below it
		case n <= high:
			values = values[:high+1]
		case n >= low:
			values, n = values[low:], n-low
		default:
			return
		}
	}
}
