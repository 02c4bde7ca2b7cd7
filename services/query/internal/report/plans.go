package report

import (
	"context"
	"slices"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// timelines is what was said of members' plans and teams, by number.
type timelines map[int32][]said

// said is a word on a member: plan and team, 0 where it says nothing of one.
type said struct {
	at         int64
	plan, team int32
}

// saidRoom is how many bytes one takes, with its place among those of the member.
const saidRoom = 80

// timelines reads all words on plans and teams, unless they are known as of the version of
// what is said of members.
func (s *scope) timelines(ctx context.Context) (timelines, error) {
	return once(s.reader.memory.results, on("plans and teams", s.memberVersion), func() (timelines, int, error) {
		rows, err := s.db.Query(ctx, plansSQL)
		if err != nil {
			return nil, 0, pg.Classify(err)
		}
		t, words := timelines{}, 0
		var member int32
		var at time.Time
		var word said
		_, err = pgx.ForEachRow(rows, []any{&member, &at, &word.plan, &word.team}, func() error {
			word.at = at.UnixMicro()
			t[member] = append(t[member], word)
			words++
			return nil
		})
		return t, saidRoom * words, pg.Classify(err)
	})
}

// fill is a visit that has the member's plan and team at that time where it names none.
func (t timelines) fill(v *visit) visit {
	filled := *v
	if v.plan != 0 && v.team != 0 {
		return filled
	}
	for _, word := range slices.Backward(t[v.member]) {
		if word.at > v.in {
			continue
		}
		if filled.plan == 0 {
			filled.plan = word.plan
		}
		if filled.team == 0 {
			filled.team = word.team
		}
	}
	return filled
}
