package event

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"coworking/pkg/fault"
)

// maxFields is how many fields a kind may have: one bit each while it is read.
const maxFields = 64

// maxParty is how many people can come together.
const maxParty = 10_000

// Field is a field of data: its name, what it means, what it may hold as JSON
// Schema, and how it is read and written.
type Field struct {
	Name     string
	Doc      string
	Schema   string // JSON Schema 2020-12 of the value
	Required bool

	holds   form
	kept    place    // where in Data, of a text, word or time
	longest int      // of a text or a name, in bytes
	words   []string // the only ones that a word may be
	setting setting
}

// form is what a field holds. Reading and writing go by it and not by a function in
// each field: a call that the compiler cannot see through would move every event to
// the heap.
type form uint8

const (
	aText  form = iota
	aWord       // one of a few texts
	aTime       // with its offset
	aParty      // how many people, 1 if it is not said
	aFlag       // true or false
	aName       // a text that may be not said
	aSetting
)

// place is where in Data a text or a time is kept.
type place uint8

const (
	inMethod place = iota
	inZone
	inDevice
	inPlan
	inTeam
	inTokenID
	inReason
	inVoidSource
	inVoidID
	inVoidReason
	inExpiresAt
	inJoinedAt
)

// The fields, but for those of a space: see settings.go.
var (
	method = word("method", "How they came or went.", inMethod,
		"door", "kiosk", "app", "wifi", "manual", "sensor", "token")
	refusal = word("reason", "Why they were refused.", inReason,
		"no_valid_pass", "token_reused", "token_expired", "unknown_member", "outside_hours", "other")
	zone       = words("zone", "Which part of the space.", maxID, inZone)
	device     = words("device", "Which lock, kiosk or phone.", maxID, inDevice)
	plan       = words("plan", "The member's plan.", maxID, inPlan)
	team       = words("team", "The member's team or company.", maxID, inTeam)
	tokenID    = words("token_id", "The one-time token.", maxID, inTokenID)
	voidSource = words("source", "The source of the event that is taken back.", maxID, inVoidSource)
	voidID     = words("id", "The id of the event that is taken back.", maxID, inVoidID)
	voidReason = words("reason", "Why it is taken back.", maxName, inVoidReason)
	expiresAt  = moment("expires_at", "When the token is no longer good.", inExpiresAt)
	joinedAt   = moment("joined_at", "When they became a member.", inJoinedAt)
	partySize  = Field{
		Name: "party_size", Doc: "How many people came together.", holds: aParty,
		Schema: `{"type":"integer","minimum":1,"maximum":` + strconv.Itoa(maxParty) + `,"default":1}`,
	}
	active     = Field{Name: "active", Doc: "Whether the membership is in force.", Schema: `{"type":"boolean"}`, holds: aFlag}
	memberName = Field{Name: "name", Doc: "The person's name.", Schema: textSchema(maxName), holds: aName, longest: maxName}
)

// required is the field where a kind cannot do without it.
func required(f Field) Field {
	f.Required = true
	return f
}

// words is a field that holds a text.
func words(name, doc string, longest int, kept place) Field {
	return Field{Name: name, Doc: doc, Schema: textSchema(longest), holds: aText, kept: kept, longest: longest}
}

// word is a field that holds one of a few texts.
func word(name, doc string, kept place, values ...string) Field {
	schema, _ := json.Marshal(map[string]any{"enum": values}) // texts always marshal
	return Field{Name: name, Doc: doc, Schema: string(schema), holds: aWord, kept: kept, words: values}
}

// moment is a field that holds a time.
func moment(name, doc string, kept place) Field {
	return Field{Name: name, Doc: doc, Schema: timeSchema, holds: aTime, kept: kept}
}

// text is where a text is kept; nil if that is the place of something else.
func (d *Data) text(kept place) *string {
	switch kept {
	case inMethod:
		return &d.Method
	case inZone:
		return &d.Zone
	case inDevice:
		return &d.Device
	case inPlan:
		return &d.Plan
	case inTeam:
		return &d.Team
	case inTokenID:
		return &d.TokenID
	case inReason:
		return &d.Reason
	case inVoidSource:
		return &d.VoidSource
	case inVoidID:
		return &d.VoidID
	case inVoidReason:
		return &d.VoidReason
	}
	return nil
}

// time is where a time is kept; nil if that is the place of something else.
func (d *Data) time(kept place) **time.Time {
	switch kept {
	case inExpiresAt:
		return &d.ExpiresAt
	case inJoinedAt:
		return &d.JoinedAt
	}
	return nil
}

// read takes the field's value into d. The error's pointer is below the value.
func (f *Field) read(d *Data, value []byte) (err error) {
	switch f.holds {
	case aText:
		*d.text(f.kept), err = text(value, f.longest)
	case aWord:
		*d.text(f.kept), err = f.word(value)
	case aTime:
		*d.time(f.kept), err = timeOf(value)
	case aParty:
		d.PartySize, err = number(value, 1, maxParty)
	case aFlag:
		d.Active, err = boolean(value)
	case aName:
		var name string
		name, err = text(value, f.longest)
		d.MemberName = &name
	case aSetting:
		if d.Settings == nil {
			d.Settings = &Settings{}
		}
		err = f.setting.read(d.Settings, value)
	}
	return err
}

// assume sets what holds if the field is not said.
func (f *Field) assume(d *Data) {
	if f.holds == aParty {
		d.PartySize = 1
	}
}

// write appends the field's value, and nothing if it is not said.
func (f *Field) write(dst []byte, d *Data) []byte {
	switch f.holds {
	case aText, aWord:
		if said := *d.text(f.kept); said != "" {
			return appendString(dst, said)
		}
	case aTime:
		if said := *d.time(f.kept); said != nil {
			return appendTime(dst, *said)
		}
	case aParty:
		return strconv.AppendInt(dst, int64(max(1, d.PartySize)), 10)
	case aFlag:
		if d.Active != nil {
			return strconv.AppendBool(dst, *d.Active)
		}
	case aName:
		if d.MemberName != nil {
			return appendString(dst, *d.MemberName)
		}
	case aSetting:
		if d.Settings != nil {
			return append(dst, f.setting.write(d.Settings)...)
		}
	}
	return dst
}

// word reads one of the field's words. It is returned as the table has it, so that
// it keeps no body in memory.
func (f *Field) word(value []byte) (string, error) {
	if value[0] != '"' {
		return "", wrong("is not a text")
	}
	said := unquote(value)
	for _, word := range f.words {
		if string(said) == word {
			return word, nil
		}
	}
	return "", wrong("%s is none of %s", quote(said), strings.Join(f.words, ", "))
}

// text reads a text of 1 to longest bytes without control characters.
func text(value []byte, longest int) (string, error) {
	if value[0] != '"' {
		return "", wrong("is not a text")
	}
	said := alias(unquote(value))
	if err := checkText(said, longest); err != nil {
		return "", err
	}
	return said, nil
}

func checkText(said string, longest int) error {
	if len(said) == 0 || len(said) > longest {
		return wrong("has %d bytes, not 1 to %d", len(said), longest)
	}
	if !printable(said) {
		return fault.Invalid.With("invalid_text", "", "has a control character")
	}
	return nil
}

func timeOf(value []byte) (*time.Time, error) {
	if value[0] != '"' {
		return nil, wrong("is not a text")
	}
	t, ok := parseTime(unquote(value))
	if !ok {
		return nil, wrong("%s is not a time with an offset like 2026-03-29T00:58:03.120Z, from %d to %d", quote(unquote(value)), firstYear, lastYear)
	}
	return &t, nil
}

// number reads a whole number, written without a fraction or an exponent.
func number(value []byte, least, most int) (int, error) {
	n, err := strconv.Atoi(alias(value))
	if err != nil || n < least || n > most {
		return 0, wrong("%s is not a whole number from %d to %d", quote(value), least, most)
	}
	return n, nil
}

func boolean(value []byte) (*bool, error) {
	said := value[0] == 't'
	if !said && value[0] != 'f' {
		return nil, wrong("is not true or false")
	}
	return &said, nil
}

// wrong is a value that its field cannot hold.
func wrong(format string, args ...any) error {
	return fault.Invalid.With("invalid_field", "", format, args...)
}

// noControls is the pattern of a text without control characters.
const noControls = `^[^\\x00-\\x1f\\x7f-\\x9f]+$`

// timeSchema is stricter than its format, which has leap seconds, and less strict
// than a reader: what year it is depends on the offset.
const timeSchema = `{"type":"string","format":"date-time","pattern":` +
	`"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-5][0-9](\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"}`

// textSchema counts characters, as JSON Schema does; a reader counts bytes.
func textSchema(longest int) string {
	return `{"type":"string","minLength":1,"maxLength":` + strconv.Itoa(longest) + `,"pattern":"` + noControls + `"}`
}
