package report

import "math"

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
