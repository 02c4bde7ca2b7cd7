package main

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"coworking/pkg/event"
)

var (
	//go:embed sql/old_schema.sql
	oldSchemaSQL string
	//go:embed sql/old_daily_usage.sql
	oldDailyUsageSQL string
	//go:embed sql/old_user_visits.sql
	oldUserVisitsSQL string
	//go:embed sql/mark.sql
	markSQL string
	//go:embed sql/touch.sql
	touchSQL string
)

// issued is a one-time token, as the old system has it.
type issued struct {
	id, user      int
	created, used time.Time
}

// The tokens are of one year before February 2026, of two thousand users: what differs
// between sizes is how many there are a day.
const (
	tokenUsers = 2000
	tokenDays  = 365
)

var tokenEnd = time.Date(2026, time.February, 1, 0, 0, 0, 0, time.UTC)

// tokens is those of a range of numbers among so many, the same each time: a year of
// them, in order of time.
func tokens(from, to, among int) []issued {
	made := make([]issued, 0, to-from)
	for id := from; id < to; id++ {
		random := rand.New(rand.NewPCG(uint64(id), 7))
		day := tokenEnd.AddDate(0, 0, tokenDays*id/among-tokenDays)
		created := day.Add(7*time.Hour + time.Duration(random.Int64N(int64(10*time.Hour)))).Truncate(time.Microsecond)
		made = append(made, issued{
			id: id + 1, user: 1 + random.IntN(tokenUsers), created: created,
			used: created.Add(time.Duration(random.Int64N(int64(time.Hour)))).Truncate(time.Microsecond),
		})
	}
	return made
}

// tokenEvents is what a migration makes of tokens.
func tokenEvents(made []issued) ([]event.Event, error) {
	events := make([]event.Event, 0, 2*len(made))
	random := rand.NewChaCha8([32]byte{2})
	for _, t := range made {
		token, member := strconv.Itoa(t.id), strconv.Itoa(t.user)
		at := space(t.id % worldSpaces)
		events = append(events,
			event.Event{Kind: event.TokenIssued, Time: t.created, Space: at, Member: member, Data: event.Data{TokenID: token}},
			event.Event{Kind: event.TokenUsed, Time: t.used, Space: at, Member: member, Data: event.Data{TokenID: token, PartySize: 1}})
	}
	for i := range events {
		id, err := event.NewID(events[i].Time, random)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		events[i].ID, events[i].Source = id, "bench"
	}
	return events, nil
}
