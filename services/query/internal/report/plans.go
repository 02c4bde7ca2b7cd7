package report

import (
	"context"
	"slices"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// timelines is what was said of members' plans and teams, as of one version of what
// is said of members.
type timelines struct {
	version int64
	of      map[int32][]said
}

// said is a word on a member: plan and team, 0 where it says nothing of one.
type said struct {
	at         int64
	plan, team int32
}

// timelines reads all words on plans and teams, unless they are known.
func (s *scope) timelines(ctx context.Context) (*timelines, error) {
	r := s.reader
	r.mu.Lock()
	known := r.timelines
	r.mu.Unlock()
	if known != nil && known.version == s.memberVersion {
		return known, nil
	}
	rows, err := s.db.Query(ctx, plansSQL)
	if err != nil {
		return nil, pg.Classify(err)
	}
	t := &timelines{version: s.memberVersion, of: map[int32][]said{}}
	var member int32
	var at time.Time
	var word said
	_, err = pgx.ForEachRow(rows, []any{&member, &at, &word.plan, &word.team}, func() error {
		word.at = at.UnixMicro()
		t.of[member] = append(t.of[member], word)
		return nil
	})
	if err != nil {
		return nil, pg.Classify(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timelines == nil || r.timelines.version < t.version {
		r.timelines = t
	}
	return t, nil
}

// fill is a visit that has the member's plan and team at that time where it names none.
func (t *timelines) fill(v *visit) visit {
	filled := *v
	if v.plan != 0 && v.team != 0 {
		return filled
	}
	for _, word := range slices.Backward(t.of[v.member]) {
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
