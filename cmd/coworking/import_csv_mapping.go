package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/fault"
)

// csvMapping says which column of a file is what. Its fields are those of an event:
// kind, time, space, member, id, and the fields of data by their names.
type csvMapping struct {
	Source    string                       `json:"source"`    // of the events; csv if not given
	Separator string                       `json:"separator"` // between columns; a comma if not given
	Columns   map[string]csvColumns        `json:"columns"`
	Constants map[string]string            `json:"constants"`
	Values    map[string]map[string]string `json:"values"` // what a column's words mean, by field; others stay as they are
	Kinds     map[string]string            `json:"kinds"`  // kinds by the words of the column of kind
	Times     []string                     `json:"times"`  // rfc3339, unix, unix_ms, or layouts of Go; rfc3339 if none is given
	Zone      string                       `json:"zone"`   // of times that do not say their offset
	// Identity is the fields that make an event the one it is. If not given: id, where
	// there is one, or else kind, time, space, member, device, zone and token_id.
	Identity []string `json:"identity"`

	comma rune
	zone  *time.Location // nil: none was given
}

// csvColumns is the columns that a field is put together from.
type csvColumns []string

// UnmarshalJSON reads the name of a column, or a list of names.
func (c *csvColumns) UnmarshalJSON(body []byte) error {
	var one string
	if json.Unmarshal(body, &one) == nil {
		*c = csvColumns{one}
		return nil
	}
	var several []string
	if err := json.Unmarshal(body, &several); err != nil || len(several) == 0 {
		return fault.Invalid.Errorf("%s is neither the name of a column nor a list of names", body)
	}
	*c = several
	return nil
}

// ignoredKind is the kind of rows that are passed over.
const ignoredKind = "ignored"

// csvEnvelope is the fields that are not of data.
var csvEnvelope = []string{"kind", "time", "space", "member", "id"}

// csvIdentity is what tells events apart that have no id.
var csvIdentity = []string{"kind", "time", "space", "member", "device", "zone", "token_id"}

// csvKinds is the fields of data of each kind that a row can be.
var csvKinds = func() map[event.Kind][]string {
	kinds := map[event.Kind][]string{}
	for _, kind := range event.Kinds() {
		switch kind.Kind {
		case event.SpaceUpserted, event.EventVoided: // no door tells of these
			continue
		}
		kinds[kind.Kind] = []string{}
		for _, field := range kind.Fields {
			kinds[kind.Kind] = append(kinds[kind.Kind], field.Name)
		}
	}
	return kinds
}()

// readCSVMapping reads a mapping. The error names every mistake.
func readCSVMapping(written []byte) (*csvMapping, error) {
	m := &csvMapping{Source: "csv", Separator: ","}
	decoder := json.NewDecoder(bytes.NewReader(written))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(m); err != nil {
		return nil, fault.Invalid.Errorf("the mapping: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.Invalid.Errorf("the mapping: there is more after its end")
	}
	return m, m.check()
}

func (m *csvMapping) check() error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fault.Invalid.Errorf(format, args...)) }
	var size int
	if m.comma, size = utf8.DecodeRuneInString(m.Separator); size != len(m.Separator) || strings.ContainsRune("\"\r\n\uFFFD", m.comma) || size == 0 {
		say("separator %q is not one character that can part columns", m.Separator)
	}
	if m.Zone != "" {
		zone, err := calendar.LoadZone(m.Zone)
		m.zone, wrong = zone, append(wrong, err)
	}
	if len(m.Times) == 0 {
		m.Times = []string{"rfc3339"}
	}
	for _, layout := range m.Times {
		switch {
		case !isLayout(layout):
			say("times %q: write 2 January 2006, 15:04:05 as the file has it; or rfc3339, unix or unix_ms", layout)
		case !saysOffset(layout) && m.Zone == "":
			say("times as %q have no offset: give their zone", layout)
		}
	}
	known := func(field string) bool {
		return slices.Contains(csvEnvelope, field) || slices.ContainsFunc(slices.Collect(maps.Values(csvKinds)), func(fields []string) bool { return slices.Contains(fields, field) })
	}
	for _, field := range slices.Concat(sortedKeys(m.Columns), sortedKeys(m.Constants), sortedKeys(m.Values), m.Identity) {
		if !known(field) {
			say("no event has a field %q", field)
		}
	}
	for _, field := range sortedKeys(m.Columns) {
		if _, twice := m.Constants[field]; twice {
			say("%s is both a column and a constant", field)
		}
	}
	for _, field := range []string{"time", "kind"} {
		if !m.has(field) {
			say("nothing says what the %s of a row is", field)
		}
	}
	for _, word := range sortedKeys(m.Kinds) {
		if kind := m.Kinds[word]; kind != ignoredKind && csvKinds[event.Kind(kind)] == nil {
			say("%q is no kind that a row can be", kind)
		}
	}
	if len(m.Identity) == 0 && m.has("id") {
		m.Identity = []string{"id"}
	} else if len(m.Identity) == 0 {
		m.Identity = csvIdentity
	}
	return errors.Join(wrong...)
}

func (m *csvMapping) has(field string) bool {
	return len(m.Columns[field]) > 0 || m.Constants[field] != ""
}

// isLayout says whether a text is a way to write times.
func isLayout(layout string) bool {
	if layout == "rfc3339" || layout == "unix" || layout == "unix_ms" {
		return true
	}
	moment := time.Date(2031, 11, 23, 21, 45, 37, 0, time.UTC)
	read, err := time.Parse(layout, moment.Format(layout))
	return err == nil && read.Truncate(time.Minute).Equal(moment.Truncate(time.Minute)) && !strings.Contains(layout, "MST")
}

// saysOffset says whether times in a layout say how far from UTC they are.
func saysOffset(layout string) bool {
	switch layout {
	case "rfc3339", "unix", "unix_ms":
		return true
	}
	return strings.Contains(layout, "Z07") || strings.Contains(layout, "-07") ||
		strings.HasSuffix(layout, "Z") || strings.HasSuffix(layout, "UTC") || strings.HasSuffix(layout, "GMT")
}

// instant reads a time.
func (m *csvMapping) instant(written string) (time.Time, error) {
	for _, layout := range m.Times {
		switch layout {
		case "unix":
			if n, err := strconv.ParseInt(written, 10, 64); err == nil {
				return time.Unix(n, 0).UTC(), nil
			}
			continue
		case "unix_ms":
			if n, err := strconv.ParseInt(written, 10, 64); err == nil {
				return time.UnixMilli(n).UTC(), nil
			}
			continue
		case "rfc3339":
			layout = time.RFC3339Nano
		}
		t, err := time.Parse(layout, written)
		switch {
		case err != nil:
			continue
		case saysOffset(layout):
			return t.UTC(), nil
		}
		if t, shown := shownAt(t, m.zone); shown {
			return t, nil
		}
		return time.Time{}, fault.Invalid.With("invalid_time", "/time", "no clock in %s ever showed %q: it was put forward there", m.zone, written)
	}
	return time.Time{}, fault.Invalid.With("invalid_time", "/time", "%q is no time as the mapping says times are written", written)
}

// shownAt is when the clocks of a zone show a wall time, which comes as if it were
// UTC: the first time, where they show it twice, and never, where they skip it.
func shownAt(wall time.Time, zone *time.Location) (time.Time, bool) {
	var first time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		if _, there := t.In(zone).Zone(); there == offset && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first, !first.IsZero()
}

func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }
