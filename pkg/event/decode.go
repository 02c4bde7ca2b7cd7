package event

import (
	"bytes"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"coworking/pkg/fault"
)

// Limits of texts, in bytes.
const (
	maxID   = 128 // of id, source and member, and of every text but a name
	maxName = 256
)

// Years that a time may lie in: what every zone's offset is a multiple of 15
// minutes in, and what RFC 3339 can write.
const (
	firstYear = 1973
	lastYear  = 9999
)

// Options is how strictly an event is read, and what is known of it beforehand.
type Options struct {
	// Strict refuses unknown fields of data with `unknown_field`, so that a typo
	// is seen at once. Otherwise they are ignored: a publisher may be newer.
	Strict bool

	// What the NATS subject says, "" where there is none. An event that says
	// otherwise is refused; with a space here it need not name one itself.
	SubjectSpace string
	SubjectKind  string
}

// Decode reads an event in structured JSON mode. Its texts are parts of body, which
// must not be changed afterwards.
//
// A null is as good as an absent value. Unknown attributes are ignored. The error
// is always fault.Invalid, with a code and, where one field is at fault, its
// pointer; what could be read is returned with it.
func Decode(body []byte, o Options) (Event, error) {
	var e Event
	err := decode(&e, body, o)
	return e, err
}

// attributes is an envelope's values as they are written; nil is absent.
type attributes struct {
	version, id, source, kind, time, member, contentType, data, base64 []byte
}

func decode(e *Event, body []byte, o Options) error {
	a, err := envelope(body)
	if err != nil {
		return err
	}
	if a.version != nil && string(a.version) != `"1.0"` {
		return fault.Invalid.With("invalid_field", "/specversion", `specversion is not "1.0"`)
	}
	if e.ID, err = identifier(a.id, "/id", "id"); err != nil {
		return err
	}
	if e.Source, err = identifier(a.source, "/source", "source"); err != nil {
		return err
	}
	kind, err := kindOf(a.kind)
	if err != nil {
		return err
	}
	e.Kind = kind.Kind
	if o.SubjectKind != "" && o.SubjectKind != string(e.Kind) {
		return fault.Invalid.With("kind_mismatch", "/type", "type %s was published to a subject of kind %q", e.Type(), o.SubjectKind)
	}
	if e.Time, err = instant(a.time, "/time"); err != nil {
		return err
	}
	if err := e.readMember(a.member); err != nil {
		return err
	}
	if a.base64 != nil {
		return fault.Invalid.With("invalid_field", "/data_base64", "data is JSON here, not base64")
	}
	if a.contentType != nil && !isJSON(a.contentType) {
		return fault.Invalid.With("invalid_field", "/datacontenttype", "datacontenttype is not JSON")
	}
	return e.readData(kind, a.data, o)
}

// envelope finds the attributes, and refuses what is no JSON object.
func envelope(body []byte) (attributes, error) {
	var a attributes
	if !utf8.Valid(body) {
		return a, fault.Invalid.With("invalid_text", "", "not UTF-8")
	}
	s := scanner{body: body}
	s.space()
	if s.at == len(body) {
		return a, fault.Invalid.With("empty_body", "", "there is nothing")
	}
	if i := bytes.IndexByte(body, 0); i >= 0 {
		return a, fault.Invalid.With("invalid_text", "", "a NUL at byte %d", i)
	}
	if s.peek() != '{' {
		if err := s.skip("", nil, 0); err != nil {
			return a, err
		}
		return a, fault.Invalid.With("not_an_object", "", "an event is a JSON object")
	}
	err := s.object("", 0, func(key, value []byte) error {
		if string(value) == "null" {
			return nil
		}
		switch string(key) {
		case "specversion":
			a.version = value
		case "id":
			a.id = value
		case "source":
			a.source = value
		case "type":
			a.kind = value
		case "time":
			a.time = value
		case "subject":
			a.member = value
		case "datacontenttype":
			a.contentType = value
		case "data":
			a.data = value
		case "data_base64":
			a.base64 = value
		}
		return nil
	})
	if err != nil {
		return a, err
	}
	s.space()
	if s.at < len(body) {
		return a, fault.Invalid.With("trailing_data", "", "more data after the event, at byte %d", s.at)
	}
	return a, nil
}

// identifier reads an id or a source.
func identifier(value []byte, pointer, name string) (string, error) {
	if value == nil {
		return "", fault.Invalid.With("invalid_id", pointer, "%s is missing", name)
	}
	if value[0] != '"' {
		return "", fault.Invalid.With("invalid_id", pointer, "%s is not a text", name)
	}
	text := alias(unquote(value))
	if len(text) == 0 || len(text) > maxID {
		return "", fault.Invalid.With("invalid_id", pointer, "%s has %d bytes, not 1 to %d", name, len(text), maxID)
	}
	if !printable(text) {
		return "", fault.Invalid.With("invalid_text", pointer, "%s has a character that cannot be printed", name)
	}
	return text, nil
}

// printable says whether a text is all letters, marks, numbers, punctuation,
// symbols and blanks: no control characters.
func printable(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return printableRunes(text)
		}
	}
	return true
}

func printableRunes(text string) bool {
	for _, r := range text {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

func kindOf(value []byte) (*KindInfo, error) {
	if value == nil {
		return nil, fault.Invalid.With("unknown_type", "/type", "type is missing")
	}
	if value[0] != '"' {
		return nil, fault.Invalid.With("unknown_type", "/type", "type is not a text")
	}
	name := unquote(value)
	short, ok := bytes.CutPrefix(name, []byte(TypePrefix))
	kind := kinds.byName[string(short)]
	if !ok || kind == nil {
		return nil, fault.Invalid.With("unknown_type", "/type", "type %q is none of ours", name)
	}
	return kind, nil
}

// instant reads a time of RFC 3339 with its offset, cut to microseconds.
func instant(value []byte, pointer string) (time.Time, error) {
	if value == nil {
		return time.Time{}, fault.Invalid.With("invalid_time", pointer, "time is missing")
	}
	if value[0] != '"' {
		return time.Time{}, fault.Invalid.With("invalid_time", pointer, "time is not a text")
	}
	t, ok := parseTime(unquote(value))
	if !ok {
		return time.Time{}, fault.Invalid.With("invalid_time", pointer,
			"%s is not a time with an offset like 2026-03-29T00:58:03.120Z, from %d to %d", value, firstYear, lastYear)
	}
	return t, nil
}

// parseTime is stricter than time.Parse, which takes one-digit hours and a comma.
func parseTime(text []byte) (time.Time, bool) {
	const shape = "0000-00-00T00:00:00"
	if len(text) <= len(shape) {
		return time.Time{}, false
	}
	for i := range len(shape) {
		switch c := text[i]; {
		case shape[i] == '0':
			if c < '0' || c > '9' {
				return time.Time{}, false
			}
		case c != shape[i] && (c != 't' || shape[i] != 'T'):
			return time.Time{}, false
		}
	}
	number := func(at, digits int) (n int) {
		for _, c := range text[at : at+digits] {
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := number(0, 4), number(5, 2), number(8, 2)
	hour, minute, second := number(11, 2), number(14, 2), number(17, 2)
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nanos, rest, ok := fraction(text[len(shape):])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := offset(rest)
	if !ok {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if t.Day() != day { // 30 February becomes a day in March
		return time.Time{}, false
	}
	t = t.Add(-offset)
	return t, t.Year() >= firstYear && t.Year() <= lastYear
}

// fraction reads the part of a second, cut to microseconds.
func fraction(text []byte) (nanos int, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '.' {
		return 0, text, true
	}
	text = text[1:]
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	scale := 100_000_000
	for i := 0; i < min(n, 6); i++ {
		nanos += int(text[i]-'0') * scale
		scale /= 10
	}
	return nanos, text[n:], n > 0
}

// offset reads Z or +hh:mm.
func offset(text []byte) (time.Duration, bool) {
	if string(text) == "Z" || string(text) == "z" {
		return 0, true
	}
	if len(text) != len("+00:00") || text[0] != '+' && text[0] != '-' || text[3] != ':' {
		return 0, false
	}
	for _, i := range [...]int{1, 2, 4, 5} {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	hours, minutes := int(text[1]-'0')*10+int(text[2]-'0'), int(text[4]-'0')*10+int(text[5]-'0')
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if text[0] == '-' {
		d = -d
	}
	return d, true
}

func (e *Event) readMember(value []byte) error {
	if value == nil {
		if e.Kind == MemberUpserted {
			return fault.Invalid.With("invalid_field", "/subject", "subject is missing: whom is this about?")
		}
		return nil
	}
	text, err := text(value, maxID)
	if err != nil {
		return at(err, "/subject")
	}
	e.Member = text
	return nil
}

func isJSON(value []byte) bool {
	if value[0] != '"' {
		return false
	}
	media, _, _ := strings.Cut(string(unquote(value)), ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// readData reads the fields that the kind has, and the space.
func (e *Event) readData(kind *KindInfo, data []byte, o Options) error {
	var (
		given uint64 // bit i: field i of the kind is there
		space []byte
	)
	if data != nil {
		if data[0] != '{' {
			return fault.Invalid.With("invalid_field", "/data", "data is not an object")
		}
		s := scanner{body: data}
		err := s.object("/data", 1, func(key, value []byte) error {
			if string(key) == "space" {
				space = value
				return nil
			}
			for i := range kind.Fields {
				f := &kind.Fields[i]
				if string(key) != f.Name {
					continue
				}
				if string(value) == "null" {
					return nil
				}
				given |= 1 << i
				if err := f.read(&e.Data, value); err != nil {
					return at(err, "/data/"+f.Name)
				}
				return nil
			}
			if o.Strict {
				return fault.Invalid.With("unknown_field", below("/data", key), "%s has no field %q", kind.Kind, key)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := e.readSpace(space, o.SubjectSpace); err != nil {
		return err
	}
	for i := range kind.Fields {
		f := &kind.Fields[i]
		if given&(1<<i) != 0 {
			continue
		}
		if f.Required {
			return fault.Invalid.With("invalid_field", "/data/"+f.Name, "%s is missing", f.Name)
		}
		if f.absent != nil {
			f.absent(&e.Data)
		}
	}
	if kind.Kind == SpaceUpserted && e.Data.Settings == nil {
		e.Data.Settings = &Settings{}
	}
	return nil
}

// readSpace takes the space from the subject, or from data where there is none;
// where both are, they must agree.
func (e *Event) readSpace(value []byte, subject string) error {
	if value == nil || string(value) == "null" {
		if subject == "" && e.Kind != MemberUpserted {
			return fault.Invalid.With("invalid_space", "/data/space", "space is missing")
		}
		e.Space = subject
		if subject == "" {
			e.Space = NoSpace
		}
	} else {
		if value[0] != '"' {
			return fault.Invalid.With("invalid_space", "/data/space", "space is not a text")
		}
		e.Space = alias(unquote(value))
	}
	switch {
	case !ValidSpace(e.Space):
		return fault.Invalid.With("invalid_space", "/data/space", "%q is not the name of a space: a-z, 0-9, _ and -, up to 63", e.Space)
	case (e.Space == NoSpace) != (e.Kind == MemberUpserted) && e.Kind != EventVoided:
		return fault.Invalid.With("invalid_space", "/data/space", "space %q does not go with %s: %q is for members, and only for them", e.Space, e.Kind, NoSpace)
	case subject != "" && e.Space != subject:
		return fault.Invalid.With("space_mismatch", "/data/space", "space %q was published to the subject of %q", e.Space, subject)
	}
	return nil
}

// ValidSpace says whether a text can name a space: [a-z0-9][a-z0-9_-]{0,62}, or the
// reserved `_`.
func ValidSpace(name string) bool {
	if name == NoSpace {
		return true
	}
	if len(name) == 0 || len(name) > 63 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (i == 0 || c != '_' && c != '-') {
			return false
		}
	}
	return true
}

// at gives an error its place.
func at(err error, pointer string) error {
	return fault.Invalid.With(fault.Code(err), pointer, "%s: %w", strings.TrimPrefix(pointer, "/data/"), err)
}
