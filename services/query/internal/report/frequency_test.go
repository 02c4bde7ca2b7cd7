package report_test

import (
	"testing"

	"coworking/services/query/internal/report"

	"pgregory.net/rapid"
)

// In the small world, from Saturday to Tuesday noon: Ada came on four days (on Monday
// to two spaces), Ben on two, Cem on one (today he will), Dev on two, Eve on two. Fay is
// active and did not come; Gus is not active.
func TestFrequencyIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"frequency_by_space":  {noon, "frequency", "from=2026-03-27&to=2026-04-01&group_by=space"},
		"frequency_of_a_plan": {noon, "frequency", "from=2026-03-27&to=2026-04-01&plan=flex&tz=UTC"},
	})
}

// How often members come is what plain loops say.
func TestFrequencyAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	ofMadeUpWorlds(t, 4, func(t *rapid.T, reader *report.Reader, w *world, q question) {
		query := q.query()
		query.Del("interval")
		hold(t, reader, "frequency", query, q.asOf, q.frequency(w))
	})
}

func (q question) frequency(w *world) []row {
	everybody := map[string]bool{}
	for _, s := range w.sites {
		for _, v := range s.visits {
			if v.member != "" {
				everybody[v.member] = true
			}
		}
	}
	members := map[string]float64{}
	for member := range everybody {
		days := 0
		for _, date := range q.dates() {
			came := false
			for _, s := range q.sites {
				for _, v := range s.visits {
					d, in := q.asked(s, v.in)
					came = came || v.member == member && in && d.Equal(date) && q.alive(s, date) && !v.in.After(q.asOf)
				}
			}
			if came {
				days++
			}
		}
		switch {
		case days < 2:
			members[string(rune('0'+days))]++
		case days < 4:
			members["2-3"]++
		default:
			members["4-7"]++
		}
	}
	var rows []row
	for _, bucket := range []string{"0", "1", "2-3", "4-7", "8-11", "12-15", "16-19", "20+"} {
		r := row{"bucket": bucket, "members": members[bucket], "share": nil}
		if len(everybody) > 0 {
			r["share"] = round(members[bucket] / float64(len(everybody)))
		}
		rows = append(rows, r)
	}
	return rows
}
