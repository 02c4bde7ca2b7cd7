package report

// Remember sets how many visits the reader remembers, and as many of each other part of
// days.
func (r *Reader) Remember(visits int) {
	for i := range r.memory.room {
		r.memory.room[i] = visits
	}
}
