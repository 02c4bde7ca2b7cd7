package reportcard

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"coworking/pkg/event"
)

// spaces checks that somebody said what the spaces are like. Only what the stream still
// holds can be asked, so one that is not known there may be known all the same.
func spaces(s Seen) Check {
	c := Check{Name: "spaces", Verdict: NotSeen, Seen: "No event that can be read."}
	used := map[string]Record{}
	for _, r := range s.legible() {
		if r.Space != event.NoSpace {
			used[r.Space] = r
		}
	}
	if len(used) == 0 {
		return c
	}
	names := slices.Sorted(maps.Keys(used))
	if s.Spaces == nil {
		c.Seen = fmt.Sprintf("%s: %s; which there are, a file does not say.", count(len(names), "space"), some(names))
		c.Do = "Compare these with what the operator calls them."
		return c
	}
	var unknown, zoneless, zoned []string
	for _, name := range names {
		switch said := s.Spaces[name]; {
		case said == nil:
			unknown = append(unknown, name)
		case !settingsAt(said, used[name].Time).Configured:
			zoneless = append(zoneless, name)
		default:
			zoned = append(zoned, fmt.Sprintf("%s in %s", name, settingsAt(said, used[name].Time).Zone))
		}
	}
	switch {
	case len(unknown) > 0:
		c.Verdict = Look
		c.Seen = fmt.Sprintf("Nothing was said of %s in the last 14 days.", some(unknown))
		c.Do = fmt.Sprintf("If that is no slip of the pen, and nothing was said before: coworking space set %s --time-zone ZONE --capacity SEATS", unknown[0])
	case len(zoneless) > 0:
		c.Verdict = Look
		c.Seen = fmt.Sprintf("In the last 14 days nobody said which zone %s is in; without one its days are UTC's.", some(zoneless))
		c.Do = fmt.Sprintf("If nobody said so before: coworking space set %s --time-zone ZONE", zoneless[0])
	default:
		c.Verdict, c.Seen = Good, fmt.Sprintf("Known: %s.", some(zoned))
	}
	return c
}

// some is a list that is not too long to read.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
