package event

import (
	"bytes"
	"strconv"
	"strings"
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

// maxDepth is how deep arrays and objects may be nested: no event needs as much, and
// nobody shall make us run out of stack.
const maxDepth = 32

// legible refuses what no JSON may be written in, and the NUL: outside of a text it
// would be no JSON, inside it is no text.
func legible(body []byte) error {
	if !utf8.Valid(body) {
		return fault.Invalid.With("invalid_text", "", "not UTF-8")
	}
	if i := bytes.IndexByte(body, 0); i >= 0 {
		return fault.Invalid.With("invalid_text", "", "a NUL at byte %d", i)
	}
	return nil
}

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

// empty says whether there is nothing but blanks left.
func (s *scanner) empty() bool {
	s.space()
	return s.at == len(s.body)
}

func (s *scanner) peek() byte {
	if s.at < len(s.body) {
		return s.body[s.at]
	}
	return 0
}

// end refuses what comes after the value.
func (s *scanner) end() error {
	if !s.empty() {
		return fault.Invalid.With("trailing_data", "", "more data after the end, at byte %d", s.at)
	}
	return nil
}

// take goes past one character, if it is next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.at >= len(s.body) {
		return false
	}
	s.at++
	return true
}

// members goes through the members of an object, in their order: after each next
// that says true, key is unescaped and value is as it is written. In the end err
// says whether the object was sound.
//
// It does not hold the scanner, which would then be moved to the heap.
type members struct {
	depth int // of the object
	begun bool
	seen  keys

	key, value []byte
	err        error
}

func (m *members) next(s *scanner) bool {
	more, err := m.more(s)
	if err == nil && more {
		err = m.member(s)
	}
	m.err = err
	return more && err == nil
}

// more goes to the next member, or past the end.
func (m *members) more(s *scanner) (bool, error) {
	if m.begun {
		s.space()
		if s.take('}') {
			return false, nil
		}
		if !s.take(',') {
			return false, s.broken()
		}
		s.space()
		return true, nil
	}
	m.begun = true
	if m.depth > maxDepth {
		return false, tooDeep()
	}
	if !s.take('{') {
		return false, s.broken()
	}
	s.space()
	return !s.take('}'), nil
}

func (m *members) member(s *scanner) error {
	begin := s.at
	if err := s.skipString(); err != nil {
		return err
	}
	m.key = unquote(s.body[begin:s.at])
	if !m.seen.add(m.key) {
		return inside(string(m.key), fault.Invalid.With("duplicate_key", "", "the key %s is there twice", quote(m.key)))
	}
	s.space()
	if !s.take(':') {
		return s.broken()
	}
	s.space()
	begin = s.at
	if err := s.skip(m.depth); err != nil {
		return inside(string(m.key), err)
	}
	m.value = s.body[begin:s.at]
	return nil
}

// keys is the keys that an object had so far. All events that make sense fit into
// few; many is for objects of a thousand members, which must not take a million
// comparisons.
type keys struct {
	few   [16][]byte
	count int
	many  map[string]bool
}

// add says whether the key is new.
func (k *keys) add(key []byte) bool {
	for _, seen := range k.few[:k.count] {
		if bytes.Equal(seen, key) {
			return false
		}
	}
	if k.count < len(k.few) {
		k.few[k.count] = key
		k.count++
		return true
	}
	if k.many == nil {
		k.many = map[string]bool{}
	}
	if k.many[string(key)] {
		return false
	}
	k.many[string(key)] = true
	return true
}

// skip goes past a value, well formed in all its depth.
func (s *scanner) skip(depth int) error {
	switch c := s.peek(); {
	case c == '"':
		return s.skipString()
	case c == '{':
		m := members{depth: depth + 1}
		for m.next(s) {
		}
		return m.err
	case c == '[':
		return s.skipArray(depth + 1)
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

func (s *scanner) skipArray(depth int) error {
	if depth > maxDepth {
		return tooDeep()
	}
	s.at++ // [
	s.space()
	if s.take(']') {
		return nil
	}
	for i := 0; ; i++ {
		s.space()
		if err := s.skip(depth); err != nil {
			return inside(strconv.Itoa(i), err)
		}
		s.space()
		if s.take(']') {
			return nil
		}
		if !s.take(',') {
			return s.broken()
		}
	}
}

func tooDeep() error {
	return fault.Invalid.With("invalid_json", "", "nested more than %d deep", maxDepth)
}

// inside is an error in a member or an element, as its owner sees it: the pointer
// grows on the way out, so that reading what is sound costs nothing. Broken JSON
// has an offset, not a pointer: what it would be inside of is anybody's guess.
func inside(name string, err error) error {
	code := fault.Code(err)
	if code == "invalid_json" {
		return err
	}
	return fault.Invalid.With(code, below("", name)+fault.Pointer(err), "%w", err)
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
func (s *scanner) skipString() error {
	if !s.take('"') {
		return s.broken()
	}
	for {
		for s.at < len(s.body) && plain[s.body[s.at]] {
			s.at++
		}
		if s.at == len(s.body) {
			return s.broken()
		}
		switch s.body[s.at] {
		case '"':
			s.at++
			return nil
		case '\\':
			if err := s.skipEscape(); err != nil {
				return err
			}
		default:
			return fault.Invalid.With("invalid_text", "", "a control character at byte %d", s.at)
		}
	}
}

// plain is the bytes that stand for themselves in a string.
var plain = func() (p [256]bool) {
	for c := ' '; c < 256; c++ {
		p[c] = c != '"' && c != '\\'
	}
	return p
}()

func (s *scanner) skipEscape() error {
	rest := s.body[s.at:]
	if len(rest) < 2 {
		s.at = len(s.body)
		return s.broken()
	}
	switch rest[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at += 2
		return nil
	case 'u':
	default:
		return s.broken()
	}
	r, ok := hex4(rest[2:])
	if !ok {
		return s.broken()
	}
	if r == 0 {
		return fault.Invalid.With("invalid_text", "", "a NUL at byte %d", s.at)
	}
	if !utf16.IsSurrogate(r) {
		s.at += len(`\u0000`)
		return nil
	}
	second, ok := rune(0), false
	if bytes.HasPrefix(rest[6:], []byte(`\u`)) {
		second, ok = hex4(rest[8:])
	}
	if !ok || utf16.DecodeRune(r, second) == utf8.RuneError {
		return fault.Invalid.With("invalid_text", "", "half a surrogate pair at byte %d", s.at)
	}
	s.at += len(`\ud83d\ude00`)
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
func alias(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // Decode says that the body must not be changed afterwards
}

// below is the JSON pointer (RFC 6901) of a member of what where points to. A name
// that no field could have is left out: it may be a megabyte.
func below(where, name string) string {
	if len(name) > maxID {
		return where
	}
	return where + "/" + escapePointer.Replace(name)
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// quote is a text as an error shows it: enough of it to be found.
func quote(text []byte) string {
	const longest = 64
	if len(text) > longest {
		return strconv.Quote(strings.ToValidUTF8(string(text[:longest]), "")) + "…"
	}
	return strconv.Quote(string(text))
}
