package report_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"
)

// hardWorld is a space that moves from Berlin to Kathmandu on Monday 30 March 2026, the
// day after clocks went forward in Berlin, and lets its days begin at five from then
// on; a space in New York that opens on Tuesday; and one in which nothing ever happened.
//
// Sunday in Berlin ends where Monday in Kathmandu begins: at 05:00 there, 23:15 UTC,
// 01:15 on Berlin's clock. So the visit of one o'clock in the night is Sunday's still.
const hardWorld = `
insert into said values
  ('moved', '2026-01-01Z', '{"time_zone": "Europe/Berlin", "capacity": 5}'),
  ('moved', '2026-03-30Z', '{"time_zone": "Asia/Kathmandu", "day_start": "05:00", "effective_from": "2026-03-30"}'),
  ('newyork', '2026-01-01Z', '{"time_zone": "America/New_York"}'),
  ('empty', '2026-01-01Z', '{"time_zone": "Australia/Lord_Howe"}');
insert into told (space, kind, at) values
  ('moved', 'checkin', '2026-03-28 23:30+01'), ('moved', 'checkin', '2026-03-29 03:10+02'), ('moved', 'checkin', '2026-03-30 01:00+02'),
  ('moved', 'checkin', '2026-03-30 05:00+05:45'), ('moved', 'checkin', '2026-03-31 04:59+05:45'),
  ('newyork', 'checkin', '2026-03-31 00:30-04');
insert into stayed (space, day, member, in_at, out_at, ended) values
  ('moved', '2026-03-28', 'ada', '2026-03-28 23:30+01', '2026-03-29 00:00+01', 'cutoff'),
  ('moved', '2026-03-29', 'ada', '2026-03-29 03:10+02', '2026-03-29 04:10+02', 'explicit'),
  ('moved', '2026-03-29', 'ben', '2026-03-30 01:00+02', '2026-03-29 23:15Z', 'cutoff'),
  ('moved', '2026-03-30', 'ada', '2026-03-30 05:00+05:45', '2026-03-30 06:00+05:45', 'explicit'),
  ('moved', '2026-03-30', 'ben', '2026-03-31 04:59+05:45', '2026-03-31 05:00+05:45', 'cutoff'),
  ('newyork', '2026-03-31', 'cem', '2026-03-31 00:30-04', '2026-03-31 04:30-04', 'timeout');`

func TestEveryReportAnswersOnAHardWorld(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadScript(t, pool, hardWorld)
	handler := serve(pool, noon)
	for _, r := range report.Catalogue {
		for _, query := range []string{
			"", "from=2026-03-28&to=2026-04-01", "from=2026-03-28&to=2026-04-01&tz=Asia/Kathmandu", "from=2026-03-28&to=2026-04-01&space=empty",
			"from=2026-03-28&to=2026-04-01&space=moved", "from=2026-03-29T23:15:00Z&to=2026-03-29T23:15:00.000001Z", "period=all",
			"from=2021-04-01&to=2026-04-01", "from=2021-04-01&to=2026-04-01&tz=America/New_York", "period=ytd&week_start=sun&limit=1",
		} {
			if response := ask(handler, r.Name+"?"+query); response.Code != http.StatusOK {
				t.Errorf("%s?%s: %d %s", r.Name, query, response.Code, response.Body)
			}
		}
		for _, suffix := range []string{".csv", ".ndjson"} {
			if response := ask(handler, r.Name+suffix+"?from=2026-03-28&to=2026-04-01"); response.Code != http.StatusOK {
				t.Errorf("%s%s: %d %s", r.Name, suffix, response.Code, response.Body)
			}
		}
	}
}

// Each visit is counted once, on the day that held its begin where its space was then.
func TestDaysMeetWhereASpaceMoves(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadScript(t, pool, hardWorld)
	handler := serve(pool, noon)
	for query, want := range map[string]string{
		"from=2026-03-28&to=2026-04-01&space=moved":                            "1 2 2 0",
		"from=2026-03-28&to=2026-04-01":                                        "1 2 2 1",
		"from=2026-03-28&to=2026-04-01&tz=UTC":                                 "1 3 1 1",
		"from=2026-03-28&to=2026-04-01&space=empty":                            "- - - -",
		"from=2026-03-28&to=2026-04-01&space=newyork":                          "- - - 1",
		"from=2026-03-29T23:15:00Z&to=2026-03-29T23:15:00.000001Z&space=moved": "1",
		"from=2026-03-29T23:14:59Z&to=2026-03-29T23:15:00Z&space=moved":        "0",
	} {
		var answer struct {
			Data []struct{ Visits *json.Number }
		}
		body := ask(handler, "daily_usage?"+query).Body
		if err := json.Unmarshal(body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, day := range answer.Data {
			if day.Visits == nil {
				got = append(got, "-")
			} else {
				got = append(got, day.Visits.String())
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: %s, not %s", query, text, want)
		}
	}
}
