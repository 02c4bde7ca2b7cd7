package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"
)

// Every report says what plain loops over the raw visits and events say, at any
// instant, in any zone, over nights in which clocks change.
func TestReportsAgreeWithPlainLoops(t *testing.T) {
	t.Parallel()
	ofMadeUpWorlds(t, 4, func(t *rapid.T, reader *report.Reader, _ *world, q question) {
		judge(t, reader, "daily_usage", q)
		judge(t, reader, "unique_members", q)
		if q.fromTime.IsZero() {
			q.interval = "day"
			judge(t, reader, "occupancy_peak", q)
		}
		if q.tz != nil || len(q.sites) == 1 {
			q.interval = rapid.SampledFrom([]string{"hour", "15m"}).Draw(t, "length")
			judge(t, reader, "hourly_usage", q)
		}
	})
}

// ofMadeUpWorlds draws worlds, and has some questions of each judged.
func ofMadeUpWorlds(t *testing.T, questions int, each func(*rapid.T, *report.Reader, *world, question)) {
	t.Helper()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		w := drawWorld(t)
		load(t, pool, w.tell)
		reader := report.NewReader(pool) // another one knows the spaces of another world
		readLittle(t, reader)
		for range questions {
			each(t, reader, w, w.drawQuestion(t))
		}
	})
}

// readLittle may have a reader read so little at a time that the few visits of a made-up
// world are many.
func readLittle(t *rapid.T, reader *report.Reader) {
	if n := rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "read at a time"); n > 0 {
		reader.ReadFew(n)
	}
}

// empty deletes the world before: for few rows that is quicker than to truncate.
func empty(pool *pgxpool.Pool) error {
	batch := &pgx.Batch{}
	for _, table := range []string{"names", "spaces", "space_changes", "members", "member_changes", "events", "sources", "dead_letters", "tokens", "method_day", "member_day", "more_visits", "space_day", "watermarks", "refile"} {
		batch.Queue("delete from " + table)
	}
	return pool.SendBatch(context.Background(), batch).Close()
}

// world is a made-up world.
type world struct {
	sites   []*site
	dates   []time.Time
	earlier []time.Time // on which somebody may have come, too
}

var (
	zones  = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"}
	starts = []time.Duration{0, 0, 5 * time.Hour, 2*time.Hour + 30*time.Minute, 22 * time.Hour}
	nights = []string{"2026-01-14", "2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"}
)

func drawWorld(t *rapid.T) *world {
	night, err := time.Parse(time.DateOnly, rapid.SampledFrom(nights).Draw(t, "night"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{}
	for i := range 4 {
		w.dates = append(w.dates, night.AddDate(0, 0, i-2))
	}
	for _, days := range []int{40, 9, 7, 6, 5, 4} {
		w.earlier = append(w.earlier, night.AddDate(0, 0, -days))
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "spaces") {
		w.sites = append(w.sites, w.drawSite(t, fmt.Sprintf("space%d", i)))
	}
	return w
}

func (w *world) drawSite(t *rapid.T, name string) *site {
	zone, err := calendar.LoadZone(rapid.SampledFrom(zones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	s := &site{
		name: name, zone: zone,
		dayStart: rapid.SampledFrom(starts).Draw(t, "day_start"),
		capacity: int64(rapid.IntRange(0, 4).Draw(t, "capacity")),
	}
	if rapid.Bool().Draw(t, "has hours") {
		s.opens = map[time.Weekday][2]time.Duration{
			time.Saturday: {8 * time.Hour, 18 * time.Hour},
			time.Sunday:   {90 * time.Minute, 23 * time.Hour},
			time.Monday:   {6 * time.Hour, 20 * time.Hour},
		}
	}
	for range rapid.IntRange(0, 8).Draw(t, "visits") {
		v := w.drawVisit(t, s)
		s.visits = append(s.visits, v)
		s.events = append(s.events, happening{"checkin", v.in, v.in.Add(drawDuration(t, "late", time.Hour))})
	}
	for range rapid.IntRange(0, 5).Draw(t, "events") {
		at := drawInstant(t, "at", wallClock{zone, s.dayStart}.start(w.dates[0]), 4*24*time.Hour)
		kind := rapid.SampledFrom([]string{"checkin_failed", "token_used", "checkout", "heartbeat"}).Draw(t, "kind")
		s.events = append(s.events, happening{kind, at, at.Add(drawDuration(t, "late", time.Hour))})
	}
	return s
}

// drawVisit is a visit that lies within one visit day.
func (w *world) drawVisit(t *rapid.T, s *site) attendance {
	clock := wallClock{s.zone, s.dayStart}
	day := rapid.SampledFrom(w.dates).Draw(t, "day")
	if rapid.IntRange(0, 3).Draw(t, "earlier") == 0 {
		day = rapid.SampledFrom(w.earlier).Draw(t, "day before")
	}
	start, end := clock.start(day), clock.start(day.AddDate(0, 0, 1))
	v := attendance{
		day:      day,
		member:   rapid.SampledFrom([]string{"", "ada", "ben", "cem", "dev"}).Draw(t, "member"),
		in:       drawInstant(t, "in", start, end.Sub(start)-time.Microsecond),
		party:    int64(rapid.IntRange(1, 3).Draw(t, "party")),
		explicit: rapid.Bool().Draw(t, "explicit"),
	}
	v.out = v.in.Add(drawDuration(t, "stay", 10*time.Hour))
	if !v.out.Before(end) {
		v.out, v.explicit, v.cutoff = end, false, true
	}
	if stay := v.out.Sub(v.in); stay > time.Hour && rapid.Bool().Draw(t, "went out") {
		v.away = [2]time.Time{v.in.Add((stay / 3).Truncate(time.Microsecond)), v.in.Add((stay / 2).Truncate(time.Microsecond))}
	}
	return v
}

// drawInstant is an instant of a stretch: often on a quarter of an hour, where
// bounds are.
func drawInstant(t *rapid.T, label string, start time.Time, length time.Duration) time.Time {
	return start.Add(drawDuration(t, label, length))
}

func drawDuration(t *rapid.T, label string, most time.Duration) time.Duration {
	if rapid.Bool().Draw(t, label+" is round") {
		return time.Duration(rapid.Int64Range(0, int64(most/(15*time.Minute))).Draw(t, label)) * 15 * time.Minute
	}
	return time.Duration(rapid.Int64Range(0, most.Microseconds()).Draw(t, label)) * time.Microsecond
}

func (w *world) drawQuestion(t *rapid.T) question {
	q := question{
		interval:  rapid.SampledFrom([]string{"day", "day", "week", "month"}).Draw(t, "interval"),
		weekStart: rapid.SampledFrom([]time.Weekday{time.Monday, time.Sunday}).Draw(t, "week_start"),
	}
	first := rapid.IntRange(0, len(w.sites)-1).Draw(t, "first space")
	q.sites = w.sites[first:]
	if rapid.Bool().Draw(t, "in a zone") {
		zone, err := calendar.LoadZone(rapid.SampledFrom(zones).Draw(t, "tz"))
		if err != nil {
			t.Fatal(err)
		}
		q.tz = zone
	}
	q.from = w.dates[0].AddDate(0, 0, rapid.IntRange(-1, 3).Draw(t, "from"))
	q.to = q.from.AddDate(0, 0, rapid.IntRange(1, 5).Draw(t, "days"))
	if rapid.IntRange(0, 3).Draw(t, "by instants") == 0 {
		q.fromTime = drawInstant(t, "from", q.from, 24*time.Hour)
		q.toTime = q.fromTime.Add(time.Microsecond + drawDuration(t, "length", 60*time.Hour))
	}
	q.asOf = drawInstant(t, "as of", w.dates[0], 5*24*time.Hour)
	return q
}

// judge holds a report against the oracle.
func judge(t *rapid.T, reader *report.Reader, name string, q question) {
	query := q.query()
	r, err := report.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := reader.Answer(context.Background(), report.Question{Report: r, Query: query, AsOf: q.asOf})
	if err != nil {
		t.Fatalf("%s?%s: %v", name, query.Encode(), err)
	}
	type said struct {
		Rows   []row
		Totals row
		Late   int
		Share  any
	}
	got := said{Rows: decoded[[]row](t, answer.Rows), Totals: decoded[row](t, answer.Totals)}
	var want said
	switch name {
	case "daily_usage":
		want.Rows, want.Totals, want.Late, want.Share = q.dailyUsage()
		got.Late, got.Share = int(answer.Meta.LateEvents), decoded[any](t, answer.Meta.EstimatedShare)
	case "unique_members":
		want.Rows, want.Totals = q.uniqueMembers()
	case "hourly_usage":
		want.Rows, got.Totals = q.hourlyUsage(), nil
	case "occupancy_peak":
		want.Rows, got.Totals = q.occupancyPeak(), nil
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 2e-6), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s?%s as of %s (-oracle +report):\n%s", name, query.Encode(), q.asOf, diff)
	}
}

// query is the question in the words of an address.
func (q question) query() url.Values {
	query := url.Values{
		"from": {text(q.from)}, "to": {text(q.to)}, "interval": {q.interval},
		"week_start": {strings.ToLower(q.weekStart.String()[:3])},
	}
	if !q.fromTime.IsZero() {
		query.Set("from", q.fromTime.Format(time.RFC3339Nano))
		query.Set("to", q.toTime.Format(time.RFC3339Nano))
	}
	for _, s := range q.sites {
		query.Add("space", s.name)
	}
	if q.tz != nil {
		query.Set("tz", q.tz.String())
	}
	return query
}

// decoded is a value as a client reads it.
func decoded[T any](t *rapid.T, value any) T {
	body, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var read T
	if err := json.Unmarshal(body, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// tell writes the world into the tables of testdata/tables.sql.
func (w *world) tell(ctx context.Context, conn *pgx.Conn) error {
	batch := &pgx.Batch{}
	for _, s := range w.sites {
		batch.Queue(`insert into said values ($1, '2026-01-01Z', $2)`, s.name, s.settings())
		for _, e := range s.events {
			batch.Queue(`insert into told (space, kind, at, received) values ($1, $2, $3, $4)`, s.name, e.kind, e.at, e.received)
		}
		for _, v := range s.visits {
			var away []time.Time
			if !v.away[0].IsZero() {
				away = v.away[:]
			}
			ended := "timeout"
			switch {
			case v.explicit:
				ended = "explicit"
			case v.cutoff:
				ended = "cutoff"
			}
			batch.Queue(`insert into stayed (space, day, member, in_at, out_at, ended, party, away) values ($1, $2, nullif($3, ''), $4, $5, $6, $7, $8)`,
				s.name, v.day, v.member, v.in, v.out, ended, v.party, away)
		}
	}
	return conn.SendBatch(ctx, batch).Close()
}

// settings is a space's settings as an event says them.
func (s *site) settings() map[string]any {
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60) }
	said := map[string]any{"time_zone": s.zone.String(), "day_start": clock(s.dayStart)}
	if s.capacity > 0 {
		said["capacity"] = s.capacity
	}
	if s.opens != nil {
		hours := map[string][2]string{}
		for day, opening := range s.opens {
			hours[strings.ToLower(day.String()[:3])] = [2]string{clock(opening[0]), clock(opening[1])}
		}
		said["opening_hours"] = hours
	}
	return said
}
