package report

import (
	"math"
	"slices"
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

// sortedLists is numbers in several lists, each of which is sorted, and not to be changed.
type sortedLists [][]int64

func (l sortedLists) len() int {
	n := 0
	for _, list := range l {
		n += len(list)
	}
	return n
}

func (l sortedLists) sum() int64 {
	var sum int64
	for _, list := range l {
		for _, n := range list {
			sum += n
		}
	}
	return sum
}

// quantile is that of all of them together. They need not be merged, nor looked at one by
// one: that takes the longer the more they are.
func (l sortedLists) quantile(share float64) *float64 {
	n := l.len()
	if n == 0 {
		return nil
	}
	rank := share * float64(n-1)
	below := l.at(int(math.Floor(rank)))
	above := below
	if rank > math.Floor(rank) {
		above = l.at(int(math.Ceil(rank)))
	}
	return quantile([]int64{below, above}, rank-math.Floor(rank))
}

// at is the number that is n-th, from 0, once all are sorted: what it may be is halved
// again and again, by how many numbers are at or under the middle of it.
func (l sortedLists) at(n int) int64 {
	left := slices.DeleteFunc(slices.Clone(l), func(list []int64) bool { return len(list) == 0 })
	low, high := left[0][0], left[0][0]
	for _, list := range left {
		low, high = min(low, list[0]), max(high, list[len(list)-1])
	}
	under := make([]int, len(left)) // of each list, how many numbers are at or under the middle
	for low < high {
		middle := low + (high-low)/2
		all := 0
		for i, list := range left {
			under[i], _ = slices.BinarySearch(list, middle+1)
			all += under[i]
		}
		kept := left[:0]
		for i, list := range left {
			if n < all {
				list = list[:under[i]]
			} else {
				list = list[under[i]:]
			}
			if len(list) > 0 {
				kept = append(kept, list)
			}
		}
		left = kept
		if n < all {
			high = middle
		} else {
			low, n = middle+1, n-all
		}
	}
	return low
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
