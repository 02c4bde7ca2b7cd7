package report_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// The world is testdata/world.sql. Berlin has 4 seats. On Saturday it is open for 6
// hours, which are 24 seat-hours; Ada took 2 of them (and was there for an hour before),
// Ben 4, Cem ½: 6.5 ÷ 24. From 10:30 to 11:00 they were three, so 75 %. On Sunday it is
// closed, and Ada inside for 2 hours. On Monday it is open for 12 hours: Ada 8½, Ben ½,
// and three for 4 hours: 21 ÷ 48. All seats are taken from 11:00 to 12:30 and from 13:00
// to 15:00, and 3 of 4 while Ada is at lunch: 240 minutes. On Tuesday 6 hours have passed
// by 14:00, 5 of them with Ada.
func TestUtilizationIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		// With Kathmandu, which has 2 seats and is always open, 96 seat-hours on Monday, of
		// which 21 + 4½ are taken. There are 3 in its 2 seats from 05:15 UTC to 06:00, when
		// Berlin opens: 45 minutes; 2 from 04:15 to 04:45; and in Berlin's day 4 of the 6
		// for 210 minutes, as lunch is 3 of 6: 240 minutes of 60 to 100 %.
		"utilization_of_two": {noon, "utilization", "from=2026-03-30&to=2026-03-31&space=berlin&space=kathmandu"},
		// New York has no capacity. After hours there is Berlin's Saturday and Sunday.
		"utilization_no_cap": {noon, "utilization", "from=2026-03-27&to=2026-04-02&interval=week"},
		// In UTC the hour of Dev is on the 29th, 17:15 to 18:15: 1 ÷ 48. On the 30th 4½ ÷ 48,
		// an hour of it three in two seats and half an hour two. By noon nobody on the 31st.
		"utilization_in_utc": {noon, "utilization", "from=2026-03-28&to=2026-04-01&tz=UTC&space=kathmandu"},
		// Ada and Ben: 9 ÷ 48, and two of four at most.
		"utilization_of_a_team": {noon, "utilization", "from=2026-03-30&to=2026-03-31&space=berlin&team=acme"},
	})
}

// How full it was is what plain loops over the visits say, also where seats are added.
func TestUtilizationAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		w := drawWorld(t)
		f := furniture{since: rapid.SampledFrom(w.dates).Draw(t, "since"), added: int64(rapid.IntRange(0, 3).Draw(t, "added"))}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			for _, s := range w.sites {
				if f.added > 0 {
					batch.Queue(`insert into said values ($1, '2026-01-02Z', $2)`, s.name,
						map[string]any{"capacity": s.capacity + f.added, "effective_from": text(f.since)})
				}
			}
			if err := w.tell(ctx, conn); err != nil {
				return err
			}
			return conn.SendBatch(ctx, batch).Close()
		})
		reader := report.NewReader(pool)
		for range 2 {
			q := w.drawQuestion(t)
			rows, all := q.utilization(f)
			hold(t, reader, "utilization", q.query(), q.asOf, rows)
			holdTotals(t, reader, "utilization", q.query(), q.asOf, all.row())
		}
	})
}

// furniture is seats that are added to each site from a date on. If a site had none
// that were known, they hold from the beginning.
type furniture struct {
	since time.Time
	added int64
}

func (f furniture) seats(s *site, t time.Time) int64 {
	if f.added > 0 && (s.capacity == 0 || !wallClock{s.zone, s.dayStart}.day(t).Before(f.since)) {
		return s.capacity + f.added
	}
	return s.capacity
}

// fullness is what a row adds up to, in nanoseconds.
type fullness struct {
	alive, unknown                      bool
	open, offered, taken, peak, outside float64
	bands                               [3]float64
}

func (q question) utilization(f furniture) (rows []row, all fullness) {
	for i, date := range q.dates() {
		if i > 0 && q.bucket(date).Equal(q.bucket(q.dates()[i-1])) {
			continue
		}
		u := q.fullness(q.bucket(date), f)
		r := u.row()
		r["start"] = text(q.bucket(date))
		rows = append(rows, r)
		all.alive, all.unknown = all.alive || u.alive, all.unknown || u.unknown
		all.open, all.offered, all.taken, all.outside = all.open+u.open, all.offered+u.offered, all.taken+u.taken, all.outside+u.outside
		all.peak = max(all.peak, u.peak)
		for k := range u.bands {
			all.bands[k] += u.bands[k]
		}
	}
	return rows, all
}

// fullness looks at every stretch of a row in which nothing changes.
func (q question) fullness(bucket time.Time, f furniture) fullness {
	var u fullness
	type day struct {
		site       *site
		start, end time.Time
	}
	var days []day
	var first, last time.Time
	for _, s := range q.sites {
		for _, date := range q.dates() {
			if !q.bucket(date).Equal(bucket) || !q.alive(s, date) {
				continue
			}
			u.alive = true
			start, end := q.window(s, date)
			if end.After(q.asOf) {
				end = q.asOf
			}
			if !start.Before(end) {
				continue
			}
			days = append(days, day{s, start, end})
			if first.IsZero() || start.Before(first) {
				first = start
			}
			if end.After(last) {
				last = end
			}
		}
	}
	if len(days) == 0 {
		return u
	}
	moments := q.moments(q.sites, first, last)
	for i, t := range moments[:len(moments)-1] {
		width := float64(moments[i+1].Sub(t))
		var people, seats int64
		open := false
		for _, d := range days {
			if t.Before(d.start) || !t.Before(d.end) {
				continue
			}
			n := d.site.inside(t, q.asOf)
			if !d.site.open(t) {
				u.outside += float64(n) * width
				continue
			}
			open = true
			room := f.seats(d.site, t)
			u.unknown = u.unknown || room == 0
			people, seats = people+n, seats+room
		}
		if !open {
			continue
		}
		u.open += width
		u.offered += float64(seats) * width
		u.taken += float64(people) * width
		if seats > 0 {
			share := float64(people) / float64(seats)
			u.peak = max(u.peak, share)
			u.bands[slices.IndexFunc([]bool{share < 0.6, share <= 1, true}, func(is bool) bool { return is })] += width
		}
	}
	return u
}

func (u fullness) row() row {
	r := row{
		"capacity": nil, "avg": nil, "peak": nil, "after_hours_minutes": nil,
		"bands": row{"lt60": nil, "60_100": nil, "gt100": nil},
	}
	if u.alive {
		r["after_hours_minutes"] = u.outside / float64(time.Minute)
	}
	if !u.alive || u.unknown {
		return r
	}
	minutes := func(k int) float64 { return u.bands[k] / float64(time.Minute) }
	r["bands"] = row{"lt60": minutes(0), "60_100": minutes(1), "gt100": minutes(2)}
	if u.open > 0 {
		r["capacity"], r["avg"], r["peak"] = u.offered/u.open, u.taken/u.offered, u.peak
	}
	return r
}
