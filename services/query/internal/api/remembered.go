package api

import (
	"bytes"
	"container/list"
	"sync"
)

// Bodies that were written are kept under their tags, which move with everything
// that they rest on: one that is found is right, and needs no other check.
const (
	mostBytes   = 16 << 20 // of all bodies, packed ones too
	mostOfABody = 1 << 20  // larger ones are not kept
	mostNotes   = 1024     // of a kind, of 5 KB each where spaces are many; longer than a page is none
	mostOfANote = 4096
)

// body is an answer as it was written.
type body struct {
	tag      string
	bytes    []byte
	fileName string // "": a browser shows it
	next     string // the address of the rows after these; "": there are none
	rows     int

	packing sync.Once
	packed  []byte // by gzip; nil: nobody asked for that
}

// bodies is the answers that were written last. Any number of goroutines may share
// it.
type bodies struct {
	mu     sync.Mutex
	byTag  map[string]*list.Element
	recent *list.List // of bodies, the latest used first
	bytes  int
}

func newBodies() *bodies { return &bodies{byTag: map[string]*list.Element{}, recent: list.New()} }

func (b *bodies) find(tag string) (*body, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	element, known := b.byTag[tag]
	if !known {
		return nil, false
	}
	b.recent.MoveToFront(element)
	return bodyOf(element), true
}

func (b *bodies) keep(answer *body) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.byTag[answer.tag]; known || len(answer.bytes) > mostOfABody {
		return
	}
	b.byTag[answer.tag] = b.recent.PushFront(answer)
	b.bytes += len(answer.bytes)
	b.fit()
}

// packed is an answer as gzip. It is made when it is asked for, since most answers
// never are again, and then once, however many ask.
func (b *bodies) packed(answer *body) []byte {
	answer.packing.Do(func() {
		packed := pack(answer.bytes)
		b.mu.Lock()
		defer b.mu.Unlock()
		answer.packed = packed
		if element, known := b.byTag[answer.tag]; known && bodyOf(element) == answer { // it may be gone by now
			b.bytes += len(packed)
			b.fit()
		}
	})
	return answer.packed
}

// fit forgets what was not asked for the longest, until there is room for the rest.
func (b *bodies) fit() {
	for b.bytes > mostBytes {
		last := b.recent.Back()
		oldest := bodyOf(last)
		b.recent.Remove(last)
		delete(b.byTag, oldest.tag)
		b.bytes -= len(oldest.bytes) + len(oldest.packed)
	}
}

// size is how many bytes are kept.
func (b *bodies) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// bodyOf is what an element of the list holds.
func bodyOf(element *list.Element) *body {
	kept, _ := element.Value.(*body)
	return kept
}

// copied is what is written through it, as long as it is worth keeping.
type copied struct{ bytes.Buffer }

// Write keeps at most one byte more than what is worth it.
func (c *copied) Write(p []byte) (int, error) {
	if room := mostOfABody + 1 - c.Len(); room > 0 {
		c.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// notes is what was found out about requests, by their text: cheap to have, and cheap
// to find out again. Any number of goroutines may share it.
type notes[T any] struct {
	mu    sync.RWMutex
	known map[string]T
}

func (n *notes[T]) find(text string) (T, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	note, ok := n.known[text]
	return note, ok
}

func (n *notes[T]) keep(text string, note T) {
	if len(text) > mostOfANote {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= mostNotes {
		n.known = map[string]T{}
	}
	n.known[text] = note
}
