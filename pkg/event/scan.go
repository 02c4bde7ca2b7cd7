package event

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"coworking/pkg/fault"
)

// scanner reads JSON (RFC 8259) strictly: it refuses what encoding/json lets pass,
// duplicate keys and trailing data, and what Postgres cannot store, NUL and
// surrogates without their other half.
type scanner struct {
	body []byte
	at   int
}

const (
	maxDepth = 32
	maxKeys  = 64 // in one object: no event has as many
)

func (s *scanner) broken() error {
	if s.at >= len(s.body) {
		return fault.Invalid.With("invalid_json", "", "the JSON ends too early, at byte %d", s.at)
	}
	return fault.Invalid.With("invalid_json", "", "not JSON at byte %d", s.at)
}

func (s *scanner) space() {
	for s.at < len(s.body) {
		switch s.body[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) peek() byte {
	if s.at < len(s.body) {
		return s.body[s.at]
	}
	return 0
}

// take goes past one character, if it is next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.at >= len(s.body) {
		return false
	}
	s.at++
	return true
}

// object reads an object and calls member for each of its members, with the key
// unescaped and the value as it is written. where is the object's JSON pointer.
func (s *scanner) object(where string, depth int, member func(key, value []byte) error) error {
	if depth > maxDepth {
		return fault.Invalid.With("invalid_json", where, "nested more than %d deep", maxDepth)
	}
	if !s.take('{') {
		return s.broken()
	}
	s.space()
	if s.take('}') {
		return nil
	}
	var (
		buffer [16][]byte
		seen   = buffer[:0]
	)
	for {
		s.space()
		key, err := s.key(where)
		if err != nil {
			return err
		}
		for _, k := range seen {
			if bytes.Equal(k, key) {
				return fault.Invalid.With("duplicate_key", where+"/"+escapePointer(key), "the key %q is there twice", key)
			}
		}
		if seen = append(seen, key); len(seen) > maxKeys {
			return fault.Invalid.With("invalid_json", where, "an object of more than %d members", maxKeys)
		}
		s.space()
		if !s.take(':') {
			return s.broken()
		}
		s.space()
		begin := s.at
		if err := s.skip(where, key, depth); err != nil {
			return err
		}
		if member != nil {
			if err := member(key, s.body[begin:s.at]); err != nil {
				return err
			}
		}
		s.space()
		if s.take(',') {
			continue
		}
		if s.take('}') {
			return nil
		}
		return s.broken()
	}
}

func (s *scanner) key(where string) ([]byte, error) {
	begin := s.at
	if err := s.skipString(where, nil); err != nil {
		return nil, err
	}
	return unquote(s.body[begin:s.at]), nil
}

// skip goes past a value, well formed in all its depth.
func (s *scanner) skip(where string, key []byte, depth int) error {
	switch c := s.peek(); {
	case c == '"':
		return s.skipString(where, key)
	case c == '{':
		return s.object(below(where, key), depth+1, nil)
	case c == '[':
		return s.skipArray(below(where, key), depth+1)
	case c == '-' || c >= '0' && c <= '9':
		return s.skipNumber()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if len(s.body)-s.at >= len(word) && string(s.body[s.at:s.at+len(word)]) == word {
			s.at += len(word)
			return nil
		}
	}
	return s.broken()
}

func (s *scanner) skipArray(where string, depth int) error {
	if depth > maxDepth {
		return fault.Invalid.With("invalid_json", where, "nested more than %d deep", maxDepth)
	}
	s.at++ // [
	s.space()
	if s.take(']') {
		return nil
	}
	for {
		s.space()
		if err := s.skip(where, nil, depth); err != nil {
			return err
		}
		s.space()
		if s.take(',') {
			continue
		}
		if s.take(']') {
			return nil
		}
		return s.broken()
	}
}

func (s *scanner) digits() bool {
	begin := s.at
	for s.at < len(s.body) && s.body[s.at] >= '0' && s.body[s.at] <= '9' {
		s.at++
	}
	return s.at > begin
}

func (s *scanner) skipNumber() error {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return s.broken()
	}
	if s.take('.') && !s.digits() {
		return s.broken()
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if !s.take('+') {
			s.take('-')
		}
		if !s.digits() {
			return s.broken()
		}
	}
	return nil
}

// skipString goes past a string. Its characters were found to be UTF-8 before.
func (s *scanner) skipString(where string, key []byte) error {
	if !s.take('"') {
		return s.broken()
	}
	for s.at < len(s.body) {
		switch c := s.body[s.at]; {
		case c == '"':
			s.at++
			return nil
		case c < ' ':
			return fault.Invalid.With("invalid_text", below(where, key), "a control character at byte %d", s.at)
		case c == '\\':
			if err := s.skipEscape(where, key); err != nil {
				return err
			}
		default:
			s.at++
		}
	}
	return s.broken()
}

func (s *scanner) skipEscape(where string, key []byte) error {
	if s.at+1 >= len(s.body) {
		s.at = len(s.body)
		return s.broken()
	}
	switch s.body[s.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at += 2
		return nil
	case 'u':
	default:
		return s.broken()
	}
	r, ok := hex4(s.body[s.at+2:])
	if !ok {
		return s.broken()
	}
	if utf16.IsSurrogate(r) {
		second, ok := rune(0), false
		if rest := s.body[s.at+6:]; len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
			second, ok = hex4(rest[2:])
		}
		if !ok || utf16.DecodeRune(r, second) == utf8.RuneError {
			return fault.Invalid.With("invalid_text", below(where, key), "half a surrogate pair at byte %d", s.at)
		}
		s.at += 6
	}
	if r == 0 {
		return fault.Invalid.With("invalid_text", below(where, key), "a NUL at byte %d", s.at)
	}
	s.at += 6
	return nil
}

// hex4 is the number that four hexadecimal digits write.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		digit := hexDigit(c)
		if digit < 0 {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// unquote is the text of a string that skipString went past. Without escapes it is
// a part of the body, else a copy.
func unquote(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	text := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			text = append(text, inner[i])
			continue
		}
		i++
		switch c := inner[i]; c {
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			r, _ := hex4(inner[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				second, _ := hex4(inner[i+3:])
				r = utf16.DecodeRune(r, second)
				i += 6
			}
			text = utf8.AppendRune(text, r)
		default:
			text = append(text, c)
		}
	}
	return text
}

// alias is the bytes as a string, without a copy.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// below is the JSON pointer (RFC 6901) of a member.
func below(where string, key []byte) string {
	if key == nil {
		return where
	}
	return where + "/" + escapePointer(key)
}

func escapePointer(key []byte) string {
	return string(bytes.ReplaceAll(bytes.ReplaceAll(key, []byte("~"), []byte("~0")), []byte("/"), []byte("~1")))
}
