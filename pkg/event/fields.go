package event

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a zone's name must mean the same on every machine

	"coworking/pkg/fault"
)

// maxFields is how many fields a kind may have: one bit each while it is read.
const maxFields = 64

// Field is a field of data: its name, what it means, what it may hold as JSON
// Schema, and how it is read and written.
type Field struct {
	Name     string
	Doc      string
	Schema   string // JSON Schema 2020-12 of the value
	Required bool

	read   func(d *Data, value []byte) error
	write  func(dst []byte, d *Data) []byte // the value; nothing if absent
	absent func(d *Data)                    // what holds if it is not said
}

// required is the field where a kind cannot do without it.
func required(f Field) Field {
	f.Required = true
	return f
}

// The fields.
var (
	method = enum("method", "How they came or went.", func(d *Data) *string { return &d.Method },
		"door", "kiosk", "app", "wifi", "manual", "sensor", "token")
	failure = enum("reason", "Why they were refused.", func(d *Data) *string { return &d.Reason },
		"no_valid_pass", "token_reused", "token_expired", "unknown_member", "outside_hours", "other")
	zone       = words("zone", "Which part of the space.", maxID, func(d *Data) *string { return &d.Zone })
	device     = words("device", "Which lock, kiosk or phone.", maxID, func(d *Data) *string { return &d.Device })
	plan       = words("plan", "The member's plan.", maxID, func(d *Data) *string { return &d.Plan })
	team       = words("team", "The member's team or company.", maxID, func(d *Data) *string { return &d.Team })
	tokenID    = words("token_id", "The one-time token.", maxID, func(d *Data) *string { return &d.TokenID })
	voidSource = words("source", "The source of the event that is taken back.", maxID, func(d *Data) *string { return &d.VoidSource })
	voidID     = words("id", "The id of the event that is taken back.", maxID, func(d *Data) *string { return &d.VoidID })
	voidReason = words("reason", "Why it is taken back.", maxName, func(d *Data) *string { return &d.VoidReason })
	expiresAt  = moment("expires_at", "When the token is no longer good.", func(d *Data) **time.Time { return &d.ExpiresAt })
	joinedAt   = moment("joined_at", "When they became a member.", func(d *Data) **time.Time { return &d.JoinedAt })

	partySize = Field{
		Name: "party_size", Doc: "How many people came together.", Schema: `{"type":"integer","minimum":1,"maximum":10000,"default":1}`,
		read: func(d *Data, value []byte) (err error) {
			d.PartySize, err = number(value, 1, 10_000)
			return err
		},
		write:  func(dst []byte, d *Data) []byte { return strconv.AppendInt(dst, int64(max(1, d.PartySize)), 10) },
		absent: func(d *Data) { d.PartySize = 1 },
	}
	active = Field{
		Name: "active", Doc: "Whether the membership is in force.", Schema: `{"type":"boolean"}`,
		read: func(d *Data, value []byte) error {
			if value[0] != 't' && value[0] != 'f' {
				return wrong("is not true or false")
			}
			yes := value[0] == 't'
			d.Active = &yes
			return nil
		},
		write: func(dst []byte, d *Data) []byte {
			if d.Active == nil {
				return dst
			}
			return strconv.AppendBool(dst, *d.Active)
		},
	}
	memberName = Field{
		Name: "name", Doc: "The person's name.", Schema: textSchema(maxName),
		read: func(d *Data, value []byte) error {
			name, err := text(value, maxName)
			d.MemberName = &name
			return err
		},
		write: func(dst []byte, d *Data) []byte {
			if d.MemberName == nil {
				return dst
			}
			return appendString(dst, *d.MemberName)
		},
	}
)

// The settings of a space.
var (
	spaceName = setting("name", "What people call the space.", textSchema(maxName),
		func(s *Settings) **string { return &s.Name }, func(name string) error { return lengthOf(name, maxName) })
	timeZone = setting("time_zone", "The space's zone, an IANA name; no offset.", `{"type":"string","examples":["Europe/Berlin"]}`,
		func(s *Settings) **string { return &s.TimeZone }, checkZone)
	capacity = setting("capacity", "Seats.", `{"type":"integer","minimum":0,"maximum":1000000}`,
		func(s *Settings) **int { return &s.Capacity }, func(n int) error {
			if n < 0 || n > 1_000_000 {
				return wrong("%d is not a number of seats from 0 to 1,000,000", n)
			}
			return nil
		})
	dayStart = setting("day_start", "When the visit day begins by the wall clock, a quarter of an hour.",
		`{"type":"string","pattern":"^([01][0-9]|2[0-3]):(00|15|30|45)$","default":"00:00"}`,
		func(s *Settings) **string { return &s.DayStart }, func(clock string) error {
			if !isClock(clock) || clock == "24:00" || (clock[3:] != "00" && clock[3:] != "15" && clock[3:] != "30" && clock[3:] != "45") {
				return wrong("%q is not a quarter of an hour like 05:00", clock)
			}
			return nil
		})
	defaultStay = setting("default_stay", "How long somebody who does not check out is taken to stay.",
		`{"type":"string","pattern":"^([0-9]+h)?([0-9]+m)?$","default":"4h"}`,
		func(s *Settings) **string { return &s.DefaultStay }, func(stay string) error {
			d, err := time.ParseDuration(stay)
			if err != nil || d < time.Minute || d > 24*time.Hour || d%time.Minute != 0 {
				return wrong("%q is not a time from 1m to 24h, like 4h or 1h30m", stay)
			}
			return nil
		})
	openingHours = setting("opening_hours", "When the space is open: weekday to [from, to].",
		`{"type":"object","propertyNames":{"enum":["mon","tue","wed","thu","fri","sat","sun"]},"additionalProperties":`+
			`{"type":"array","minItems":2,"maxItems":2,"items":{"type":"string","pattern":"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"}}}`,
		func(s *Settings) **map[string][2]string { return &s.OpeningHours }, checkHours)
	closures = setting("closures", "Dates on which the space is closed.",
		`{"type":"array","items":{"type":"string","format":"date"}}`,
		func(s *Settings) **[]string { return &s.Closures }, func(dates []string) error {
			for _, date := range dates {
				if err := checkDate(date); err != nil {
					return err
				}
			}
			return nil
		})
	effectiveFrom = setting("effective_from", "The first day that this holds for; by default that of `time`.",
		`{"type":"string","format":"date"}`,
		func(s *Settings) **string { return &s.EffectiveFrom }, checkDate)
)

// words is a field that holds a text.
func words(name, doc string, longest int, in func(*Data) *string) Field {
	return Field{
		Name: name, Doc: doc, Schema: textSchema(longest),
		read: func(d *Data, value []byte) (err error) {
			*in(d), err = text(value, longest)
			return err
		},
		write: func(dst []byte, d *Data) []byte {
			if *in(d) == "" {
				return dst
			}
			return appendString(dst, *in(d))
		},
	}
}

// enum is a field that holds one of a few words.
func enum(name, doc string, in func(*Data) *string, values ...string) Field {
	schema, _ := json.Marshal(map[string]any{"enum": values}) // texts always marshal
	f := words(name, doc, maxID, in)
	f.Schema = string(schema)
	f.read = func(d *Data, value []byte) error {
		if value[0] != '"' {
			return wrong("is not a text")
		}
		said := unquote(value)
		for _, v := range values {
			if string(said) == v {
				*in(d) = v
				return nil
			}
		}
		return wrong("%q is none of %s", said, strings.Join(values, ", "))
	}
	return f
}

// moment is a field that holds a time.
func moment(name, doc string, in func(*Data) **time.Time) Field {
	return Field{
		Name: name, Doc: doc, Schema: `{"type":"string","format":"date-time"}`,
		read: func(d *Data, value []byte) error {
			if value[0] != '"' {
				return wrong("is not a text")
			}
			t, ok := parseTime(unquote(value))
			if !ok {
				return wrong("%s is not a time with an offset like 2026-03-29T00:58:03.120Z", value)
			}
			*in(d) = &t
			return nil
		},
		write: func(dst []byte, d *Data) []byte {
			if *in(d) == nil {
				return dst
			}
			return appendTime(dst, **in(d))
		},
	}
}

// setting is a field of a space_upserted. They are rare, so encoding/json reads
// them; duplicate keys were refused before.
func setting[T any](name, doc, schema string, in func(*Settings) **T, check func(T) error) Field {
	return Field{
		Name: name, Doc: doc, Schema: schema,
		read: func(d *Data, value []byte) error {
			said := new(T)
			decoder := json.NewDecoder(bytes.NewReader(value))
			if err := decoder.Decode(said); err != nil {
				return wrong("is not what this field holds")
			}
			if err := check(*said); err != nil {
				return err
			}
			if d.Settings == nil {
				d.Settings = &Settings{}
			}
			*in(d.Settings) = said
			return nil
		},
		write: func(dst []byte, d *Data) []byte {
			if d.Settings == nil || *in(d.Settings) == nil {
				return dst
			}
			value, _ := json.Marshal(**in(d.Settings)) // texts, numbers and maps of them always marshal
			return append(dst, value...)
		},
	}
}

// text reads a text of 1 to longest bytes without control characters.
func text(value []byte, longest int) (string, error) {
	if value[0] != '"' {
		return "", wrong("is not a text")
	}
	said := alias(unquote(value))
	if err := lengthOf(said, longest); err != nil {
		return "", err
	}
	return said, nil
}

func lengthOf(said string, longest int) error {
	if len(said) == 0 || len(said) > longest {
		return wrong("has %d bytes, not 1 to %d", len(said), longest)
	}
	if !printable(said) {
		return fault.Invalid.With("invalid_text", "", "has a control character")
	}
	return nil
}

// number reads a whole number.
func number(value []byte, least, most int) (int, error) {
	n, err := strconv.Atoi(alias(value))
	if err != nil || n < least || n > most {
		return 0, wrong("%s is not a whole number from %d to %d", value, least, most)
	}
	return n, nil
}

func textSchema(longest int) string {
	return `{"type":"string","minLength":1,"maxLength":` + strconv.Itoa(longest) + `}`
}

func wrong(format string, args ...any) error {
	return fault.Invalid.With("invalid_field", "", format, args...)
}

func checkZone(name string) error {
	// Some machines look zones up in files, whatever the case and among more files
	// than the database of zones has.
	foreign := name == "" || name == "Local" || name[0] >= 'a' && name[0] <= 'z'
	if _, err := time.LoadLocation(name); err != nil || foreign {
		return wrong("%q is not an IANA zone like Europe/Berlin", name)
	}
	return nil
}

func isClock(clock string) bool {
	if clock == "24:00" {
		return true
	}
	_, err := time.Parse("15:04", clock)
	return err == nil && len(clock) == len("15:04")
}

func checkHours(hours map[string][2]string) error {
	for day, span := range hours {
		if !strings.Contains(" mon tue wed thu fri sat sun ", " "+day+" ") || len(day) != 3 {
			return wrong("%q is not a weekday: mon, tue, wed, thu, fri, sat or sun", day)
		}
		if !isClock(span[0]) || span[0] == "24:00" || !isClock(span[1]) {
			return wrong("%s: %q to %q are not times of day like 08:00", day, span[0], span[1])
		}
	}
	return nil
}

func checkDate(date string) error {
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return wrong("%q is not a date like 2026-12-24", date)
	}
	return nil
}
