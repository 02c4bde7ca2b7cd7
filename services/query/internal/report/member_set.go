package report

import (
	"math/bits"
	"slices"
)

// memberSet is a set of members by their numbers, which are small. Hundreds are joined for
// one figure, so how many members one has is counted when it is asked for, and not kept.
type memberSet struct{ bits []uint64 }

// size is how many members are in it.
func (m *memberSet) size() (n int) {
	for _, word := range m.bits {
		n += bits.OnesCount64(word)
	}
	return n
}

// add says whether the member was not in it.
func (m *memberSet) add(member int32) bool {
	word, bit := uint32(member)/64, uint64(1)<<(member%64)
	if int(word) >= len(m.bits) {
		m.grow(int(word) + 1 + len(m.bits)/2)
	}
	fresh := m.bits[word]&bit == 0
	m.bits[word] |= bit
	return fresh
}

// grow makes room for so many words at least.
func (m *memberSet) grow(words int) {
	if missing := words - len(m.bits); missing > 0 {
		m.bits = append(m.bits, make([]uint64, missing)...)
	}
}

// join adds another set's members.
func (m *memberSet) join(o memberSet) {
	m.grow(len(o.bits))
	joined := m.bits[:len(o.bits)] // so that bounds are checked once
	for i, word := range o.bits {
		joined[i] |= word
	}
}

// each calls yield with each member, in order.
func (m *memberSet) each(yield func(member int32)) {
	for i, word := range m.bits {
		for ; word != 0; word &= word - 1 {
			yield(int32(64*i + bits.TrailingZeros64(word)))
		}
	}
}

// without is the set but for another's members.
func (m *memberSet) without(o memberSet) memberSet {
	left := memberSet{bits: slices.Clone(m.bits)}
	for i := range left.bits {
		if i < len(o.bits) {
			left.bits[i] &^= o.bits[i]
		}
	}
	return left
}

// keep takes out who is not in another set.
func (m *memberSet) keep(o memberSet) {
	m.bits = m.bits[:min(len(m.bits), len(o.bits))]
	for i := range m.bits {
		m.bits[i] &= o.bits[i]
	}
}

// shared is how many members are in both sets.
func (m *memberSet) shared(o memberSet) int {
	n := 0
	for i, word := range m.bits[:min(len(m.bits), len(o.bits))] {
		n += bits.OnesCount64(word & o.bits[i])
	}
	return n
}

func (m *memberSet) clear() { clear(m.bits) }

func (m *memberSet) has(member int32) bool {
	word := int(member) / 64
	return word < len(m.bits) && m.bits[word]&(1<<(member%64)) != 0
}

// turnout is who had a visit on a day: a set or, where that would take more room, a list.
type turnout struct {
	set memberSet
	few []int32 // in order
}

// turnoutOf is that of some members, each once.
func turnoutOf(members []int32) *turnout {
	if len(members) == 0 {
		return &turnout{}
	}
	last := slices.Max(members)
	if dense := int(last) < 32*len(members); !dense {
		slices.Sort(members)
		return &turnout{few: members}
	}
	t := &turnout{set: memberSet{bits: make([]uint64, last/64+1)}}
	for _, member := range members {
		t.set.add(member)
	}
	return t
}

// room is how many bytes it takes.
func (t *turnout) room() int {
	if t == nil {
		return 0
	}
	return 4*len(t.few) + 8*len(t.set.bits)
}

// size is how many they are.
func (t *turnout) size() int { return t.set.size() + len(t.few) }

func (t *turnout) has(member int32) bool {
	_, listed := slices.BinarySearch(t.few, member)
	return listed || t.set.has(member)
}

// enter adds them to a set.
func (t *turnout) enter(set *memberSet) {
	set.join(t.set)
	if len(t.few) == 0 {
		return
	}
	set.grow(int(t.few[len(t.few)-1])/64 + 1)
	for _, member := range t.few {
		set.bits[uint32(member)/64] |= 1 << (member % 64)
	}
}

// within says whether all of them are in a set.
func (t *turnout) within(set *memberSet) bool {
	for i, word := range t.set.bits {
		if i >= len(set.bits) && word != 0 || i < len(set.bits) && word&^set.bits[i] != 0 {
			return false
		}
	}
	return !slices.ContainsFunc(t.few, func(member int32) bool { return !set.has(member) })
}
