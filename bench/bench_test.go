package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coworking/pkg/event"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { pgtest.VerifyTestMain(m) }

func TestWorldIsTheSameEachTimeAndCanBeStored(t *testing.T) {
	const n = 10_000
	first, err := world(n, worldSpaces)
	if err != nil {
		t.Fatal(err)
	}
	second, err := world(n, worldSpaces)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Fatalf("the second world differs (-first +second):\n%s", diff)
	}
	keys := map[event.Key]bool{}
	for i, e := range first {
		decoded, err := event.Decode(e.Encode(nil), event.Options{Strict: true})
		if err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
		if diff := cmp.Diff(e, decoded); diff != "" {
			t.Fatalf("event %d (-made +decoded):\n%s", i, diff)
		}
		if i > 0 && e.Time.Before(first[i-1].Time) {
			t.Fatalf("event %d is earlier than the one before it", i)
		}
		keys[e.Key()] = true
	}
	if len(keys) != n {
		t.Errorf("%d different events, want %d", len(keys), n)
	}
}

func TestFiguresReplaceTheirTableAndNothingElse(t *testing.T) {
	folder := t.TempDir()
	b := base{Results: folder, Readme: filepath.Join(folder, "README.md")}
	const begins, ends = "<!-- drain: written by bench -->\n", "<!-- end of drain -->\n"
	if err := os.WriteFile(b.Readme, []byte("before\n"+begins+"old\n"+ends+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := b.keep(&out, "drain", map[string]int{"events": 10}, "new\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(b.Readme)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("before\n"+begins+"\nnew\n\n"+ends+"after\n", string(got)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if err := b.keep(&out, "live", nil, ""); err == nil {
		t.Error("a measure without a place in the document is kept")
	}
}

func TestRatesAreComparedRoundByRound(t *testing.T) {
	all := runs{
		{Round: 1, Name: "ceiling", EventsPerSecond: 100},
		{Round: 1, Name: "service", EventsPerSecond: 90},
		{Round: 2, Name: "service", EventsPerSecond: 50},
		{Round: 2, Name: "ceiling", EventsPerSecond: 100},
		{Round: 3, Name: "ceiling", EventsPerSecond: 200},
		{Round: 3, Name: "service", EventsPerSecond: 160},
	}
	if diff := cmp.Diff(Spread{Median: 0.8, Min: 0.5, Max: 0.9}, all.ratio("service", "ceiling")); diff != "" {
		t.Errorf("ratio (-want +got):\n%s", diff)
	}
}

func TestPercentilesAreOfTheNearestRank(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for p, want := range map[int]float64{0: 1, 25: 1, 50: 2, 75: 3, 99: 4, 100: 4} {
		if got := percentile(values, p); got != want {
			t.Errorf("percentile %d: %g, want %g", p, got, want)
		}
	}
}
