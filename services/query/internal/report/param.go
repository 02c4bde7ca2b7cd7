package report

import (
	"encoding"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
)

// Param is one thing that may be asked of a report.
type Param struct {
	Name     string
	Doc      string
	Type     string   // date, zone, text, integer or boolean
	Enum     []string // every value there is; nil: any of its type
	Default  string   // what holds where it is not given
	Repeated bool     // may be given more than once
	Least    int      // with Most: the bounds of an integer
	Most     int
	Personal bool // who asks this must be allowed to read members

	fault string // the code of a bad value
	path  []int
}

// Common is what may be asked of every report on a range. A report's own
// parameters stand beside it in a struct that embeds it.
type Common struct {
	Space     []string `param:"space" doc:"Only these spaces; all that may be seen if none is named."`
	From      *Bound   `param:"from" doc:"The first day, or an instant (RFC 3339)."`
	To        *Bound   `param:"to" doc:"The day after the last, or an instant (RFC 3339)."`
	Period    *string  `param:"period" enum:"today,yesterday,7d,28d,90d,12mo,wtd,mtd,ytd,all" default:"28d" doc:"Instead of from and to; all but yesterday end with today."`
	TZ        *Zone    `param:"tz" doc:"Count by midnight days of this IANA time zone; without it, by each space's own visit days."`
	WeekStart string   `param:"week_start" enum:"mon,tue,wed,thu,fri,sat,sun" default:"mon" doc:"The day that weeks begin on."`
	Limit     int      `param:"limit" default:"100" least:"1" most:"1000" fault:"invalid_limit" doc:"The most rows of a list of members; other rows are never cut."`
}

func (c Common) asked() Common { return c }

// period is the period that was asked for, also if nobody said so; "" where bounds
// were given.
func (c Common) period() string {
	switch {
	case c.Period != nil:
		return *c.Period
	case c.From == nil && c.To == nil:
		return "28d"
	default:
		return ""
	}
}

// week is the day that weeks begin on.
func (c Common) week() time.Weekday {
	return time.Weekday(slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, c.WeekStart))
}

// asker is a struct of parameters: it embeds Common or Present.
type asker interface{ asked() Common }

// Present is what may be asked of a report on the present. It takes what every
// report takes, but its range is the running day.
type Present struct{ Common }

func (p Present) asked() Common {
	today, c := "today", p.Common
	c.From, c.To, c.Period = nil, nil, &today
	return c
}

// Days says what an average per day divides by; to be embedded where a report has one.
type Days struct {
	Days string `param:"days" enum:"open,calendar" default:"open" doc:"What an average per day divides by: open days, or all of them."`
}

// Filtered narrows down the visits that count; to be embedded where a report counts
// visits. A visit that names no plan or team has the member's at that time.
type Filtered struct {
	Plan   []string `param:"plan" doc:"Only visits on one of these plans."`
	Team   []string `param:"team" doc:"Only visits of members of one of these teams."`
	Zone   []string `param:"zone" doc:"Only visits that began in one of these zones of a space."`
	Method []string `param:"method" doc:"Only visits that were opened in one of these ways: door, kiosk, app, …"`
}

func (f Filtered) narrowed() Filtered { return f }

// ByVisit splits rows by what visits say; to be embedded beside Filtered.
type ByVisit struct {
	GroupBy *string `param:"group_by" enum:"space,plan,team,zone,method" doc:"The same rows for each of these, whose name comes first; totals stay those of all."`
}

func (b ByVisit) groupedBy() *string { return b.GroupBy }

// BySpace splits rows by space, where they count other things than visits.
type BySpace struct {
	GroupBy *string `param:"group_by" enum:"space" doc:"The same rows for each space, whose name comes first; totals stay those of all."`
}

func (b BySpace) groupedBy() *string { return b.GroupBy }

// Compared sets a range beside an earlier one.
type Compared struct {
	Compare *string `param:"compare" enum:"previous_period,previous_year" doc:"Set the range beside an earlier one; of a range that is still running, beside the part that had passed then."`
	Match   *string `param:"match" enum:"weekday" doc:"Move the earlier range by whole weeks, so that Mondays meet Mondays."`
}

func (c Compared) compared() Compared { return c }

// Paged cuts a list of members into pages.
type Paged struct {
	Cursor *Cursor `param:"cursor" doc:"Goes on where an answer ended: its meta.next_cursor. The other parameters stay the same."`
}

func (p Paged) paged() *Cursor { return p.Cursor }

// Bound is where a range begins or ends: a date, which stands for the start of
// that day, or an instant.
type Bound struct {
	Date    calendar.Date
	Instant time.Time // zero: a date was given
}

// UnmarshalText reads 2026-03-29, or an instant of RFC 3339.
func (b *Bound) UnmarshalText(text []byte) error {
	if len(text) == len(time.DateOnly) {
		return b.Date.UnmarshalText(text)
	}
	// A plus that was not escaped in an address arrives as a blank.
	instant, err := time.Parse(time.RFC3339Nano, strings.Replace(string(text), " ", "+", 1))
	if err != nil {
		return fault.Invalid.With("invalid_value", "", "%q is neither a date like 2026-03-29 nor an instant like 2026-03-29T10:00:00Z", text)
	}
	b.Instant = instant.UTC().Truncate(time.Microsecond)
	return nil
}

// Zone is a time zone, given by its IANA name.
type Zone struct{ Location *time.Location }

// UnmarshalText reads the name of a zone.
func (z *Zone) UnmarshalText(text []byte) error {
	location, err := calendar.LoadZone(string(text))
	z.Location = location
	return err
}

// paramsOf reads what may be asked from the fields of a struct of parameters.
func paramsOf[P asker]() []Param {
	return paramsIn(reflect.TypeFor[P](), nil)
}

func paramsIn(fields reflect.Type, path []int) []Param {
	var params []Param
	for i := range fields.NumField() {
		field := fields.Field(i)
		here := append(append([]int(nil), path...), i)
		if field.Anonymous {
			params = append(params, paramsIn(field.Type, here)...)
			continue
		}
		p := Param{
			Name:     field.Tag.Get("param"),
			Doc:      field.Tag.Get("doc"),
			Default:  field.Tag.Get("default"),
			Repeated: field.Type.Kind() == reflect.Slice,
			Personal: field.Tag.Get("personal") == "true",
			fault:    field.Tag.Get("fault"),
			path:     here,
		}
		if p.Name == "" || p.Doc == "" {
			panic(fmt.Sprintf("report: parameter %s of %s has no name or no words", field.Name, fields))
		}
		if enum := field.Tag.Get("enum"); enum != "" {
			p.Enum = strings.Split(enum, ",")
		}
		p.Least, _ = strconv.Atoi(field.Tag.Get("least"))
		p.Most, _ = strconv.Atoi(field.Tag.Get("most"))
		p.Type = paramType(field.Type)
		if p.fault == "" {
			p.fault = "invalid_value"
		}
		params = append(params, p)
	}
	return params
}

func paramType(field reflect.Type) string {
	switch field {
	case reflect.TypeFor[*Bound]():
		return "date"
	case reflect.TypeFor[*Zone]():
		return "zone"
	case reflect.TypeFor[int](), reflect.TypeFor[*int]():
		return "integer"
	case reflect.TypeFor[bool]():
		return "boolean"
	default:
		return "text"
	}
}

// decode reads a query into a struct of parameters. A fault is Invalid and its
// pointer is the parameter's name.
func decode[P any](params *P, known []Param, query url.Values) error {
	for name := range query {
		if !slices.ContainsFunc(known, func(p Param) bool { return p.Name == name }) {
			return fault.Invalid.With("unknown_parameter", name, "there is no parameter %q", name)
		}
	}
	for _, p := range known {
		values := query[p.Name]
		field := reflect.ValueOf(params).Elem().FieldByIndex(p.path)
		if len(values) == 0 && p.Default != "" && field.Kind() != reflect.Pointer {
			values = []string{p.Default}
		}
		if len(values) > 1 && !p.Repeated {
			return p.refuse("%s may be given once", p.Name)
		}
		for _, value := range values {
			// No text of the database's could be equal. A space of such a name is one
			// that nobody finds, like any other.
			if p.Name != "space" && unstorable(value) {
				return p.refuse("%s is no text in UTF-8", p.Name)
			}
			if err := p.set(field, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// set reads one value of the parameter into its field.
func (p Param) set(field reflect.Value, value string) error {
	if value == "" {
		return p.refuse("%s is empty", p.Name)
	}
	if p.Enum != nil && !slices.Contains(p.Enum, value) {
		return p.refuse("%s is one of %s, not %q", p.Name, strings.Join(p.Enum, ", "), value)
	}
	switch {
	case p.Type == "integer":
		n, err := strconv.Atoi(value)
		if err != nil || n < p.Least || n > p.Most {
			return p.refuse("%s is a whole number from %d to %d, not %q", p.Name, p.Least, p.Most, value)
		}
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.ValueOf(&n))
			break
		}
		field.SetInt(int64(n))
	case p.Type == "boolean":
		if value != "true" && value != "false" {
			return p.refuse("%s is true or false, not %q", p.Name, value)
		}
		field.SetBool(value == "true")
	case field.Kind() == reflect.Slice:
		field.Set(reflect.Append(field, reflect.ValueOf(value)))
	case field.Kind() == reflect.String:
		field.SetString(value)
	default:
		target := reflect.New(field.Type().Elem())
		if text, ok := reflect.TypeAssert[encoding.TextUnmarshaler](target); ok {
			if err := text.UnmarshalText([]byte(value)); err != nil {
				return fault.Invalid.With(fault.Code(err), p.Name, "%s: %w", p.Name, err)
			}
		} else {
			target.Elem().SetString(value)
		}
		field.Set(target)
	}
	return nil
}

func (p Param) refuse(format string, args ...any) error {
	return fault.Invalid.With(p.fault, p.Name, format, args...)
}
