package api

import (
	"bytes"
	"sync"

	"coworking/services/query/internal/remember"
	"coworking/services/query/internal/report"
)

// memory is what was found out about questions. Only what was found out last is kept of
// each: after an event nobody wants the answer from before it.
type memory struct {
	budget *remember.Budget
	wanted *remember.Map[string, *wanted] // by the request's text
	tags   *remember.Map[string, tagged]  // by the question, and who asks it
	bodies *remember.Map[string, *body]   // likewise
}

func newMemory(budget *remember.Budget) memory {
	return memory{
		budget: budget,
		wanted: remember.NewMap[string, *wanted](budget), tags: remember.NewMap[string, tagged](budget), bodies: remember.NewMap[string, *body](budget),
	}
}

const (
	mostOfABody = 1 << 20 // larger ones are not kept
	mostOfAText = 4096    // nor is what was found out about a request of more words
	wantedRoom  = 1000    // bytes beside the text
	tagRoom     = 200     // bytes beside the question and the basis
	bodyRoom    = 400     // bytes beside the question and what was written
)

// body is an answer as it was written. Its tag moves with everything that it rests on: one
// that is found under it is right, and needs no other check.
type body struct {
	question string
	tag      string
	bytes    []byte
	fileName string // "": a browser shows it
	next     string // the address of the rows after these; "": there are none
	rows     int

	packing sync.Once
	packed  []byte // by gzip; nil: nobody asked for that
}

// keepWanted remembers what a request meant.
func (m memory) keepWanted(text string, w *wanted) {
	if len(text) <= mostOfAText {
		m.wanted.Keep(text, w, wantedRoom+3*len(text))
	}
}

// keepTag remembers the tag of a question's answer.
func (m memory) keepTag(question, tag string, basis report.Basis) {
	if len(question) <= mostOfAText {
		m.tags.Keep(question, tagged{tag, basis}, tagRoom+len(question)+basis.Room())
	}
}

// body is the answer to a question that has a tag, if it is the one that is kept.
func (m memory) body(question, tag string) (*body, bool) {
	answer, known := m.bodies.Find(question)
	return answer, known && answer.tag == tag
}

// keepBody keeps an answer.
func (m memory) keepBody(answer *body) {
	if len(answer.bytes) <= mostOfABody && len(answer.question) <= mostOfAText {
		m.bodies.Keep(answer.question, answer, bodyRoom+len(answer.question)+len(answer.bytes)+len(answer.packed))
	}
}

// packed is an answer as gzip. It is made when it is asked for, since most answers
// never are again, and then once, however many ask.
func (m memory) packed(answer *body) []byte {
	answer.packing.Do(func() {
		answer.packed = pack(answer.bytes)
		if kept, known := m.bodies.Find(answer.question); known && kept == answer { // it may be gone by now
			m.keepBody(answer)
		}
	})
	return answer.packed
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
