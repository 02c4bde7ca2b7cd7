package report

import "coworking/pkg/calendar"

// dayTable is the remembered days of spaces. They lie in pages of days that follow each
// other, since questions go through stretches of them.
type dayTable map[pageKey]*dayPage

const (
	pageShift = 6
	pageDays  = 1 << pageShift
)

type dayPage [pageDays]*dayMemory

type pageKey struct {
	space int32
	page  calendar.Date // of which days lie in it, the whole pages before it since 1970
}

// at is what is remembered of a day; nil: nothing.
func (t dayTable) at(k spaceDate) *dayMemory { return t.page(k).at(k.date) }

// page is the page of a day; nil: there is none.
func (t dayTable) page(k spaceDate) *dayPage { return t[pageKey{k.space, k.date >> pageShift}] }

func (p *dayPage) at(d calendar.Date) *dayMemory {
	if p == nil {
		return nil
	}
	return p[d&(pageDays-1)]
}

// keep puts a day in.
func (t dayTable) keep(k spaceDate, day *dayMemory) {
	key := pageKey{k.space, k.date >> pageShift}
	if t[key] == nil {
		t[key] = &dayPage{}
	}
	t[key][k.date&(pageDays-1)] = day
}

// each calls yield with the days of a stretch, in order; nil is one that is not
// remembered.
func (t dayTable) each(a daysOf, yield func(calendar.Date, *dayMemory)) {
	var page *dayPage
	for d := a.first; d < a.stop; d++ {
		if d == a.first || d&(pageDays-1) == 0 {
			page = t.page(spaceDate{a.place.id, d})
		}
		yield(d, page.at(d))
	}
}
