package simulate

import (
	"bytes"
	"slices"
	"sync"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

// spring reaches across the clock changes of New York and of Berlin.
var spring = Config{
	Seed: 7, Spaces: 3, Members: 300,
	From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 12, 9, 30, 0, 0, time.UTC),
}

func history(t *testing.T, c Config) []event.Event {
	t.Helper()
	w, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(w.History())
}

// ofSpring is the events of spring, made once.
var ofSpring = sync.OnceValues(func() ([]event.Event, error) {
	w, err := New(spring)
	if err != nil {
		return nil, err
	}
	return slices.Collect(w.History()), nil
})

func springHistory(t *testing.T) []event.Event {
	t.Helper()
	events, err := ofSpring()
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func encoded(events []event.Event) []byte {
	var all []byte
	for i := range events {
		all = append(events[i].Encode(all), '\n')
	}
	return all
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	first := encoded(springHistory(t))
	if !bytes.Equal(first, encoded(history(t, spring))) {
		t.Error("the same seed gave other events")
	}
	other := spring
	other.Seed++
	if bytes.Equal(first, encoded(history(t, other))) {
		t.Error("another seed gave the same events")
	}
}

func TestEachEventIsTakenByTheSystem(t *testing.T) {
	for _, e := range springHistory(t) {
		body := e.Encode(nil)
		read, err := event.Decode(body, event.Options{Strict: true})
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if diff := cmp.Diff(e, read); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestWhatIsKnownOfSpacesAndMembersComesFirst(t *testing.T) {
	events := springHistory(t)
	known := map[string]bool{}
	for i, e := range events {
		switch e.Kind {
		case event.SpaceUpserted:
			if i >= spring.Spaces {
				t.Fatalf("event %d says what a space is like", i)
			}
		case event.MemberUpserted:
			known[e.Member] = true
		default:
			if e.Member != "" && !known[e.Member] {
				t.Fatalf("%s of %s, of whom nobody has heard", e.Kind, e.Member)
			}
		}
	}
}

func TestEventsLieInTheSpan(t *testing.T) {
	for _, e := range springHistory(t) {
		settled := e.Kind == event.SpaceUpserted || e.Kind == event.MemberUpserted
		if !e.Time.Before(spring.To) || e.Time.Before(spring.From) && !settled {
			t.Fatalf("%s at %v", e.Kind, e.Time)
		}
	}
}

// Each identity says one thing, however often it is sent.
func TestOnlyWholeEventsAreSentTwice(t *testing.T) {
	contents := map[event.Key]int64{}
	twice := 0
	for _, e := range springHistory(t) {
		said, seen := contents[e.Key()]
		if seen && said != e.Content() {
			t.Fatalf("%s says two things", e.ID)
		}
		if seen {
			twice++
		}
		contents[e.Key()] = e.Content()
	}
	if twice == 0 {
		t.Error("nothing was sent twice")
	}
}

func TestLifeIsPlausible(t *testing.T) {
	w, err := New(spring)
	if err != nil {
		t.Fatal(err)
	}
	count := map[event.Kind]int{}
	weekdays := map[string]map[time.Weekday]int{}
	zones := map[string]*time.Location{}
	for _, s := range w.spaces {
		zones[s.name], weekdays[s.name] = s.zone, map[time.Weekday]int{}
	}
	tokens := map[string]bool{}
	voided, parties, anonymous, late, overnight := 0, 0, 0, 0, 0
	var last time.Time
	for e := range w.History() {
		count[e.Kind]++
		if e.Time.Before(last.Add(-15 * time.Minute)) {
			late++
		}
		switch e.Kind {
		case event.CheckIn, event.TokenUsed:
			last = e.Time
			local := e.Time.In(zones[e.Space])
			weekdays[e.Space][local.Weekday()]++
			if local.Hour() < 6 {
				overnight++
			}
			if e.Data.PartySize > 1 {
				parties++
			}
			if e.Member == "" {
				anonymous++
			}
			if e.Kind == event.TokenUsed && !tokens[e.Data.TokenID] {
				late++ // or its issue is
			}
		case event.TokenIssued:
			tokens[e.Data.TokenID] = true
		case event.EventVoided:
			voided++
		}
	}
	for _, k := range event.Kinds() {
		if count[k.Kind] == 0 {
			t.Errorf("no %s", k.Kind)
		}
	}
	if count[event.CheckOut] >= count[event.CheckIn] {
		t.Errorf("%d check-outs of %d check-ins: nobody forgets", count[event.CheckOut], count[event.CheckIn])
	}
	if failed := float64(count[event.CheckInFailed]) / float64(count[event.CheckIn]); failed < 0.005 || failed > 0.1 {
		t.Errorf("%.3f refusals a check-in", failed)
	}
	if voided == 0 || parties == 0 || anonymous == 0 || late == 0 {
		t.Errorf("%d voided, %d parties, %d anonymous, %d late", voided, parties, anonymous, late)
	}
	if overnight > count[event.CheckIn]/100 {
		t.Errorf("%d check-ins between midnight and six", overnight)
	}
	for space, days := range map[string][2]time.Weekday{
		"berlin-mitte":     {time.Tuesday, time.Saturday},
		"new-york-soho":    {time.Wednesday, time.Sunday},
		"kathmandu-thamel": {time.Sunday, time.Saturday},
	} {
		if busy, quiet := weekdays[space][days[0]], weekdays[space][days[1]]; busy < 3*quiet {
			t.Errorf("%s: %d check-ins on %ss, %d on %ss", space, busy, days[0], quiet, days[1])
		}
	}
}

// The work day begins at the same hour of the wall clock before and after the
// clocks change.
func TestHabitsFollowTheWallClock(t *testing.T) {
	w, err := New(spring)
	if err != nil {
		t.Fatal(err)
	}
	berlin := w.spaces[0]
	changed := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)
	var hours [2][]float64
	for e := range w.History() {
		if e.Kind != event.CheckIn || e.Space != berlin.name || e.Member == "" {
			continue
		}
		local := e.Time.In(berlin.zone)
		side := 0
		if e.Time.After(changed) {
			side = 1
		}
		if local.Hour() < 11 {
			hours[side] = append(hours[side], float64(local.Hour())+float64(local.Minute())/60)
		}
	}
	before, after := middle(hours[0]), middle(hours[1])
	if before-after > 0.3 || after-before > 0.3 {
		t.Errorf("mornings begin around %.1f before the clocks change, and around %.1f after", before, after)
	}
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func TestHolidaysAreClosed(t *testing.T) {
	christmas := Config{
		Seed: 1, Spaces: 1, Members: 200,
		From: time.Date(2026, 12, 21, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC),
	}
	days := map[int]int{}
	events := history(t, christmas)
	for _, e := range events {
		if e.Kind == event.CheckIn {
			days[e.Time.Day()]++
		}
	}
	if days[22] == 0 || days[24]+days[25]+days[26] > 0 {
		t.Errorf("check-ins by day: %v", days)
	}
	want := []string{"2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31", "2027-01-01"}
	if diff := cmp.Diff(want, *events[0].Data.Settings.Closures); diff != "" {
		t.Errorf("closures (-want +got):\n%s", diff)
	}
}

func TestManySpacesHaveNamesOfTheirOwn(t *testing.T) {
	c := spring
	c.Spaces = 20
	w, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	names := w.Spaces()
	slices.Sort(names)
	if len(slices.Compact(names)) != 20 {
		t.Errorf("%v", w.Spaces())
	}
}

func TestLiveEventsAreTakenAndFollowOneAnother(t *testing.T) {
	w, err := New(spring)
	if err != nil {
		t.Fatal(err)
	}
	live := w.Live()
	seen := map[event.Key]bool{}
	kinds := map[event.Kind]int{}
	now := spring.To
	for range 5000 {
		now = now.Add(500 * time.Millisecond)
		e := live.Next(now)
		if _, err := event.Decode(e.Encode(nil), event.Options{Strict: true}); err != nil {
			t.Fatal(err)
		}
		if err := e.CheckFuture(now); err != nil || seen[e.Key()] {
			t.Fatalf("%v, seen before: %v", err, seen[e.Key()])
		}
		seen[e.Key()] = true
		kinds[e.Kind]++
	}
	for _, kind := range []event.Kind{event.CheckIn, event.CheckOut, event.Presence, event.CheckInFailed} {
		if kinds[kind] == 0 {
			t.Errorf("no %s among %v", kind, kinds)
		}
	}
}

func TestAnImpossibleWorldIsRefused(t *testing.T) {
	cases := map[string]func(*Config){
		"no space":           func(c *Config) { c.Spaces = 0 },
		"nobody":             func(c *Config) { c.Members = 0 },
		"time that runs off": func(c *Config) { c.To = c.From },
		"long ago":           func(c *Config) { c.From = time.Time{} },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			c := spring
			spoil(&c)
			if _, err := New(c); fault.Of(err) != fault.Invalid {
				t.Errorf("%v", err)
			}
		})
	}
}
