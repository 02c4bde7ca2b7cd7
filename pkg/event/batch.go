package event

import (
	"bytes"

	"coworking/pkg/fault"
)

// SplitBatch is the events of a batch (a JSON array of events, the CloudEvents media
// type application/cloudevents-batch+json), each as it is written, for Decode to
// judge: a bad one spoils none of the others. They are parts of body.
//
// The error is fault.Invalid: `empty_body`, `not_an_array`, `too_many_events` if
// there are more than most, `trailing_data`, or `invalid_json` where nobody could
// say what the events are.
func SplitBatch(body []byte, most int) ([][]byte, error) {
	s := scanner{body: body}
	if s.empty() {
		return nil, fault.Invalid.With("empty_body", "", "there is nothing")
	}
	if !s.take('[') {
		if err := s.skip(0); err != nil {
			return nil, err
		}
		return nil, fault.Invalid.With("not_an_array", "", "a batch is a JSON array of events")
	}
	events, err := s.elements(most)
	if err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	return events, nil
}

// elements goes past the elements of an array and its end.
func (s *scanner) elements(most int) ([][]byte, error) {
	s.space()
	if s.take(']') {
		return nil, nil
	}
	var events [][]byte
	for {
		element := s.element()
		if len(element) == 0 {
			return nil, s.broken()
		}
		if len(events) == most {
			return nil, fault.Invalid.With("too_many_events", "", "more than %d events: send them in several batches", most)
		}
		events = append(events, element)
		if s.take(']') {
			return events, nil
		}
		if !s.take(',') {
			return nil, s.broken()
		}
	}
}

// element goes to the comma or the bracket that ends an element, which may be
// anything: it only counts brackets, outside of texts.
func (s *scanner) element() []byte {
	s.space()
	begin, depth := s.at, 0
	for ; s.at < len(s.body); s.at++ {
		c := s.body[s.at]
		if depth == 0 && (c == ',' || c == ']' || c == '}') {
			break
		}
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			s.toQuote()
		}
	}
	return bytes.TrimRight(s.body[begin:s.at], " \t\r\n")
}

// toQuote goes to the quotation mark that ends a text, or to the last byte.
func (s *scanner) toQuote() {
	for s.at++; s.at < len(s.body)-1 && s.body[s.at] != '"'; s.at++ {
		if s.body[s.at] == '\\' {
			s.at++
		}
	}
	s.at = min(s.at, len(s.body)-1)
}
