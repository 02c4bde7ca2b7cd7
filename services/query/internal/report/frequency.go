package report

import (
	"context"
)

// Frequency is how often members come.
var Frequency = define("frequency", Definition{
	Doc: "Members by the number of different days on which they had a visit.",
	Counts: []string{
		"A day counts once however often a member came, and in however many of the spaces.",
		"0 is active members without a visit in the range: everybody whom no event says to be inactive.",
		"The share is of all members that are listed, those with 0 included.",
	},
	Leaves: []string{
		"Anonymous visits.",
		"With a filter, 0 is not known: nobody can tell on which plan somebody did not come. A key of some spaces knows those members only whom it has seen there.",
	},
	Reads:   "Who had a visit on each day of the range, and what is known of members.",
	Example: "from=2026-03-27&to=2026-04-01",
}, frequency)

type frequencyParams struct {
	Common
	Filtered
	ByVisit
	Compared
}

type frequencyRow struct {
	Bucket  string `json:"bucket" doc:"Different days with a visit."`
	Members *int64 `json:"members" unit:"members" doc:"Members with so many; null where that is not known."`
	Share   *Mean  `json:"share" unit:"share" doc:"Of all members that are listed."`
}

type frequencyTotals struct {
	Members   int64 `json:"members" doc:"All members that are listed."`
	VisitDays int64 `json:"visit_days" unit:"days" doc:"Their days with a visit, added up."`
}

// oftens is the buckets, each from so many days on.
var oftens = []struct {
	name string
	from int64
}{{"0", 0}, {"1", 1}, {"2-3", 2}, {"4-7", 4}, {"8-11", 8}, {"12-15", 12}, {"16-19", 16}, {"20+", 20}}

func frequency(ctx context.Context, s *scope, _ frequencyParams) (counted[frequencyRow, frequencyTotals], error) {
	answer := counted[frequencyRow, frequencyTotals]{partialLast: s.anyRunning(s.to - 1)}
	days, err := s.visitDays(ctx)
	if err != nil {
		return answer, err
	}
	absent, err := s.absent(ctx, days)
	if err != nil {
		return answer, err
	}
	members := make([]int64, len(oftens))
	for _, n := range days {
		members[bucketOf(n)]++
		answer.totals.VisitDays += n
		answer.totals.Members++
	}
	if absent != nil {
		members[0] = *absent
		answer.totals.Members += *absent
	}
	for i, often := range oftens {
		row := frequencyRow{Bucket: often.name}
		if i > 0 || absent != nil {
			row.Members, row.Share = &members[i], mean(members[i], answer.totals.Members)
		}
		answer.rows = append(answer.rows, row)
	}
	return answer, nil
}

// bucketOf is the last bucket that begins at or below a number of days.
func bucketOf(days int64) int {
	bucket := 0
	for i, often := range oftens {
		if days >= often.from {
			bucket = i
		}
	}
	return bucket
}

// visitDays is the different dates of the range on which each member had a visit.
func (s *scope) visitDays(ctx context.Context) (map[int32]int64, error) {
	var asked windows
	for _, p := range s.places {
		for d := s.from; d < s.to; d++ {
			if p.alive(d) {
				asked.add(int(d-s.from), p, s.span(p, d).before(s.asOf+1))
			}
		}
	}
	days := map[int32]int64{}
	err := s.gather(ctx, asked, func(_ int, came *memberSet) {
		came.each(func(member int32) { days[member]++ })
	})
	return days, err
}

// absent is how many active members had no visit; nil where a filter makes that a
// question without an answer.
func (s *scope) absent(ctx context.Context, came map[int32]int64) (*int64, error) {
	if s.filtered() {
		return nil, nil //nolint:nilnil // that is the answer
	}
	members, err := s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	var known memberSet
	if s.question.Visible != nil {
		if known, err = s.knownMembers(ctx, members); err != nil {
			return nil, err
		}
	}
	var absent int64
	for number, m := range members {
		active := m.active == nil || *m.active
		if _, here := came[number]; active && !here && (s.question.Visible == nil || known.has(number)) {
			absent++
		}
	}
	return &absent, nil
}
