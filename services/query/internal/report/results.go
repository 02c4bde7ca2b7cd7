package report

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"iter"

	"coworking/pkg/calendar"
	"coworking/services/query/internal/remember"
)

// results is what was made of visits of days that are over, by all that it rests on: the
// versions of the days, the settings of their spaces, and what was made of them. A result
// never falls: once a day has changed, nobody asks any more for what rests on it as it was.
type results struct{ of *remember.Map[grounds, any] } // no value ever changes

// grounds is what a result rests on. The zero grounds are none: what rests on them is not
// remembered.
type grounds [16]byte

func newResults(budget *remember.Budget) *results {
	return &results{remember.NewMap[grounds, any](budget)}
}

// on is the grounds of what is made of some numbers, which say all that it rests on.
func on(what string, numbers ...int64) grounds {
	text := append(make([]byte, 0, 1000), what...)
	for _, n := range numbers {
		text = binary.AppendVarint(text, n)
	}
	sum := sha256.Sum256(text)
	return grounds(sum[:16])
}

// find is the result that rests on some grounds, if it is remembered.
func (r *results) find(on grounds) (any, bool) { return r.of.Find(on) }

// keep remembers a result that takes some bytes.
func (r *results) keep(on grounds, value any, room int) {
	if on != (grounds{}) {
		r.of.Keep(on, value, room)
	}
}

// once is what is made of something: as it is remembered, or made and remembered.
func once[Made any](r *results, on grounds, work func() (made Made, room int, err error)) (Made, error) {
	if found, known := r.find(on); known {
		made, _ := found.(Made)
		return made, nil
	}
	made, room, err := work()
	if err == nil {
		r.keep(on, made, room)
	}
	return made, err
}

// settled is the stretch of each space's own days that are over and of which all counts:
// what follows from their visits is the same whenever, and within whatever range, it is
// asked for. Others is the rest of the days that hold any of the range.
func (s *scope) settled() (settled []daysOf, others ownDays) {
	for _, a := range s.rangeOf(s.places) {
		over := a
		for over.first < over.stop && !s.settles(a.place, over.first) {
			over.first++
		}
		for over.first < over.stop && !s.settles(a.place, over.stop-1) {
			over.stop--
		}
		settled = append(settled, over)
		others.add(a.place, a.first, over.first)
		others.add(a.place, over.stop, a.stop)
	}
	return settled, others
}

// settles says whether a day is over and all of it counts. Days that are to be filed anew
// have visits that are not theirs.
func (s *scope) settles(p *place, d calendar.Date) bool {
	start, end := p.calendar.Span(d)
	day := window{start, end}
	return !s.filtered() && !s.refiling && end <= s.asOf && day.cut(s.instants(p)) == day &&
		p.alive(p.grid.DayAt(start)) && p.alive(p.grid.DayAt(end-1))
}

// digest is something that a report makes of a day's visits, by nothing but those and the
// settings of the space.
type digest[Made any] struct {
	name string
	make func(visits iter.Seq[*stay]) Made
	room func(Made) int // bytes
}

// digests is what is made of the visits of days, day by day: from memory, or of the visits,
// and remembered.
func digests[Made any](ctx context.Context, s *scope, days []daysOf, of digest[Made]) ([][]Made, error) {
	recalled, err := s.recall(ctx, days...)
	if err != nil {
		return nil, err
	}
	all := make([][]Made, len(days))
	var missing []daysOf
	var places []*Made // where that of each missing day belongs
	for i, a := range days {
		all[i] = make([]Made, len(recalled[i]))
		for j, d := range recalled[i] {
			if made, known := s.reader.memory.results.find(of.on(a.place, a.first.AddDays(j), d)); known {
				all[i][j], _ = made.(Made)
				continue
			}
			date := a.first.AddDays(j)
			if last := len(missing) - 1; last >= 0 && missing[last].place == a.place && missing[last].stop == date {
				missing[last].stop++
			} else {
				missing = append(missing, daysOf{a.place, date, date + 1})
			}
			places = append(places, &all[i][j])
		}
	}
	if len(missing) == 0 {
		return all, nil
	}
	for p, err := range s.portions(ctx, missing, ofStays) {
		if err != nil {
			return nil, err
		}
		for at, d := range p.days() {
			made := of.make(d.staysAt(at.place, at.day))
			s.reader.memory.results.keep(of.on(at.place, at.day, d), made, of.room(made))
			*places[0] = made
			places = places[1:]
		}
	}
	return all, nil
}

// on is what a day's digest rests on.
func (g digest[Made]) on(p *place, date calendar.Date, d *dayMemory) grounds {
	return on(g.name, int64(p.id), p.settings, int64(date), d.version)
}

// staysAt is the visits of a day where they were. Each is there until the next one.
func (d *dayMemory) staysAt(p *place, date calendar.Date) iter.Seq[*stay] {
	return func(yield func(*stay) bool) {
		v := stay{place: p}
		for v.visit = range d.stays.on(date) {
			if !yield(&v) {
				return
			}
		}
	}
}
