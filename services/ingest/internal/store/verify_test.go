package store_test

import (
	"slices"
	"strings"
	"testing"

	"coworking/pkg/event"
	"coworking/services/ingest/internal/store"

	"github.com/google/go-cmp/cmp"
)

// ordinaryDay has a little of everything.
func ordinaryDay() []event.Event {
	zone, name := "UTC", "Ada"
	who := tell("who", event.MemberUpserted, "08:00", "ada")
	who.Space, who.Data.MemberName, who.Data.Plan = event.NoSpace, &name, "flex"
	return []event.Event{
		settings("set", "07:00", event.Settings{TimeZone: &zone}),
		who,
		tell("1", event.CheckIn, "09:00", "ada"),
		tell("2", event.CheckOut, "12:00", "ada"),
		tell("3", event.CheckIn, "14:00", "ada"),
		tell("4", event.CheckIn, "10:00", "bob"),
		tell("5", event.CheckIn, "11:00", ""),
		tell("6", event.CheckInFailed, "11:05", ""),
		token("7", event.TokenIssued, "08:30", "ada"),
		token("8", event.TokenUsed, "15:30", "ada"),
	}
}

// change runs a statement by hand.
func (w *world) change(sql string) {
	w.Helper()
	tag, err := w.pool.Exec(w.Context(), sql)
	if err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
	if tag.RowsAffected() == 0 {
		w.Fatalf("%s: no row", sql)
	}
}

// The negative control of every test that ends with a verification: it finds
// whatever is wrong, and what it finds can be mended.
func TestVerifyFindsWhatIsWrongAndFixMendsIt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change string
		tables string // in which something is found
	}{
		"a total of a day edited by hand": {"update space_day set checkins = checkins + 1 where checkins > 0", "space_day"},
		"a batch counted twice, as if nothing told duplicates": {
			"with ways as (update method_day set checkins = 2 * checkins, failed = 2 * failed) update space_day set events = 2 * events, checkins = 2 * checkins, visits = 2 * visits",
			"space_day method_day",
		},
		"a slot edited by hand":                  {"update space_day set slots = set_byte(slots, 3, get_byte(slots, 3) + 1) where checkins > 0", "space_day"},
		"a day's row deleted":                    {"delete from space_day where checkins > 0", "space_day"},
		"an event deleted":                       {"delete from events where id = '4'", "member_day space_day method_day"},
		"an event of a visit that stays deleted": {"delete from events where id = '2'", "member_day space_day"},
		"a visit edited by hand":                 {"update member_day set out_at = out_at + '1 min'::interval where checkins = 1", "member_day"},
		"a unit deleted":                         {"delete from member_day where checkins = 1", "member_day"},
		"a second visit deleted":                 {"delete from more_visits where member > 0", "more_visits"},
		"an anonymous visit deleted":             {"delete from more_visits where member = 0", "more_visits"},
		"a unit that has no events": {
			"insert into member_day (space, day, member, state) select space, day + 100, member, '' from member_day where checkins = 1", "member_day",
		},
		"a way to come edited by hand": {"update method_day set checkins = checkins + 1", "method_day"},
		"a way to come deleted":        {"delete from method_day", "method_day"},
		"an event filed under another day": {
			"update events set day = day + 1 where id = '4'", "events",
		},
		"a source that was never heard of":  {"insert into sources select space, 0, now() from space_day limit 1", "sources"},
		"a source heard of at another time": {"update sources set last_event = now()", "sources"},
		"a deleted token":                   {"delete from tokens", "legacy_usage legacy_visits tokens"},
		"a token's issue deleted":           {"delete from events where id = '7'", "space_day tokens"},
		"an old report edited by hand":      {"update legacy_usage set used = used + 1", "legacy_usage"},
		"a day of it deleted":               {"delete from legacy_days", "legacy_days"},
		"the other old report, too":         {"insert into legacy_visits select id, 7 from members where member = 'bob'", "legacy_visits"},
		"what is known of a member edited":  {"update members set name = 'Eve' where member = 'ada'", "members"},
		"what was said of a member deleted": {
			"delete from member_changes", "member_changes",
		},
		"what was said of a space deleted": {"delete from space_changes", "space_changes"},
		"what was said of a space edited": {
			`update space_changes set data = '{"time_zone": "Asia/Kathmandu"}'`, "space_changes",
		},
	}
	db := newArena(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := db.world(t)
			w.write(ordinaryDay()...)
			refileAll(t, w.store)
			w.same()
			w.change(test.change)

			// Another process has a memory of its own.
			s, err := store.New(t.Context(), w.pool)
			if err != nil {
				t.Fatal(err)
			}
			found, err := s.VerifyRollups(t.Context(), store.Range{}, func(int, int) {})
			if err != nil {
				t.Fatal(err)
			}
			var tables []string
			for _, d := range found.Differences {
				tables = append(tables, d.Table)
			}
			slices.Sort(tables)
			for table := range strings.FieldsSeq(test.tables) {
				if !slices.Contains(tables, table) {
					t.Errorf("nothing is found in %s, only in %s", table, tables)
				}
			}
			if _, err := s.Fix(t.Context(), found.Differences); err != nil {
				t.Fatal(err)
			}
			refileAll(t, s)
			if diff := cmp.Diff([]string(nil), differences(t, s)); diff != "" {
				t.Errorf("after the fix (-want +got):\n%s", diff)
			}
			w.want("select count(*) from space_day where space = 0", "0")
		})
	}
}
