package report

// Remember sets how many visits the reader remembers.
func (r *Reader) Remember(visits int) { r.memory.room = visits }
