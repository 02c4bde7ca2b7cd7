package report

import (
	"cmp"
	"slices"
)

// step is a change of who is there, what there is room for, and whether it is
// open, at an instant.
type step struct {
	at                        int64
	headcount, capacity, open int64
}

// sweep walks over steps in time and calls yield with each stretch between two
// instants and what held in it. What happens at one instant happens at once: who
// leaves as another comes were never there together.
func sweep(steps []step, yield func(w window, held step)) {
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	var held step
	for i, s := range steps {
		if i > 0 && steps[i-1].at < s.at {
			yield(window{steps[i-1].at, s.at}, held)
		}
		held.headcount += s.headcount
		held.capacity += s.capacity
		held.open += s.open
	}
}
