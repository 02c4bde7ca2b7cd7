package table

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"coworking/pkg/calendar"
)

// meta is what an answer says of itself, in words.
type meta struct {
	lines       [][]string // parts of the header, each line apart
	zone        zone
	interval    string
	partialLast bool
}

func metaOf(a Answer) meta {
	m := meta{zone: zoneOf(word(a.meta, "tz")), interval: word(a.meta, "interval"), partialLast: a.meta.get("partial_last") == true}
	about := []string{word(a.meta, "report")}
	if word(a.meta, "from") != "" {
		about = append(about, m.span(a.meta))
	}
	if m.interval != "" {
		about = append(about, "by "+m.interval)
	}
	m.lines = [][]string{append(about, m.zone.said()), m.reach(a.meta), filters(within(a.meta, "filters"))}
	if word(a.compare, "from") != "" {
		m.lines = append(m.lines, []string{"compared with " + m.span(a.compare)})
	}
	return m
}

// span is a range in words: both of its days, or both of its ends.
func (m meta) span(o object) string {
	from, to := word(o, "from"), word(o, "to")
	first, errFrom := time.Parse(time.DateOnly, from)
	after, errTo := time.Parse(time.DateOnly, to)
	if errFrom != nil || errTo != nil {
		return m.bound(from) + " – " + m.bound(to)
	}
	days := int(after.Sub(first).Hours() / 24)
	if days <= 1 {
		return first.Format("Mon 2006-01-02")
	}
	return fmt.Sprintf("%s – %s (%s days)", from, after.AddDate(0, 0, -1).Format(time.DateOnly), shown(json.Number(fmt.Sprint(days)), 0))
}

func (m meta) bound(text string) string {
	if _, isInstant := instantOf(text); isInstant {
		return m.zone.instant(text)
	}
	return text
}

// reach is how far the numbers can be trusted.
func (m meta) reach(o object) []string {
	var parts []string
	asOf, isInstant := instantOf(o.get("as_of"))
	if isInstant {
		parts = append(parts, "as of "+m.zone.second(asOf))
	}
	switch complete, isInstant := instantOf(o.get("complete_through")); {
	case !isInstant:
		parts = append(parts, "nobody says how far it is complete")
	case m.zone.second(complete)[:10] == m.zone.second(asOf)[:10]:
		parts = append(parts, "complete through "+m.zone.second(complete)[11:])
	default:
		parts = append(parts, "complete through "+m.zone.second(complete))
	}
	if o.get("refiling") == true {
		parts = append(parts, "settings changed: some days are still as before")
	}
	if late, _ := o.get("late_events").(json.Number); amount(late) > 0 {
		parts = append(parts, counted(late, "late event"))
	}
	if share, isNumber := o.get("estimated_share").(json.Number); isNumber {
		parts = append(parts, fmt.Sprintf("%.0f %% of ends estimated", 100*amount(share)))
	}
	return parts
}

func counted(n json.Number, what string) string {
	if amount(n) != 1 {
		what += "s"
	}
	return shown(n, 0) + " " + what
}

// filters is what an answer was narrowed down to.
func filters(o object) []string {
	var parts []string
	for _, f := range o {
		c := column{}
		parts = append(parts, f.name+" "+c.show(f.value, zone{}, 0))
	}
	return parts
}

// zone is the zone that instants are shown in.
type zone struct {
	name     string
	location *time.Location // nil: none of its own, so UTC, which is said
}

func zoneOf(name string) zone {
	location, err := calendar.LoadZone(name)
	if err != nil {
		return zone{name: name}
	}
	return zone{name, location}
}

// said is the zone in words.
func (z zone) said() string {
	if z.location == nil {
		return "each space's own days"
	}
	return z.name
}

func (z zone) in(t time.Time) time.Time {
	if z.location == nil {
		return t.UTC()
	}
	return t.In(z.location)
}

// suffix is Z where the reader cannot know the zone otherwise.
func (z zone) suffix() string {
	if z.location == nil {
		return "Z"
	}
	return ""
}

// instant is an instant to the minute, or to the second if it has any.
func (z zone) instant(v any) string {
	t, _ := instantOf(v)
	if t.Second() != 0 {
		return z.second(t)
	}
	return z.in(t).Format("2006-01-02 15:04") + z.suffix()
}

func (z zone) second(t time.Time) string { return z.in(t).Format(time.DateTime) + z.suffix() }

func (z zone) date(v any) string {
	t, _ := instantOf(v)
	return z.in(t).Format(time.DateOnly)
}

func (z zone) midnight(v any) bool {
	t, isInstant := instantOf(v)
	return isInstant && strings.HasSuffix(z.in(t).Format(time.DateTime), "00:00:00")
}
