package event

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Settings is what a space_upserted says: nil is "not said", which changes nothing.
type Settings struct {
	Name          *string               `json:"name,omitempty"`
	TimeZone      *string               `json:"time_zone,omitempty"`     // an IANA name
	Capacity      *int                  `json:"capacity,omitempty"`      // seats
	DayStart      *string               `json:"day_start,omitempty"`     // 05:00, a multiple of 15 minutes
	DefaultStay   *string               `json:"default_stay,omitempty"`  // 4h
	OpeningHours  *map[string][2]string `json:"opening_hours,omitempty"` // weekday (mon … sun) → [from, to]
	Closures      *[]string             `json:"closures,omitempty"`      // dates
	EffectiveFrom *string               `json:"effective_from,omitempty"`
}

// setting is how one of them is read and written. write gives nil if it is not said.
type setting struct {
	read  func(s *Settings, value []byte) error
	write func(s *Settings) []byte
}

// The fields of a space.
var (
	spaceName = settingOf("name", "What people call the space.", textSchema(maxName),
		func(s *Settings) **string { return &s.Name }, checkName)
	timeZone = settingOf("time_zone", "The space's zone, an IANA name; no offset.",
		`{"type":"string","pattern":"^[A-Z][A-Za-z0-9+_/-]*$","examples":["Europe/Berlin"]}`,
		func(s *Settings) **string { return &s.TimeZone }, checkZone)
	capacity = settingOf("capacity", "Seats.", `{"type":"integer","minimum":0,"maximum":`+strconv.Itoa(maxSeats)+`}`,
		func(s *Settings) **int { return &s.Capacity }, checkSeats)
	dayStart = settingOf("day_start", "When the visit day begins by the wall clock, a quarter of an hour.",
		`{"type":"string","pattern":"^([01][0-9]|2[0-3]):(00|15|30|45)$","default":"00:00"}`,
		func(s *Settings) **string { return &s.DayStart }, checkDayStart)
	defaultStay = settingOf("default_stay", "How long somebody who does not check out is taken to stay: 1m to 24h.",
		`{"type":"string","pattern":"`+stayPattern+`","minLength":2,"default":"4h"}`,
		func(s *Settings) **string { return &s.DefaultStay }, checkStay)
	openingHours = onlyPairs(settingOf("opening_hours", "When the space is open: weekday to [from, to]; one that is missing is closed. A `to` that is not after `from` is on the next day.",
		`{"type":"object","propertyNames":{"enum":["mon","tue","wed","thu","fri","sat","sun"]},"additionalProperties":`+
			`{"type":"array","prefixItems":[{"type":"string","pattern":"^([01][0-9]|2[0-3]):[0-5][0-9]$"},`+
			`{"type":"string","pattern":"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}],"minItems":2,"maxItems":2}}`,
		func(s *Settings) **map[string][2]string { return &s.OpeningHours }, checkHours))
	closures = settingOf("closures", "Dates on which the space is closed.", `{"type":"array","items":`+dateSchema+`}`,
		func(s *Settings) **[]string { return &s.Closures }, checkDates)
	effectiveFrom = settingOf("effective_from", "The first day that this holds for; by default that of `time`.", dateSchema,
		func(s *Settings) **string { return &s.EffectiveFrom }, checkDate)
)

// maxSeats is how many seats a space can have.
const maxSeats = 1_000_000

const dateSchema = `{"type":"string","format":"date"}`

// settingOf is a field of a space. They are rare, so encoding/json may read them:
// the JSON is known to be sound and to have no key twice.
func settingOf[T any](name, doc, schema string, in func(*Settings) **T, check func(T) error) Field {
	return Field{Name: name, Doc: doc, Schema: schema, holds: aSetting, setting: setting{
		read: func(s *Settings, value []byte) error {
			said := new(T)
			if err := json.Unmarshal(value, said); err != nil {
				return wrong("is not what this field holds")
			}
			if err := check(*said); err != nil {
				return err
			}
			*in(s) = said
			return nil
		},
		write: func(s *Settings) []byte {
			said := *in(s)
			if said == nil {
				return nil
			}
			var value bytes.Buffer
			encoder := json.NewEncoder(&value)
			encoder.SetEscapeHTML(false)
			_ = encoder.Encode(said) // texts, numbers and maps of them always encode
			return bytes.TrimSuffix(value.Bytes(), []byte("\n"))
		},
	}}
}

func checkName(name string) error { return checkText(name, maxName) }

// zoneNames is the names of the zones that a space may be in, one a line: those that
// pkg/calendar knows the rules of. What is a name must not depend on the machine, and
// some look zones up in files, whatever the case.
//
//go:embed zones.txt
var zoneNames string

var zones = func() map[string]bool {
	known := map[string]bool{}
	for name := range strings.Lines(zoneNames) {
		known[strings.TrimSuffix(name, "\n")] = true
	}
	return known
}()

func checkZone(name string) error {
	if !zones[name] {
		return wrong("%s is not an IANA zone like Europe/Berlin", quote([]byte(name)))
	}
	return nil
}

func checkSeats(n int) error {
	if n < 0 || n > maxSeats {
		return wrong("%d is not a number of seats from 0 to %d", n, maxSeats)
	}
	return nil
}

func checkDayStart(clock string) error {
	t, ok := timeOfDay(clock)
	if !ok || t%(15*time.Minute) != 0 {
		return wrong("%s is not a quarter of an hour like 05:00", quote([]byte(clock)))
	}
	return nil
}

// timeOfDay reads a time by the wall clock, from 00:00 to 23:59.
func timeOfDay(clock string) (time.Duration, bool) {
	t, err := time.Parse("15:04", clock)
	if err != nil || len(clock) != len("15:04") {
		return 0, false
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, true
}

// stayPattern is hours, minutes or both: few ways to say the same.
const stayPattern = `^([0-9]{1,2}h)?([0-9]{1,4}m)?$`

var stay = regexp.MustCompile(stayPattern)

func checkStay(said string) error {
	d, err := time.ParseDuration(said)
	if err != nil || !stay.MatchString(said) || d < time.Minute || d > 24*time.Hour {
		return wrong("%s is not a time from 1m to 24h, like 4h or 1h30m", quote([]byte(said)))
	}
	return nil
}

// onlyPairs refuses what encoding/json would cut or fill up to make it a pair.
func onlyPairs(f Field) Field {
	read := f.setting.read
	f.setting.read = func(s *Settings, value []byte) error {
		var spans map[string][]json.RawMessage
		if err := json.Unmarshal(value, &spans); err != nil {
			return wrong("is not what this field holds")
		}
		for _, day := range slices.Sorted(maps.Keys(spans)) {
			if len(spans[day]) != 2 {
				return inside(day, wrong("is not a pair: [from, to]"))
			}
		}
		return read(s, value)
	}
	return f
}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func checkHours(hours map[string][2]string) error {
	for _, day := range slices.Sorted(maps.Keys(hours)) {
		from, to := hours[day][0], hours[day][1]
		if !slices.Contains(weekdays, day) {
			return inside(day, wrong("%s is none of %s", quote([]byte(day)), strings.Join(weekdays, ", ")))
		}
		if _, ok := timeOfDay(from); !ok {
			return inside(day, inside("0", wrong("%s is not a time of day like 08:00", quote([]byte(from)))))
		}
		if _, ok := timeOfDay(to); !ok && to != "24:00" {
			return inside(day, inside("1", wrong("%s is not a time of day like 22:00", quote([]byte(to)))))
		}
	}
	return nil
}

func checkDates(dates []string) error {
	for i, date := range dates {
		if err := checkDate(date); err != nil {
			return inside(strconv.Itoa(i), err)
		}
	}
	return nil
}

// checkDate refuses the year 0 too, which Postgres does not have.
func checkDate(date string) error {
	if t, err := time.Parse(time.DateOnly, date); err != nil || t.Year() == 0 {
		return wrong("%s is not a date like 2026-12-24", quote([]byte(date)))
	}
	return nil
}
