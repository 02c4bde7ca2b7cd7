package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"
	"coworking/services/ingest/internal/store"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
)

// world is a store on a database of its own, and the stream's sequence so far.
type world struct {
	*testing.T
	pool  *pgxpool.Pool
	store *store.Store
	seq   uint64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.URL(pgtest.URL(t)), pg.Options{Name: "test", MaxConns: 8, Writer: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := store.New(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	return &world{T: t, pool: pool, store: s}
}

var created = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// incoming is an event as the stream hands it over, a second after its time.
func (w *world) incoming(e event.Event) store.Incoming {
	w.seq++
	body := e.Encode(nil)
	decoded, err := event.Decode(body, event.Options{})
	return store.Incoming{
		Event: decoded, Fault: err, Subject: "checkins.v1.0." + e.Space + "." + string(e.Kind), Body: body,
		Stream: created, Sequence: w.seq, Received: e.Time.Add(time.Second),
	}
}

// write writes the events as one batch.
func (w *world) write(events ...event.Event) store.Result {
	w.Helper()
	batch := make([]store.Incoming, len(events))
	for i, e := range events {
		batch[i] = w.incoming(e)
		if batch[i].Fault != nil {
			w.Fatal(batch[i].Fault)
		}
	}
	result, err := w.store.Write(context.WithoutCancel(w.Context()), batch)
	if err != nil {
		w.Fatal(err)
	}
	return result
}

// text is a query's only value.
func (w *world) text(sql string, args ...any) string {
	w.Helper()
	var text string
	if err := w.pool.QueryRow(w.Context(), "select coalesce(("+sql+")::text, 'null')", args...).Scan(&text); err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
	return text
}

func (w *world) want(sql, want string) {
	w.Helper()
	if diff := cmp.Diff(want, w.text(sql)); diff != "" {
		w.Errorf("%s (-want +got):\n%s", sql, diff)
	}
}

// same says that a verification finds nothing.
func (w *world) same() {
	w.Helper()
	found, err := w.store.VerifyRollups(w.Context(), store.Range{}, func(int, int) {})
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range found.Differences {
		w.Errorf("%s %s %s %s:\nstored  %s\nderived %s", d.Table, d.Space, d.Day, d.Key, d.Stored, d.Derived)
	}
}

func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", "2026-03-02 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

func tell(id string, kind event.Kind, clock, member string) event.Event {
	return event.Event{ID: id, Source: "door", Kind: kind, Time: at(clock), Member: member, Space: "berlin"}
}

func void(id, target string) event.Event {
	e := tell(id, event.EventVoided, "20:00", "")
	e.Data.VoidSource, e.Data.VoidID = "door", target
	return e
}

func TestADayIsStoredVisitByVisit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	result := w.write(
		tell("1", event.CheckIn, "09:00", "ada"),
		tell("2", event.CheckOut, "12:00", "ada"),
		tell("3", event.CheckIn, "12:30", "ada"),
		tell("4", event.CheckOut, "17:00", "ada"),
		tell("5", event.CheckIn, "10:00", "bob"),
		tell("6", event.CheckIn, "11:00", ""),
		tell("7", event.CheckInFailed, "11:05", ""),
		tell("8", event.CheckOut, "08:00", "cleo"),
	)
	if diff := cmp.Diff(store.Result{Stored: 8}, result); diff != "" {
		t.Error(diff)
	}
	w.want("select count(*) from events", "8")
	w.want(`select row(events, checkins, failed, visits, members, anonymous, orphans, estimated,
	          dwell_us / 60000000, dwell_estimated_us / 60000000) from space_day`, "(8,4,1,3,2,1,1,2,930,480)")
	w.want(`select string_agg(coalesce(m.member, '-') || ' ' || to_char(in_at, 'HH24:MI') || '–' || to_char(out_at, 'HH24:MI') || ' ' || end_reason, ', '
	          order by in_at) from visits v left join members m on m.id = v.member`,
		"ada 09:00–17:00 0, bob 10:00–14:00 1, - 11:00–15:00 1")
	w.same()
}

func TestWritingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	day := []event.Event{tell("1", event.CheckIn, "09:00", "ada"), tell("2", event.CheckOut, "12:00", "ada")}
	w.write(day...)
	before := w.text("select row(checkins, visits, dwell_us, version) from space_day")
	if diff := cmp.Diff(store.Result{Duplicates: 2}, w.write(day...)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(store.Result{Stored: 1, Duplicates: 1}, w.write(tell("3", event.Heartbeat, "09:00", ""), tell("3", event.Heartbeat, "09:00", ""))); diff != "" {
		t.Error(diff)
	}
	w.want("select row(checkins, visits, dwell_us, version - 1) from space_day", before)
	w.same()
}

// Two workers may come to the second copy first.
func TestAnEventThatWasPublishedTwiceWasReceivedWhenTheFirstWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late := w.incoming(tell("1", event.CheckIn, "09:00", "ada"))
	early := late
	between := late
	late.Sequence, late.Received = late.Sequence+2, late.Received.Add(time.Hour)
	between.Sequence, between.Received = between.Sequence+1, between.Received.Add(time.Second)
	for _, batch := range [][]store.Incoming{{late}, {between, early}, {late, between, early}} {
		if _, err := w.store.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		w.same()
	}
	w.want("select row(seq, to_char(received, 'HH24:MI')) from events", "(1,09:00)")
	w.want("select row(events, late, version) from space_day", "(1,0,2)")
}

func TestTheFirstContentOfAnIDHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(tell("1", event.CheckIn, "09:00", "ada"))
	result := w.write(tell("1", event.CheckIn, "09:30", "ada"))
	if diff := cmp.Diff(store.Result{Buried: 1}, result); diff != "" {
		t.Error(diff)
	}
	w.want("select code from dead_letters", "id_conflict")
	w.want("select to_char(in_at, 'HH24:MI') from visits", "09:00")
	w.same()
}

func TestAVoidedEventIsAsIfNeverSent(t *testing.T) {
	t.Parallel()
	day := []event.Event{
		tell("1", event.CheckIn, "09:00", "ada"), tell("2", event.CheckOut, "12:00", "ada"),
		tell("3", event.CheckIn, "14:00", "ada"), tell("4", event.CheckIn, "10:00", ""), tell("5", event.CheckInFailed, "10:30", "bob"),
	}
	issued := tell("6", event.TokenIssued, "08:00", "ada")
	issued.Data.TokenID = "t"
	used := tell("7", event.TokenUsed, "15:00", "ada")
	used.Data.TokenID = "t"
	day = append(day, issued, used)
	var voids []event.Event
	for i := range day {
		voids = append(voids, void(fmt.Sprint("v", i), day[i].ID))
	}
	voids = append(voids, void("vv", "v0")) // a void of a void has no effect
	db := newArena(t)
	for name, order := range map[string][][]event.Event{
		"voids come after":   {day, voids},
		"voids come first":   {voids, day},
		"all in one batch":   {append(append([]event.Event{}, voids...), day...)},
		"one by one, mixed":  {day[:3], voids[:5], day[3:], voids[5:]},
		"each void twice":    {day, voids, voids},
		"the void of a void": {voids[len(voids)-1:], voids[:len(voids)-1], day},
	} {
		t.Run(name, func(t *testing.T) {
			w := db.world(t)
			for _, batch := range order {
				w.write(batch...)
			}
			w.want(`select string_agg(row(events, checkins, failed, visits, members, anonymous, orphans, estimated, dwell_us,
			          coalesce(length(slots), 0))::text, ',') from space_day where events = 0`, "(0,0,0,0,0,0,0,0,0,0)")
			w.want("select count(*) from space_day where events > 0", "0")
			for _, table := range []string{"member_day", "more_visits", "method_day", "tokens", "legacy_usage", "legacy_visits"} {
				w.want("select count(*) from "+table, "0")
			}
			w.want("select count(*) from events where voided", "7")
			w.same()
		})
	}
}

func TestAPoisonMessageIsBuriedAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	batch := []store.Incoming{
		w.incoming(tell("1", event.CheckIn, "09:00", "ada")),
		{
			Fault: fault.Invalid.With("invalid_json", "", "not JSON at byte \x00 7"), Subject: "checkins.v1.0.berlin.checkin",
			Header: map[string][]string{"X": {"\xff"}}, Body: []byte("{\x00"), Stream: created, Sequence: 77, Received: at("09:00"),
		},
		w.incoming(tell("2", event.CheckIn, "09:00", "bob")),
	}
	for range 2 {
		if _, err := w.store.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	w.want("select checkins from space_day", "2")
	w.want("select row(seq, code, encode(body, 'hex'), state) from dead_letters", "(77,invalid_json,7b00,open)")
	w.same()
}

func TestANewZoneFilesDaysAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(tell("1", event.CheckIn, "23:30", "ada"), tell("2", event.CheckIn, "10:00", "bob"))
	w.want("select string_agg(day::text || ' ' || checkins, ',' order by day) from space_day", "2026-03-02 2")
	set := tell("3", event.SpaceUpserted, "12:00", "")
	zone := "Europe/Berlin"
	set.Data.Settings = &event.Settings{TimeZone: &zone}
	w.write(set)
	for {
		found, err := w.store.Refile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			break
		}
	}
	w.want("select string_agg(day::text || ' ' || checkins, ',' order by day) from space_day where events > 0", "2026-03-02 1,2026-03-03 1")
	w.want("select string_agg(day::text, ',' order by day) from events", "2026-03-02,2026-03-02,2026-03-03")
	w.same()
	w.write(tell("4", event.CheckOut, "23:45", "ada"))
	w.want("select string_agg(day::text || ' ' || end_reason, ',' order by day) from visits", "2026-03-02 1,2026-03-03 0")
	w.same()
}

// A store remembers the numbers of names, spaces and members. In a database that was
// put in the place of the one before, they may be others'.
func TestADatabaseThatWasReplacedIsNotWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(tell("1", event.CheckIn, "09:00", "ada"))
	for _, statement := range []string{
		"alter table names rename to names_before",
		"create table names (like names_before including all)",
		"insert into names overriding system value select * from names_before",
	} {
		if _, err := w.pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.store.Write(t.Context(), []store.Incoming{w.incoming(tell("2", event.CheckIn, "09:00", "bob"))})
	if fault.Of(err) != fault.Internal || !strings.Contains(err.Error(), "the database was replaced") {
		t.Fatalf("written: %v", err)
	}
	again, err := store.New(t.Context(), w.pool)
	if err != nil {
		t.Fatal(err)
	}
	if result, err := again.Write(t.Context(), []store.Incoming{w.incoming(tell("2", event.CheckIn, "09:00", "bob"))}); err != nil || result.Stored != 1 {
		t.Errorf("started again: %+v, %v", result, err)
	}
}
