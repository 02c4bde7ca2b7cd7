package main

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"

	"github.com/google/go-cmp/cmp"
)

func TestAShellReadsWhatIsQuoted(t *testing.T) {
	for _, text := range []string{"plain", "postgres://a:p'a$s`s\"w\\o@h/d?x=1&y=2", "", "a b\n c"} {
		out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "X="+quoted(text)+`; printf %s "$X"`).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q became %q, %v", text, out, err)
		}
	}
}

func TestSpansThatPeopleThinkIn(t *testing.T) {
	for said, want := range map[string]time.Duration{"13w": 91 * 24 * time.Hour, "90d": 90 * 24 * time.Hour, "36h": 36 * time.Hour, "90m": 90 * time.Minute} {
		var got span
		if err := got.UnmarshalText([]byte(said)); err != nil || time.Duration(got) != want {
			t.Errorf("%s is %v, %v", said, time.Duration(got), err)
		}
	}
	for _, said := range []string{"", "w", "0d", "-3d", "1.5w", "0s", "-1h", "soon"} {
		if new(span).UnmarshalText([]byte(said)) == nil {
			t.Errorf("%q was taken", said)
		}
	}
}

func TestTheSpanIsWhatTheFlagsSay(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	at := func(text string) instant {
		var i instant
		if err := i.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return i
	}
	week := span(7 * 24 * time.Hour)
	cases := map[string]struct {
		flags    simulateCmd
		from, to string
	}{
		"up to now":              {simulateCmd{Span: week}, "2026-05-25T12:00:00Z", "2026-06-01T12:00:00Z"},
		"up to a date":           {simulateCmd{Span: week, To: at("2026-03-08")}, "2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"},
		"from a date":            {simulateCmd{Span: week, From: at("2026-03-01")}, "2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"},
		"from one to another":    {simulateCmd{Span: week, From: at("2026-01-01T01:00:00+01:00"), To: at("2026-02-01")}, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
		"no further than we are": {simulateCmd{Span: week, From: at("2026-05-31")}, "2026-05-31T00:00:00Z", "2026-06-01T12:00:00Z"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			from, to := c.flags.bounds(now)
			got := []string{from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339)}
			if diff := cmp.Diff([]string{c.from, c.to}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestASpaceIsSetByWhatIsGiven(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 1234567, time.UTC)
	zone, seats, from := "Asia/Kathmandu", 40, "2026-07-01"
	cases := map[string]struct {
		flags spaceSetCmd
		want  string
		wrong string
	}{
		"some things": {
			flags: spaceSetCmd{Space: "thamel", TimeZone: &zone, Capacity: &seats, From: &from},
			want:  `{"time_zone":"Asia/Kathmandu","capacity":40,"effective_from":"2026-07-01"}`,
		},
		"nothing":           {flags: spaceSetCmd{Space: "thamel", From: &from}, wrong: "what about thamel? say at least one thing, such as --time-zone"},
		"closed dates":      {flags: spaceSetCmd{Space: "thamel", Closed: []string{"2026-12-25"}}, want: `{"closures":["2026-12-25"]}`},
		"a wrong date":      {flags: spaceSetCmd{Space: "thamel", Closed: []string{"Christmas"}}, wrong: "closures"},
		"no such zone":      {flags: spaceSetCmd{Space: "thamel", TimeZone: new("Nepal/Thamel")}, wrong: "time_zone"},
		"no name of ours":   {flags: spaceSetCmd{Space: "The Mel", Capacity: &seats}, wrong: "space"},
		"the one of nobody": {flags: spaceSetCmd{Space: "_", Capacity: &seats}, wrong: "space"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e, err := c.flags.event(now)
			switch {
			case c.wrong != "":
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("%v", err)
				}
			case err != nil:
				t.Error(err)
			default:
				if diff := cmp.Diff(c.want, string(e.EncodeData(nil))); diff != "" || !e.Time.Equal(now.Truncate(time.Microsecond)) {
					t.Errorf("at %v (-want +got):\n%s", e.Time, diff)
				}
			}
		})
	}
}

func TestEventsKeepTheirPace(t *testing.T) {
	forever := func(yield func(event.Event) bool) {
		for yield(event.Event{}) {
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	put, flushed := 0, 0
	err := inTime(ctx, forever, 100, func(event.Event) error { put++; return nil }, func() error { flushed++; return nil })
	if !errors.Is(err, context.DeadlineExceeded) || put == 0 || put > 31 || flushed == 0 || flushed > 4 {
		t.Errorf("%d put, %d times flushed in 300 ms: %v", put, flushed, err)
	}
	full := errors.New("full")
	if err := inTime(t.Context(), forever, 0, func(event.Event) error { return full }, nil); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}
