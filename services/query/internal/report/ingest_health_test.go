package report_test

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

func TestIngestHealthIsAsAddedUpByHand(t *testing.T) {
	t.Parallel()
	byHand(t, "testdata/golden", map[string]asked{
		"ingest_health_of_the_door":   {noon, "ingest_health", "source=door"},
		"ingest_health_more_patience": {noon, "ingest_health", "stale_after=121"},
	})
}

// sent is an event of a source.
type sent struct {
	source       string
	at, received time.Time
}

// The health of sources is what plain loops over their events say.
func TestIngestHealthAgreesWithPlainLoops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := empty(pool); err != nil {
			t.Fatal(err)
		}
		asOf := drawInstant(t, "as of", time.Date(2026, 4, 14, 0, 0, 0, 0, time.UTC), 72*time.Hour)
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		var events []sent
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			at := asOf.AddDate(0, 0, -7*rapid.IntRange(0, 5).Draw(t, "weeks")).Add(-drawDuration(t, "before", 3*time.Hour))
			events = append(events, sent{
				rapid.SampledFrom([]string{"door", "kiosk"}).Draw(t, "source"), at, at.Add(drawDuration(t, "late", time.Hour)),
			})
		}
		load(t, pool, func(ctx context.Context, conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			batch.Queue(`insert into said values ('main', '2026-01-01Z', $1)`, map[string]string{"time_zone": zone})
			for _, e := range events {
				batch.Queue(`insert into told (space, kind, at, received, source) values ('main', 'checkin', $1, $2, $3)`, e.at, e.received, e.source)
			}
			return conn.SendBatch(ctx, batch).Close()
		})
		patience := rapid.IntRange(1, 300).Draw(t, "stale_after")
		hold(t, report.NewReader(pool), "ingest_health", url.Values{"stale_after": {fmt.Sprint(patience)}}, asOf,
			healthOf(events, asOf, zone, time.Duration(patience)*time.Minute))
	})
}

func healthOf(events []sent, asOf time.Time, zone string, patience time.Duration) []row {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	first := asOf
	for _, e := range events {
		if e.at.Before(first) {
			first = e.at
		}
	}
	dayOf := func(t time.Time) string { return t.In(location).Format(time.DateOnly) }
	var rows []row
	for _, source := range []string{"door", "kiosk"} {
		var last time.Time
		var now, usual, weeks float64
		var late []float64
		for week := range 5 {
			local := asOf.In(location)
			end := time.Date(local.Year(), local.Month(), local.Day()-7*week, local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), location)
			if week > 0 && dayOf(end.Add(-time.Hour)) < dayOf(first) {
				continue
			}
			weeks++
			for _, e := range events {
				if e.source == source && !e.at.Before(end.Add(-time.Hour)) && e.at.Before(end) {
					if week == 0 {
						now++
					} else {
						usual++
					}
				}
			}
		}
		weeks--
		for _, e := range events {
			if e.source != source {
				continue
			}
			if e.at.After(last) {
				last = e.at
			}
			if !e.at.Before(asOf.Add(-24*time.Hour)) && e.at.Before(asOf) {
				late = append(late, e.received.Sub(e.at).Seconds())
			}
		}
		if last.IsZero() {
			continue
		}
		r := row{"source": source, "per_hour": now, "usual_per_hour": nil, "late_p99_s": nil, "state": "ok"}
		if weeks > 0 {
			r["usual_per_hour"] = usual / weeks
			if usual/weeks >= 4 && now < usual/weeks/2 {
				r["state"] = "low"
			}
		}
		if asOf.Sub(last) >= patience {
			r["state"] = "silent"
		}
		if len(late) > 0 {
			slices.Sort(late)
			at := 0.99 * float64(len(late)-1)
			below, above := late[int(math.Floor(at))], late[int(math.Ceil(at))]
			r["late_p99_s"] = below + (above-below)*(at-math.Floor(at))
		}
		rows = append(rows, r)
	}
	return rows
}
