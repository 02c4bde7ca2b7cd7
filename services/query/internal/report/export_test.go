package report

// Remember sets how much the reader remembers of each part of days: as many members, and
// bytes of visits.
func (r *Reader) Remember(room int) {
	for i := range r.memory.room {
		r.memory.room[i] = room
	}
}
