package store_test

import (
	"slices"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/services/ingest/internal/store"
)

// token is a token_issued or a token_used of token t.
func token(id string, kind event.Kind, clock, member string) event.Event {
	e := tell(id, kind, clock, member)
	e.Data.TokenID = "t"
	return e
}

func TestAnEarlierIssueThatComesLateLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(token("1", event.TokenIssued, "10:00", "ada"), token("2", event.TokenUsed, "11:00", ""))
	w.write(token("3", event.TokenIssued, "09:00", "bob"))
	w.want("select string_agg(to_char(slot, 'HH24:MI') || ' ' || used, ',' order by slot) from legacy_usage", "09:00 1")
	w.want("select string_agg(m.member || ' ' || visits, ',' order by m.member) from legacy_visits l join members m on m.id = l.member", "bob 1")
	w.same()
}

// Who remembers a day of the old report reads it again once its version has moved: so it
// moves with every way in which its slots come, change and go, and no other day's does.
func TestADayOfTheOldReportMovesWithItsSlots(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	used := func(id, day string) []event.Event {
		issue, use := token(id+" issued", event.TokenIssued, "10:00", "ada"), token(id+" used", event.TokenUsed, "11:00", "")
		for _, e := range []*event.Event{&issue, &use} {
			e.Data.TokenID = id
			e.Time, _ = time.Parse(time.RFC3339, day+"T"+e.Time.Format("15:04:05Z"))
		}
		return []event.Event{issue, use}
	}
	versions := func(want string) {
		t.Helper()
		w.want("select string_agg(to_char(day, 'DD') || ' ' || version, ',' order by day) from legacy_days", want)
	}
	w.write(slices.Concat(used("a", "2026-03-02"), used("b", "2026-03-05"))...)
	versions("02 1,05 1")
	w.write(slices.Concat(used("c", "2026-03-05"), used("d", "2026-03-04"), used("e", "2026-03-04"))...)
	versions("02 1,04 1,05 2")
	w.write(void("v", "a used")) // its slot grows empty, and goes
	versions("02 2,04 1,05 2")
	if _, err := w.store.Rebuild(t.Context(), store.Range{}, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	versions("02 2,04 2,05 3")
	w.same()
}

// Two writers that each make a slot on one day and add to one on another must not wait for
// each other: days are moved in the order of slots, not the made ones after the others.
func TestDaysOfTheOldReportAreMovedInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change("insert into legacy_usage values ('2026-03-02T10:00Z', 1), ('2026-03-04T10:00Z', 1)")
	for _, sql := range []string{
		"create table noted (n int generated always as identity, day date)",
		"create function note() returns trigger language plpgsql as $$ begin insert into noted (day) values (new.day); return null; end $$",
		"create trigger note after insert or update on legacy_days for each row execute function note()",
	} {
		if _, err := w.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	w.change(`insert into legacy_usage as l select slot, 1
		from unnest(array['2026-03-01T10:00Z', '2026-03-02T10:00Z', '2026-03-03T10:00Z', '2026-03-04T10:00Z']::timestamptz[]) slot
		order by slot on conflict (slot) do update set used = l.used + excluded.used`)
	w.want("select string_agg(to_char(day, 'DD'), ',' order by n) from noted", "01,02,03,04")
}
