package report_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"coworking/pkg/pg"
	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5/pgxpool"
)

// grown is two spaces with the same five visits each day up to 31 March 2026, from so
// many days before; and as many events of theirs.
const grown = `
insert into said values
  ('berlin', '2010-01-01Z', '{"time_zone": "Europe/Berlin", "capacity": 5}'),
  ('newyork', '2010-01-01Z', '{"time_zone": "America/New_York"}');
insert into told (space, kind, at)
select space, 'checkin', date '2026-03-31' - d + time '09:00' + n * interval '30 minutes'
from unnest(array['berlin', 'newyork']) space, generate_series(0, %[1]d) d, generate_series(1, 5) n;
insert into stayed (space, day, member, in_at, out_at, ended)
select space, date '2026-03-31' - d, 'member ' || n, (date '2026-03-31' - d + time '15:00') at time zone 'UTC', (date '2026-03-31' - d + time '18:00') at time zone 'UTC', 'explicit'
from unnest(array['berlin', 'newyork']) space, generate_series(0, %[1]d) d, generate_series(1, 5) n;`

// handedOut is twenty tokens a day in each of the spaces, most of them used.
const handedOut = `
insert into tokens (space, token, issued, member, used)
select s.id, 'token ' || d || ' ' || n, date '2026-03-31' - d + time '08:00' + n * interval '5 minutes', m.id,
  case when n %% 10 > 0 then date '2026-03-31' - d + time '08:01' + n * interval '5 minutes' end
from generate_series(%[1]d, 0, -1) d, generate_series(1, 20) n
join members m on m.member = 'member ' || 1 + n %% 5
join spaces s on s.space <> '_'`

// leftAlone keeps autovacuum, which reads whole tables at its own time, away from all of them.
const leftAlone = `
do $$
declare name regclass;
begin
  for name in select relid from pg_stat_user_tables loop
    execute format('alter table %s set (autovacuum_enabled = off, toast.autovacuum_enabled = off)', name);
  end loop;
end $$`

// lifelong is the reports that rest on all visits that members ever made: the first
// answer of a process reads them all, and those after it what changed, and the versions of
// all days, some of which share a page.
var lifelong = []string{"user_visits", "new_vs_returning", "retention", "lapsed", "spaces", "streaks", "never_visited"}

// What a report of four weeks reads must not depend on how many years there were before:
// not when a process is asked for the first time, and not after an event. Pages of
// indexes and tables are counted, as Postgres counts them.
func TestReportsReadNoMoreAsHistoryGrows(t *testing.T) {
	t.Parallel()
	const days, times = 400, 3
	short, long := readsOf(t, days), readsOf(t, times*days)
	for _, r := range report.Catalogue {
		was, is := short[r.Name], long[r.Name]
		t.Logf("%-20s first %5d %5d, after an event %5d %5d", r.Name, was.first, is.first, was.again, is.again)
		if slices.Contains(lifelong, r.Name) {
			if most := was.first*times*5/4 + 20; is.first > most {
				t.Errorf("%s reads %d pages at first, and %d with a history %d times as long", r.Name, was.first, is.first, times)
			}
			if is.again > is.first/10 {
				t.Errorf("%s reads %d pages after an event: not much less than the %d at first", r.Name, is.again, is.first)
			}
			if most := was.again*5/4 + days*(times-1)/4; is.again > most {
				t.Errorf("%s reads %d pages after an event, and %d with a history %d times as long", r.Name, was.again, is.again, times)
			}
			continue
		}
		const more = 150 // where rows of days lie farther apart, and the pages that the index of raw events knows no less than
		if is.first > was.first*5/4+more || is.again > was.again*5/4+more {
			t.Errorf("%s reads %d pages at first and %d after an event, with a history %d times as long %d and %d",
				r.Name, was.first, was.again, times, is.first, is.again)
		}
	}
}

// pagesRead is how many a report reads.
type pagesRead struct{ first, again int64 }

// readsOf is how many pages each report reads in a world of so many days.
func readsOf(t *testing.T, days int) map[string]pagesRead {
	t.Helper()
	// Plans are as they are in the service, not as they would be for these parameters.
	watched, err := pg.Open(t.Context(), pg.URL(pgtest.New(t).Config().ConnString()), pg.Options{Name: "watched", MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watched.Close)
	// What others read would count, too, and what they have read is counted up to ten seconds later.
	if _, err := watched.Exec(t.Context(), leftAlone); err != nil {
		t.Fatal(err)
	}
	loadScript(t, watched, fmt.Sprintf(grown, days))
	if _, err := watched.Exec(t.Context(), fmt.Sprintf(handedOut, days)); err != nil {
		t.Fatal(err)
	}
	if _, err := watched.Exec(t.Context(), "vacuum analyze"); err != nil {
		t.Fatal(err)
	}

	found := map[string]pagesRead{}
	for _, r := range report.Catalogue {
		reader := report.NewReader(watched)
		query := url.Values{"from": {"2026-03-03"}, "to": {"2026-03-31"}}
		if r.Name == "member_history" {
			query.Set("member", "member 1")
		}
		for p := range query {
			if !slices.ContainsFunc(r.Params, func(known report.Param) bool { return known.Name == p }) {
				query.Del(p)
			}
		}
		ask := func() int64 {
			before := pagesSoFar(t, watched)
			question := report.Question{Report: r, Query: query, AsOf: time.Date(2026, time.March, 31, 12, 0, 0, 0, time.UTC)}
			if _, err := reader.Answer(t.Context(), question); err != nil {
				t.Fatalf("%s: %v", r.Name, err)
			}
			return pagesSoFar(t, watched) - before
		}
		var p pagesRead
		p.first = ask()
		if _, err := watched.Exec(t.Context(), `with day as (update space_day set version = version + 1 where day = '2026-03-30' returning space)
			update spaces set version = version + 1 where id in (select space from day)`); err != nil {
			t.Fatal(err)
		}
		p.again = ask()
		found[r.Name] = p
	}
	return found
}

// pagesSoFar is how many pages of tables and indexes a pool's only connection, and nobody
// else, has read so far.
func pagesSoFar(t *testing.T, pool *pgxpool.Pool) (sum int64) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), "select pg_stat_force_next_flush()"); err != nil {
		t.Fatal(err)
	}
	if err := pool.QueryRow(t.Context(), `
		select sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0)
		         + coalesce(toast_blks_read + toast_blks_hit + tidx_blks_read + tidx_blks_hit, 0))::int8
		from pg_statio_user_tables`).Scan(&sum); err != nil {
		t.Fatal(err)
	}
	return sum
}
