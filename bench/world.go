package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"coworking/pkg/event"
)

// The world that is published: twenty spaces in five zones, two thousand members,
// from the first of March 2025 on, so that the clocks change in it.
const (
	worldSpaces  = 20
	worldMembers = 2000
	visitsADay   = 1200 // in all spaces; a visit is 2.7 events on average
)

var (
	worldStart = time.Date(2025, time.March, 1, 0, 0, 0, 0, time.UTC)
	worldZones = []string{"Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC", "Australia/Sydney"}
	methods    = []string{"door", "door", "kiosk", "app", "wifi"}
	plans      = []string{"flex-10", "full-time", "day-pass"}
)

// places is what the spaces say of themselves before anybody comes.
func places() ([]event.Event, error) {
	events := make([]event.Event, worldSpaces)
	for i := range events {
		zone := worldZones[i%len(worldZones)]
		events[i] = event.Event{
			Kind: event.SpaceUpserted, Time: worldStart.AddDate(-1, 0, 0), Space: space(i),
			Data: event.Data{Settings: &event.Settings{TimeZone: &zone}},
		}
	}
	return identified(events)
}

// world is n events of members who come to so many of the spaces and go, in the
// order of their time, the same each time.
func world(n, spaces int) ([]event.Event, error) {
	random := rand.New(rand.NewPCG(1, 2))
	events := make([]event.Event, 0, n+4)
	for day := worldStart; len(events) < n; day = day.AddDate(0, 0, 1) {
		for range visitsADay {
			events = appendVisit(events, random, day, spaces)
		}
	}
	events = events[:n]
	slices.SortStableFunc(events, func(a, b event.Event) int { return a.Time.Compare(b.Time) })
	return identified(events)
}

// identified gives each event its source and an id with its time in it.
func identified(events []event.Event) ([]event.Event, error) {
	random := rand.NewChaCha8([32]byte{1})
	for i := range events {
		id, err := event.NewID(events[i].Time, random)
		if err != nil {
			return nil, err
		}
		events[i].ID, events[i].Source = id, events[i].Space+"/door"
	}
	return events, nil
}

func space(i int) string { return fmt.Sprintf("space-%02d", i) }

// appendVisit adds what one stay says: a check-in; for some a sight of their phone,
// a second opening of the door or a lunch outside; for most a check-out.
func appendVisit(events []event.Event, random *rand.Rand, day time.Time, spaces int) []event.Event {
	at := day.Add(time.Duration(random.NormFloat64()*float64(2*time.Hour)) + 9*time.Hour + 30*time.Minute).Truncate(time.Microsecond)
	e := event.Event{
		Kind: event.CheckIn, Time: at, Space: space(random.IntN(spaces)),
		Member: fmt.Sprintf("member-%04d", random.IntN(worldMembers)),
		Data:   event.Data{Method: methods[random.IntN(len(methods))], PartySize: 1},
	}
	if random.IntN(4) == 0 {
		e.Data.Plan = plans[random.IntN(len(plans))]
	}
	events = append(events, e)
	later := func(kind event.Kind, after time.Duration) {
		at = at.Add(after + time.Duration(random.Int64N(int64(time.Hour)))).Truncate(time.Microsecond)
		data := event.Data{Method: e.Data.Method}
		if kind == event.CheckIn {
			data.PartySize = 1
		}
		events = append(events, event.Event{Kind: kind, Time: at, Space: e.Space, Member: e.Member, Data: data})
	}
	switch random.IntN(5) {
	case 0:
		later(event.CheckOut, 3*time.Hour)
		later(event.CheckIn, 20*time.Minute)
	case 1:
		later(event.Presence, time.Hour)
	case 2:
		later(event.CheckIn, time.Hour)
	}
	if random.IntN(10) < 9 {
		later(event.CheckOut, 3*time.Hour)
	}
	return events
}
