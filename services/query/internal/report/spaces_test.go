package report_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"
)

// The figures of each house are in testdata/spaces.sql. Of all four: on Monday and Tuesday
// something was open; visits are 7, members Ada, Ben, Dev and Fay, of whom three are new;
// the lengths are 60, 60, 120 and 480 minutes, so the median is 90; of 7 check-ins and 2
// refusals 2 failed; of 6 ends one is inferred. The attic's seats are not known, so neither
// are those of all.
func TestSpacesAreAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		// Berlin's 4 visits by three days, of which Sunday was closed. Together the two have 6
		// seats: 6 visits and 25 hours. When Ben was in the annex, 4 of them were taken, and
		// 25 of 72 + 76 seat-hours on average. Of three members two are new.
		"spaces_with_seats": {noon, "spaces", "from=2026-03-29&to=2026-04-01&space=berlin&space=annex&days=calendar"},
		// Only Ada is on that plan: 8 + 5 hours of 72. The others rank behind, with nobody.
		"spaces_of_a_plan": {noon, "spaces", "from=2026-03-29&to=2026-04-01&plan=flex"},
	})
}

// How spaces stand is what plain loops over visits, events and tokens say.
func TestSpacesAgreeWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		w := drawWorld(t)
		var vouchers []voucher
		for range rapid.IntRange(0, 6).Draw(t, "tokens") {
			vouchers = append(vouchers, w.drawVoucher(t))
		}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			if err := w.tell(ctx, conn); err != nil {
				return err
			}
			return tellVouchers(ctx, conn, vouchers)
		})
		for _, v := range vouchers {
			v.site.events = append(v.site.events, happening{"token_issued", v.issued, v.issued})
			if !v.used.IsZero() {
				v.site.events = append(v.site.events, happening{"token_used", v.used, v.used})
			}
		}
		all := inOrderOfNumbers(t, pool, w.sites)
		reader := report.NewReader(pool)
		for range 2 {
			q := w.drawQuestion(t)
			q.interval = "day"
			if !q.fromTime.IsZero() {
				q.tz, q.sites = nil, q.sites[:1] // whose dates are the range's
			}
			query := q.query()
			query.Del("interval")
			days := rapid.SampledFrom([]string{"open", "calendar"}).Draw(t, "days")
			query.Set("days", days)
			c := comparison{q, all, vouchers, days == "calendar"}
			hold(t, reader, "spaces", query, q.asOf, c.rows())
			holdTotals(t, reader, "spaces", query, q.asOf, c.totals())
		}
	})
}

// voucher is a one-time token.
type voucher struct {
	site                  *site
	member                string
	issued, expires, used time.Time // zero: not said, never
}

func (w *world) drawVoucher(t *rapid.T) voucher {
	v := voucher{
		site:   rapid.SampledFrom(w.sites).Draw(t, "of"),
		member: rapid.SampledFrom([]string{"", "ada", "ben", "eve"}).Draw(t, "for"),
		issued: drawInstant(t, "issued", w.dates[0], 4*24*time.Hour),
	}
	if rapid.Bool().Draw(t, "expires") {
		v.expires = v.issued.Add(drawDuration(t, "valid", 12*time.Hour))
	}
	if rapid.IntRange(0, 3).Draw(t, "is used") == 0 {
		v.used = v.issued.Add(drawDuration(t, "used after", 30*time.Hour))
	}
	return v
}

func tellVouchers(ctx context.Context, conn *pgx.Conn, vouchers []voucher) error {
	batch := &pgx.Batch{}
	for i, v := range vouchers {
		var expires *time.Time
		if !v.expires.IsZero() {
			expires = &v.expires
		}
		batch.Queue(`insert into told (space, kind, at, member, token, expires_at) values ($1, 'token_issued', $2, nullif($3, ''), $4, $5)`,
			v.site.name, v.issued, v.member, strconv.Itoa(i), expires)
		if !v.used.IsZero() {
			batch.Queue(`insert into told (space, kind, at, token) values ($1, 'token_used', $2, $3)`, v.site.name, v.used, strconv.Itoa(i))
		}
	}
	return conn.SendBatch(ctx, batch).Close()
}

// inOrderOfNumbers is sites as their numbers order them: who was at one instant in two
// was first in the one with the lower number.
func inOrderOfNumbers(t *rapid.T, pool *pgxpool.Pool, sites []*site) []*site {
	rows, err := pool.Query(context.Background(), "select space from spaces order by id")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	ordered := slices.Clone(sites)
	slices.SortFunc(ordered, func(a, b *site) int { return slices.Index(names, a.name) - slices.Index(names, b.name) })
	return ordered
}

// comparison is what the oracle knows of all spaces.
type comparison struct {
	question

	everywhere []*site
	vouchers   []voucher
	calendar   bool
}

// compared is a row, and its figures as they are before they are rounded, by which
// spaces are ranked.
type compared struct {
	row   row
	exact map[string]any
}

func (c comparison) rows() []row {
	var all []compared
	for _, s := range c.sites {
		only := c
		only.sites = []*site{s}
		all = append(all, only.stand(only.chairs(s)))
	}
	var rows []row
	for i, s := range c.sites {
		ranks := row{}
		for name, own := range all[i].exact {
			ranks[name] = nil
			if own == nil {
				continue
			}
			place := 1.0
			for _, other := range all {
				if other.exact[name] != nil && other.exact[name].(float64) > own.(float64)*(1+1e-12) { //nolint:errcheck // all figures are
					place++
				}
			}
			ranks[name] = place
		}
		all[i].row["space"], all[i].row["rank"] = s.name, ranks
		rows = append(rows, all[i].row)
	}
	return rows
}

func (c comparison) totals() row {
	sum, known := 0.0, true
	for _, s := range c.sites {
		only := c
		only.sites = []*site{s}
		_, full := only.utilization(furniture{})
		known = known && !full.unknown
		sum += only.chairs(s)
	}
	if !known {
		sum = 0
	}
	return c.stand(sum).row
}

// chairs is the seats of a site over open time; 0 if they are not known, or it never
// opened.
func (c comparison) chairs(s *site) float64 {
	if _, full := c.utilization(furniture{}); full.open == 0 {
		return 0
	}
	return float64(s.capacity)
}

// stand is the figures of the question's sites together.
func (c comparison) stand(chairs float64) compared {
	_, usage, _, estimated := c.dailyUsage()
	_, full := c.utilization(furniture{})
	exact := map[string]any{
		"visits": usage["visits"], "visits_per_open_day": nil, "unique_members": usage["unique_members"], "visitor_hours": nil,
		"peak_pct": nil, "avg_pct": nil, "dwell_p50_min": c.dwell(false)["p50_min"], "new_share": c.newShare(),
		"no_show_rate": c.noShowRate(), "failed_rate": nil, "per_seat_visits": nil, "per_seat_visitor_hours": nil,
	}
	r := row{"open_days": nil, "estimated_share": estimated, "per_seat": row{"visits": nil, "visitor_hours": nil}}
	visits, alive := usage["visits"].(float64)
	if alive {
		open, all := c.lived()
		r["open_days"] = open
		if c.calendar {
			open = all
		}
		if open > 0 {
			exact["visits_per_open_day"] = visits / open
		}
		exact["visitor_hours"] = c.visitorHours()
	}
	failed, _ := usage["failed"].(float64)
	if checkins, _ := usage["checkins"].(float64); checkins+failed > 0 {
		exact["failed_rate"] = failed / (checkins + failed)
	}
	if alive && !full.unknown && full.open > 0 {
		exact["peak_pct"], exact["avg_pct"] = full.peak*100, full.taken/full.offered*100
	}
	if alive && chairs > 0 {
		exact["per_seat_visits"], exact["per_seat_visitor_hours"] = visits/chairs, c.visitorHours()/chairs
		r["per_seat"] = row{"visits": exact["per_seat_visits"], "visitor_hours": exact["per_seat_visitor_hours"]}
	}
	for name, figure := range exact {
		if name != "per_seat_visits" && name != "per_seat_visitor_hours" {
			r[name] = figure
		}
	}
	return compared{r, exact}
}

// lived is the days on which any of the sites was open, and those on which any lived.
func (c comparison) lived() (open, all float64) {
	for _, date := range c.dates() {
		lived, opened := false, false
		for _, s := range c.sites {
			if start, end := c.window(s, date); c.alive(s, date) && start.Before(end) && !start.After(c.asOf) {
				lived = true
				opened = opened || s.openOn(date)
			}
		}
		if lived {
			all++
		}
		if opened {
			open++
		}
	}
	return open, all
}

func (c comparison) visitorHours() float64 {
	var inside float64
	for _, s := range c.sites {
		for _, v := range s.visits {
			if date, in := c.asked(s, v.in); in && c.alive(s, date) {
				for _, stay := range v.stays(c.asOf) {
					inside += stay[1].Sub(stay[0]).Hours() * float64(v.party)
				}
			}
		}
	}
	return inside
}

func (c comparison) newShare() any {
	seen, fresh := map[string]bool{}, 0.0
	for _, s := range c.sites {
		for _, v := range s.visits {
			if date, in := c.asked(s, v.in); v.member != "" && in && c.alive(s, date) {
				seen[v.member] = true
			}
		}
	}
	for member := range seen {
		var first time.Time
		var where *site
		for _, s := range c.everywhere {
			for _, v := range s.visits {
				if v.member == member && !v.in.After(c.asOf) && (where == nil || v.in.Before(first)) {
					first, where = v.in, s
				}
			}
		}
		if where == nil || !slices.Contains(c.sites, where) {
			continue
		}
		if date, in := c.asked(where, first); in && c.alive(where, date) {
			fresh++
		}
	}
	if len(seen) == 0 {
		return nil
	}
	return fresh / float64(len(seen))
}

func (c comparison) noShowRate() any {
	var issued, missing float64
	for _, v := range c.vouchers {
		date, in := c.asked(v.site, v.issued)
		if !slices.Contains(c.sites, v.site) || !in || !c.alive(v.site, date) || v.issued.After(c.asOf) {
			continue
		}
		issued++
		expires := v.expires
		if expires.IsZero() {
			expires = v.issued.Add(24 * time.Hour)
		}
		used := !v.used.IsZero() && !v.used.After(c.asOf)
		came := slices.ContainsFunc(v.site.visits, func(a attendance) bool {
			return a.member == v.member && a.member != "" && !a.in.After(c.asOf) && c.clock(v.site).day(a.in).Equal(date)
		})
		if !used && !came && !c.asOf.Before(expires) {
			missing++
		}
	}
	if issued == 0 {
		return nil
	}
	return missing / issued
}
