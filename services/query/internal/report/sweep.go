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

// sweep walks over steps in time. What happens at one instant happens at once: who leaves
// as another comes were never there together.
type sweep struct {
	steps []step // to be walked over
	held  step   // what holds since the last one
}

func (w *sweep) add(steps ...step) { w.steps = append(w.steps, steps...) }

// until walks over the steps before an instant, of which there will be no more, and calls
// yield with each stretch between two instants and what held in it. It says whether any
// steps are left.
func (w *sweep) until(end int64, yield func(w window, held step)) (left bool) {
	slices.SortFunc(w.steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	walked := 0
	for _, s := range w.steps {
		if s.at >= end {
			break
		}
		if w.held.at < s.at && w.held != (step{at: w.held.at}) {
			yield(window{w.held.at, s.at}, w.held)
		}
		w.held = step{s.at, w.held.headcount + s.headcount, w.held.capacity + s.capacity, w.held.open + s.open}
		walked++
	}
	if w.steps = slices.Delete(w.steps, 0, walked); len(w.steps) == 0 {
		*w = sweep{} // who keeps a row keeps no steps
	}
	return len(w.steps) > 0
}
