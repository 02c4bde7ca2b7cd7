package report_test

import (
	"context"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

func TestNoShowsAreAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"no_shows_in_kathmandu": {noon, "no_shows", "from=2026-03-28&to=2026-04-01&tz=Asia/Kathmandu&interval=week"},
	})
}

// handed is a token of a made-up world.
type handed struct {
	site          *site
	member        string
	issued        time.Time
	used, expires time.Time // zero: never, nobody said
}

// lasts is until when a token is good.
func (k handed) lasts() time.Time {
	if k.expires.IsZero() {
		return k.issued.Add(24 * time.Hour)
	}
	return k.expires
}

// drawTokens hands out tokens in a world's spaces.
func (w *world) drawTokens(t *rapid.T) []handed {
	var tokens []handed
	for range rapid.IntRange(0, 12).Draw(t, "tokens") {
		k := handed{
			site:   rapid.SampledFrom(w.sites).Draw(t, "where"),
			member: rapid.SampledFrom([]string{"", "ada", "ben", "cem", "dev"}).Draw(t, "whose"),
			issued: drawInstant(t, "issued", w.dates[0], 4*24*time.Hour),
		}
		if rapid.Bool().Draw(t, "used") {
			k.used = k.issued.Add(drawDuration(t, "after", 30*time.Hour) - time.Hour)
		}
		if rapid.Bool().Draw(t, "expires") {
			k.expires = k.issued.Add(drawDuration(t, "lasts", 20*time.Hour))
		}
		if !k.used.IsZero() && rapid.IntRange(0, 3).Draw(t, "at the last moment") == 0 {
			k.used = k.lasts()
		}
		tokens = append(tokens, k)
	}
	return tokens
}

// tellTokens writes tokens into the tables of testdata/tables.sql. Each space has an
// event before all of them, so that they are within its life.
func (w *world) tellTokens(ctx context.Context, conn *pgx.Conn, tokens []handed) error {
	batch := &pgx.Batch{}
	for i, k := range tokens {
		name := string(rune('a' + i))
		var expires, member any
		if !k.expires.IsZero() {
			expires = k.expires
		}
		if k.member != "" {
			member = k.member
		}
		batch.Queue(`insert into told (space, kind, at, member, token, expires_at) values ($1, 'token_issued', $2, $3, $4, $5)`,
			k.site.name, k.issued, member, name, expires)
		k.site.events = append(k.site.events, happening{"token_issued", k.issued, k.issued})
		if !k.used.IsZero() {
			batch.Queue(`insert into told (space, kind, at, member, token) values ($1, 'token_used', $2, $3, $4)`, k.site.name, k.used, member, name)
			k.site.events = append(k.site.events, happening{"token_used", k.used, k.used})
		}
	}
	return conn.SendBatch(ctx, batch).Close()
}

// What became of tokens is what plain loops say.
func TestNoShowsAgreeWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		w := drawWorld(t)
		tokens := w.drawTokens(t)
		for _, k := range tokens {
			if k.member != "" && rapid.Bool().Draw(t, "came") {
				k.site.comeAbout(t, k)
			}
		}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			if err := w.tell(ctx, conn); err != nil {
				return err
			}
			return w.tellTokens(ctx, conn, tokens)
		})
		reader := report.NewReader(pool)
		for range 4 {
			q := w.drawQuestion(t)
			if len(tokens) > 0 && rapid.Bool().Draw(t, "about a token") {
				k := rapid.SampledFrom(tokens).Draw(t, "which")
				q.fromTime = k.issued.Add(-drawDuration(t, "before", 6*time.Hour))
				q.toTime = k.issued.Add(time.Microsecond + drawDuration(t, "after", 6*time.Hour))
				if rapid.Bool().Draw(t, "as it expires") {
					q.asOf = k.lasts()
				}
			}
			hold(t, reader, "no_shows", q.query(), q.asOf, q.noShows(tokens, q.byInterval))
			holdTotals(t, reader, "no_shows", q.query(), q.asOf, only("date", q.noShows(tokens, allInOne)))
		}
	})
}

// comeAbout is a visit of whom a token was handed to, half a day before its issue or
// after it.
func (s *site) comeAbout(t *rapid.T, k handed) {
	clock := wallClock{s.zone, s.dayStart}
	v := attendance{member: k.member, in: k.issued.Add(drawDuration(t, "came after", 24*time.Hour) - 12*time.Hour), party: 1, explicit: true}
	v.day = clock.day(v.in)
	v.out = v.in.Add(time.Hour)
	if end := clock.start(v.day.AddDate(0, 0, 1)); !v.out.Before(end) {
		v.out, v.explicit, v.cutoff = end, false, true
	}
	s.visits = append(s.visits, v)
	s.events = append(s.events, happening{"checkin", v.in, v.in})
}

// byInterval and allInOne are which row of an answer a date counts in: as it was
// asked for, or the one of all.
func (q question) byInterval(date time.Time) string { return text(q.bucket(date)) }
func allInOne(time.Time) string                     { return "" }

// only is the one row of all, without the name of a bucket.
func only(bucket string, rows []row) row {
	delete(rows[0], bucket)
	return rows[0]
}

// countOf is a count of a row; null counts for nothing. oneMore adds one to it.
func countOf(r row, field string) float64 {
	n, _ := r[field].(float64)
	return n
}

func oneMore(r row, field string) { r[field] = countOf(r, field) + 1 }

func (q question) noShows(tokens []handed, bucketOf func(time.Time) string) []row {
	var rows []row
	for _, date := range q.dates() {
		bucket := bucketOf(date)
		if len(rows) == 0 || rows[len(rows)-1]["date"] != bucket {
			rows = append(rows, row{
				"date": bucket, "issued": nil, "used": nil, "pending": nil, "covered": nil, "no_show": nil, "late_used": nil, "rate": nil,
			})
		}
		r := rows[len(rows)-1]
		for _, s := range q.sites {
			if !q.alive(s, date) {
				continue
			}
			for _, field := range []string{"issued", "used", "pending", "covered", "no_show", "late_used"} {
				if r[field] == nil {
					r[field] = 0.0
				}
			}
			for _, k := range tokens {
				if d, in := q.asked(s, k.issued); k.site != s || !in || !d.Equal(date) || k.issued.After(q.asOf) {
					continue
				}
				oneMore(r, "issued")
				fate := q.fateOf(k, date)
				oneMore(r, fate)
			}
		}
	}
	for _, r := range rows {
		if settled := countOf(r, "issued") - countOf(r, "pending"); settled > 0 {
			r["rate"] = round(countOf(r, "no_show") / settled)
		}
	}
	return rows
}

func (q question) fateOf(k handed, date time.Time) string {
	if !k.used.IsZero() && !k.used.After(q.asOf) {
		if k.used.After(k.lasts()) {
			return "late_used"
		}
		return "used"
	}
	if q.asOf.Before(k.lasts()) {
		return "pending"
	}
	for _, v := range k.site.visits {
		if v.member == k.member && k.member != "" && !v.in.After(q.asOf) && q.clock(k.site).day(v.in).Equal(date) {
			return "covered"
		}
	}
	return "no_show"
}
