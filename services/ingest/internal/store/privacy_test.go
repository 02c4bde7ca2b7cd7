package store_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/services/ingest/internal/store"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// holding is the columns, of all tables, in which one of the words stands.
func (w *world) holding(words ...string) []string {
	w.Helper()
	found, err := w.pool.Query(w.Context(), `select table_name, column_name from information_schema.columns
		where table_schema = 'public' and data_type in ('text', 'jsonb', 'bytea') and table_name in
		  (select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE')`)
	if err != nil {
		w.Fatal(err)
	}
	columns, err := pgx.CollectRows(found, pgx.RowToStructByPos[struct{ Table, Column string }])
	if err != nil {
		w.Fatal(err)
	}
	var holding []string
	for _, c := range columns {
		for _, word := range words {
			sql := fmt.Sprintf(`select exists (select 1 from %s where position($1 in %s::text) > 0 or position(encode($1::bytea, 'hex') in %s::text) > 0)`,
				c.Table, c.Column, c.Column)
			if w.text(sql, word) == "true" {
				holding = append(holding, c.Table+"."+c.Column+" holds "+word)
			}
		}
	}
	return holding
}

// known is a member_upserted.
func known(id, clock, member, name string) event.Event {
	e := tell(id, event.MemberUpserted, clock, member)
	e.Space, e.Data.MemberName = event.NoSpace, &name
	return e
}

// totals is everything that is counted and names nobody.
func (w *world) totals() string {
	w.Helper()
	return w.text(`select string_agg(line, E'\n' order by line) from (
		select 'day ' || row(space, day, events, checkins, failed, visits, members, anonymous, dwell_us, slots)::text from space_day
		union all select 'unit ' || row(space, day, member, visits, in_at, out_at)::text from member_day
		union all select 'old ' || row(member, visits)::text from legacy_visits
		union all select 'token ' || row(space, token, issued, member, used)::text from tokens) t (line)`)
}

func TestAnErasedPersonIsGoneFromEveryTable(t *testing.T) {
	t.Parallel()
	const id, name = "zoë/4711", "Zoë Quill"
	w := newWorld(t)
	day := []event.Event{
		known("who", "08:00", id, name),
		tell("1", event.CheckIn, "09:00", id), tell("2", event.CheckOut, "12:00", id),
		tell("3", event.CheckIn, "10:00", "bob"), token("4", event.TokenIssued, "08:30", id),
	}
	w.write(day...)
	conflict := tell("3", event.CheckIn, "11:00", id) // another's id: buried with its bytes
	w.write(conflict)
	for i, body := range []string{
		`{"subject":"zo\u00eb/4711","oops"`, `{"subject":"zo\u00EB\/4711","oops"`, `{"subject":"zoë\/4711","oops"`,
	} {
		broken := store.Incoming{
			Fault: fault.Invalid.With("invalid_json", "", "not JSON: %s", body), Subject: "checkins.v1.0.berlin.checkin",
			Body: []byte(body), Stream: created, Sequence: uint64(900 + i), Received: at("12:00"),
		}
		if _, err := w.store.Write(t.Context(), []store.Incoming{broken}); err != nil {
			t.Fatal(err)
		}
	}
	w.change("update members set name = 'Eve' where name is not null") // so that a report has something to say
	found, err := w.store.VerifyRollups(t.Context(), store.Range{}, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	report, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.KeepVerification(t.Context(), at("12:00"), at("12:00"), false, report); err != nil {
		t.Fatal(err)
	}
	w.change("update members set name = '" + name + "' where name is not null")
	before := w.totals()

	standIn, err := w.store.EraseMember(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if holding := w.holding(id, name, "Zo", "4711"); holding != nil {
		t.Errorf("%s", strings.Join(holding, "\n"))
	}
	if diff := cmp.Diff(before, w.totals()); diff != "" {
		t.Errorf("totals (-before +after):\n%s", diff)
	}
	w.want("select count(*) from members where member like 'erased-%' and name is null", "1")

	// The same store, which has met the person, and one that has not.
	stranger, err := store.New(t.Context(), w.pool)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*store.Store{w.store, stranger} {
		w.store = s
		if diff := cmp.Diff(store.Result{Duplicates: len(day)}, w.write(day...)); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := w.store.Rebuild(t.Context(), store.Range{}, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	if holding := w.holding(id, name, "4711"); holding != nil {
		t.Errorf("after a replay and a rebuild: %s", strings.Join(holding, "\n"))
	}
	if diff := cmp.Diff(before, w.totals()); diff != "" {
		t.Errorf("totals after a replay and a rebuild (-before +after):\n%s", diff)
	}
	w.same()
	if _, err := w.store.ExportMember(t.Context(), id); fault.Of(err) != fault.NotFound {
		t.Errorf("the export of an erased person: %v", err)
	}
	if _, err := w.store.ExportMember(t.Context(), standIn); err != nil {
		t.Error(err)
	}
}

func TestAnExportIsAllThatIsKeptOfAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(known("who", "08:00", "ada", "Ada"), tell("1", event.CheckIn, "09:00", "ada"), tell("2", event.CheckOut, "12:00", "ada"),
		tell("3", event.CheckIn, "09:00", "bob"), token("4", event.TokenIssued, "08:30", "ada"))
	raw, err := w.store.ExportMember(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Member, Name                    string
		Changes, Events, Visits, Tokens []map[string]any
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	got := []any{all.Member, all.Name, len(all.Changes), len(all.Events), len(all.Visits), len(all.Tokens), all.Visits[0]["out"]}
	if diff := cmp.Diff([]any{"ada", "Ada", 1, 4, 1, 1, "2026-03-02T12:00:00+00:00"}, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(string(raw), "bob") {
		t.Error("somebody else is in it")
	}
}

// seal seals what was received before then.
func (w *world) seal(before time.Time, want int) {
	w.Helper()
	sealed, err := w.store.Seal(w.Context(), before, 100)
	if err != nil {
		w.Fatal(err)
	}
	if sealed != want {
		w.Fatalf("%d space-days were sealed, not %d", sealed, want)
	}
}

func TestASealedDayKeepsItsNumbersAndTakesNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	day := ordinaryDay()
	w.write(day...)
	refileAll(t, w.store)
	late := tell("late", event.CheckIn, "18:00", "ada")
	late.Time = late.Time.AddDate(0, 0, -3)
	body := w.incoming(late)
	body.Received = at("12:00").AddDate(0, 0, 5) // its day is not past the limit yet
	if _, err := w.store.Write(t.Context(), []store.Incoming{body}); err != nil {
		t.Fatal(err)
	}
	before := w.totals()
	w.seal(at("00:00").AddDate(0, 0, 2), 1)
	w.seal(at("00:00").AddDate(0, 0, 2), 0)
	if diff := cmp.Diff(before, w.totals()); diff != "" {
		t.Errorf("totals (-before +after):\n%s", diff)
	}
	w.want(`select count(*) from events e join space_day d using (space, day) where d.sealed and
		coalesce(member, method, zone, plan, team, party_size) is not null`, "0")
	w.same()

	if diff := cmp.Diff(store.Result{Duplicates: len(day)}, w.write(day...)); diff != "" {
		t.Errorf("what was sent before: %s", diff)
	}
	more := []event.Event{
		tell("new", event.CheckIn, "17:00", "ada"), token("new use", event.TokenUsed, "17:10", ""), void("v", "4"),
	}
	if diff := cmp.Diff(store.Result{Buried: 3}, w.write(more...)); diff != "" {
		t.Errorf("what is new: %s", diff)
	}
	next := void("v2", "1")
	next.Time = next.Time.AddDate(0, 0, 1)
	if diff := cmp.Diff(store.Result{Buried: 1}, w.write(next)); diff != "" {
		t.Errorf("a void from a later day: %s", diff)
	}
	w.want("select string_agg(distinct code, ',') from dead_letters", "day_sealed")
	w.same()
	if _, err := w.store.Rebuild(t.Context(), store.Range{}, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	w.want("select string_agg(row(checkins, visits)::text, ',') from space_day where sealed", "(5,4)")
	w.want("select count(*) from tokens where issued is not null and used is not null", "1")
	w.want("select sum(used) from legacy_usage", "1")
	w.same()
}

// A token's issue lies on a sealed day and its use on another.
func TestATokenOutlivesItsSealedDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(token("1", event.TokenIssued, "09:00", "ada"))
	use := func(id string, hour int) event.Event {
		e := token(id, event.TokenUsed, "00:00", "")
		e.Time = e.Time.AddDate(0, 0, 2).Add(time.Duration(hour) * time.Hour)
		return e
	}
	w.write(use("2", 10), use("3", 11))
	w.seal(at("00:00").AddDate(0, 0, 1), 1)
	w.same()
	takenBack := void("v", "2")
	takenBack.Time = takenBack.Time.AddDate(0, 0, 2)
	w.write(takenBack)
	want := "(09:00,11:00,ada)"
	tokens := "select row(to_char(issued, 'HH24:MI'), to_char(used, 'HH24:MI'), m.member) from tokens t join members m on m.id = t.member"
	w.want(tokens, want)
	w.want("select sum(used) from legacy_usage", "1")
	w.same()
	if _, err := w.store.Rebuild(t.Context(), store.Range{}, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	w.want(tokens, want)
	w.same()
	takenBack = void("v2", "3")
	takenBack.Time = takenBack.Time.AddDate(0, 0, 2)
	w.write(takenBack)
	w.want("select row(issued is not null, used) from tokens", "(t,)")
	w.want("select count(*) from legacy_usage", "0")
	w.same()
}

// A sealed day's events are gone, so it stays where it is: settings that would cut
// it otherwise come too late.
func TestSettingsThatWouldMoveASealedDayComeTooLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	utc, berlin, from, start := "UTC", "Europe/Berlin", "2026-03-05", "05:00"
	w.write(settings("0", "06:00", event.Settings{TimeZone: &utc}), settings("1", "07:00", event.Settings{DayStart: &start}))
	w.write(tell("2", event.CheckIn, "23:30", "ada"))
	refileAll(t, w.store)
	w.seal(at("00:00").AddDate(0, 0, 4), 1)
	later := func(e event.Event) event.Event {
		e.Time = e.Time.AddDate(0, 0, 10)
		return e
	}
	moved := later(settings("3", "12:00", event.Settings{TimeZone: &berlin}))
	moved.Data.Settings.EffectiveFrom = &[]string{"2026-03-02"}[0]
	if diff := cmp.Diff(store.Result{Buried: 1}, w.write(moved)); diff != "" {
		t.Errorf("a zone from before: %s", diff)
	}
	if diff := cmp.Diff(store.Result{Buried: 1}, w.write(later(void("4", "1")))); diff != "" {
		t.Errorf("taking the day's start back: %s", diff)
	}
	w.want("select string_agg(distinct code, ',') from dead_letters", "day_sealed")
	stay := "1h"
	fine := []event.Event{
		later(settings("5", "12:00", event.Settings{TimeZone: &berlin, EffectiveFrom: &from})),
		later(settings("6", "12:00", event.Settings{DefaultStay: &stay, EffectiveFrom: &[]string{"2026-03-02"}[0]})),
	}
	if diff := cmp.Diff(store.Result{Stored: 2}, w.write(fine...)); diff != "" {
		t.Errorf("what moves no sealed day: %s", diff)
	}
	refileAll(t, w.store)
	w.want("select string_agg(day::text || ' ' || visits, ',') from space_day where visits > 0", "2026-03-02 1")
	w.same()
}
