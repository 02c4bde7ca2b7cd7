package report

// Remember sets how much the reader remembers of each part of days: as many members, and
// bytes of visits, and a hundred times as many bytes of what was made of them.
func (r *Reader) Remember(room int) {
	r.memory.results.room = 100 * room
	for i := range r.memory.room {
		r.memory.room[i] = room
	}
}
