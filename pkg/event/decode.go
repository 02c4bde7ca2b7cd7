package event

import (
	"bytes"
	"cmp"
	"strings"
	"unicode"

	"coworking/pkg/fault"
)

// Limits of texts, in bytes.
const (
	maxID   = 128 // of id, source and member, and of every text but a name
	maxName = 256
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
	if a.version != nil && (a.version[0] != '"' || string(unquote(a.version)) != "1.0") {
		return fault.Invalid.With("invalid_field", "/specversion", `specversion is not "1.0"`)
	}
	// Also where the id is bad: whose event it is, is worth knowing.
	id, badID := identifier(a.id, "/id", "id")
	source, badSource := identifier(a.source, "/source", "source")
	e.ID, e.Source = id, source
	if err := cmp.Or(badID, badSource); err != nil {
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
	if err := legible(body); err != nil {
		return a, err
	}
	s := scanner{body: body}
	if s.empty() {
		return a, fault.Invalid.With("empty_body", "", "there is nothing")
	}
	if first := s.peek(); first != '{' {
		if err := s.skip(0); err != nil {
			return a, err
		}
		if err := s.end(); err != nil {
			return a, err
		}
		if first == '[' {
			return a, fault.Invalid.With("not_an_object", "", "an event is a JSON object; an array of them is a batch, with a media type of its own")
		}
		return a, fault.Invalid.With("not_an_object", "", "an event is a JSON object")
	}
	var m members
	for m.next(&s) {
		if string(m.value) == "null" {
			continue
		}
		switch string(m.key) {
		case "specversion":
			a.version = m.value
		case "id":
			a.id = m.value
		case "source":
			a.source = m.value
		case "type":
			a.kind = m.value
		case "time":
			a.time = m.value
		case "subject":
			a.member = m.value
		case "datacontenttype":
			a.contentType = m.value
		case "data":
			a.data = m.value
		case "data_base64":
			a.base64 = m.value
		}
	}
	if m.err != nil {
		return a, m.err
	}
	return a, s.end()
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
		return nil, fault.Invalid.With("unknown_type", "/type", "type %s is none of ours, which are %s and %s", quote(name), TypePrefix, kinds.names())
	}
	return kind, nil
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
		m := members{depth: 1}
		for m.next(&s) {
			if string(m.key) == "space" {
				space = m.value
				continue
			}
			i := kind.field(m.key)
			switch {
			case i >= 0 && string(m.value) != "null":
				given |= 1 << i
				if err := kind.Fields[i].read(&e.Data, m.value); err != nil {
					return at(err, "/data/"+kind.Fields[i].Name)
				}
			case i < 0 && o.Strict:
				return fault.Invalid.With("unknown_field", below("/data", string(m.key)), "%s has no field %s, but %s", kind.Kind, quote(m.key), kind.names())
			}
		}
		if m.err != nil {
			return m.err
		}
	}
	if err := e.readSpace(space, o.SubjectSpace); err != nil {
		return err
	}
	for i := range kind.Fields {
		f := &kind.Fields[i]
		switch {
		case given&(1<<i) != 0:
		case f.Required:
			return fault.Invalid.With("invalid_field", "/data/"+f.Name, "%s is missing", f.Name)
		default:
			f.assume(&e.Data)
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
		return fault.Invalid.With("invalid_space", "/data/space", "%s is not the name of a space: a-z, 0-9, _ and -, up to 63", quote([]byte(e.Space)))
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
	return fault.Invalid.With(fault.Code(err), pointer+fault.Pointer(err), "%s: %w", pointer[strings.LastIndexByte(pointer, '/')+1:], err)
}
