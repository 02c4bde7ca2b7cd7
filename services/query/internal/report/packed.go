package report

import (
	"encoding/binary"
	"iter"

	"coworking/pkg/calendar"
)

// packedVisits is the visits of a day, packed: some 13 bytes each, so that many days can
// be remembered. Instants keep their microseconds. They are unpacked one by one, as they
// are walked over. They never change.
type packedVisits struct{ bytes []byte }

// room is how many bytes they take; nil is none.
func (p *packedVisits) room() int {
	if p == nil {
		return 0
	}
	return len(p.bytes)
}

// A visit begins with what holds of it. Of the words that it was opened with it says only
// those that are not the ones of the visit before it.
const (
	isExplicit = 1 << iota
	isCutoff
	saysMethod
	saysPlan
	saysZone
	saysTeam
	touchedAgain // it has more to say than that it began: how many check-ins, and when the last one was
	isParty
	wentOut
)

// numbers is numbers one after another: the smaller one is, the fewer bytes it takes.
type numbers struct{ bytes []byte }

func (n *numbers) put(number int64) { n.bytes = binary.AppendVarint(n.bytes, number) }

// take takes the first number out.
func (n *numbers) take() int64 {
	number, length := binary.Varint(n.bytes)
	n.bytes = n.bytes[length:]
	return number
}

// packing is the visits of a day while they are packed, or unpacked.
type packing struct {
	numbers

	before visit
}

// add packs a visit. It takes the fewest bytes if they come in order of time.
func (p *packing) add(v *visit) {
	holds := p.holds(v)
	p.put(holds)
	p.put(v.in - p.before.in)
	p.put(v.out - v.in)
	p.put(int64(v.member))
	for i, word := range v.words() {
		if holds&(saysMethod<<i) != 0 {
			p.put(int64(*word))
		}
	}
	if holds&touchedAgain != 0 {
		p.put(v.touches)
		p.put(v.lastTouch - v.in)
	}
	if holds&isParty != 0 {
		p.put(v.party)
	}
	if holds&wentOut != 0 {
		p.put(int64(len(v.away)))
		last := v.in
		for _, at := range v.away {
			p.put(at - last)
			last = at
		}
	}
	p.before = *v
}

// holds is what holds of a visit.
func (p *packing) holds(v *visit) int64 {
	var holds int64
	if v.explicit {
		holds |= isExplicit
	}
	if v.cutoff {
		holds |= isCutoff
	}
	known := p.before.words()
	for i, word := range v.words() {
		if *word != *known[i] {
			holds |= saysMethod << i
		}
	}
	if v.touches != 1 || v.lastTouch != v.in {
		holds |= touchedAgain
	}
	if v.party != 1 {
		holds |= isParty
	}
	if len(v.away) > 0 {
		holds |= wentOut
	}
	return holds
}

// words is the words of a visit, in the order in which they are packed.
func (v *visit) words() [4]*int32 { return [...]*int32{&v.method, &v.plan, &v.zone, &v.team} }

// next unpacks a visit over the one before it.
func (p *packing) next() {
	v := &p.before
	holds := p.take()
	v.explicit, v.cutoff = holds&isExplicit != 0, holds&isCutoff != 0
	v.in += p.take()
	v.out = v.in + p.take()
	v.member = int32(p.take())
	if holds&(saysMethod|saysPlan|saysZone|saysTeam) != 0 {
		for i, word := range v.words() {
			if holds&(saysMethod<<i) != 0 {
				*word = int32(p.take())
			}
		}
	}
	v.touches, v.lastTouch, v.party, v.away = 1, v.in, 1, v.away[:0]
	if holds&touchedAgain != 0 {
		v.touches = p.take()
		v.lastTouch = v.in + p.take()
	}
	if holds&isParty != 0 {
		v.party = p.take()
	}
	if holds&wentOut != 0 {
		last := v.in
		for range p.take() {
			last += p.take()
			v.away = append(v.away, last)
		}
	}
}

// on walks over them, as visits of a date. Each is there until the next one, and is not to
// be changed.
func (p *packedVisits) on(d calendar.Date) iter.Seq[*visit] {
	return func(yield func(*visit) bool) {
		p := packing{numbers{p.bytes}, visit{day: d}}
		for len(p.bytes) > 0 {
			p.next()
			if !yield(&p.before) {
				return
			}
		}
	}
}
