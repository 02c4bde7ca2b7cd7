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
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		w := drawWorld(t)
		tokens := w.drawTokens(t)
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			if err := w.tell(ctx, conn); err != nil {
				return err
			}
			return w.tellTokens(ctx, conn, tokens)
		})
		reader := report.NewReader(pool)
		for range 4 {
			q := w.drawQuestion(t)
			hold(t, reader, "no_shows", q.query(), q.asOf, q.noShows(tokens))
		}
	})
}

func (q question) noShows(tokens []handed) []row {
	var rows []row
	for _, date := range q.dates() {
		bucket := q.bucket(date)
		if len(rows) == 0 || rows[len(rows)-1]["date"] != text(bucket) {
			rows = append(rows, row{
				"date": text(bucket), "issued": nil, "used": nil, "pending": nil, "covered": nil, "no_show": nil, "late_used": nil, "rate": nil,
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
				r["issued"] = r["issued"].(float64) + 1
				fate := q.fateOf(k, date)
				r[fate] = r[fate].(float64) + 1
			}
		}
	}
	for _, r := range rows {
		if issued, alive := r["issued"].(float64); alive && issued > r["pending"].(float64) {
			r["rate"] = round(r["no_show"].(float64) / (issued - r["pending"].(float64)))
		}
	}
	return rows
}

func (q question) fateOf(k handed, date time.Time) string {
	expires := k.expires
	if expires.IsZero() {
		expires = k.issued.Add(24 * time.Hour)
	}
	if !k.used.IsZero() && !k.used.After(q.asOf) {
		if k.used.After(expires) {
			return "late_used"
		}
		return "used"
	}
	if q.asOf.Before(expires) {
		return "pending"
	}
	for _, v := range k.site.visits {
		if v.member == k.member && k.member != "" && !v.in.After(q.asOf) && q.clock(k.site).day(v.in).Equal(date) {
			return "covered"
		}
	}
	return "no_show"
}
