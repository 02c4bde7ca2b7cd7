package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWorldIsTheSameEachTimeAndCanBeStored(t *testing.T) {
	const n = 10_000
	first, err := world(n)
	if err != nil {
		t.Fatal(err)
	}
	second, err := world(n)
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

func TestResultsReplaceTheTableAndNothingElse(t *testing.T) {
	folder := t.TempDir()
	readme, figures := filepath.Join(folder, "README.md"), filepath.Join(folder, "results.json")
	document := "before\n" + tableBegins + "old\n" + tableEnds + "after\n"
	if err := os.WriteFile(readme, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	results := Results{
		Measured: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Machine: "m", Go: "go1.26", Events: 10, Batch: 5,
		Postgres: map[string]string{"server_version": "15"},
		Runs: []Run{
			{Round: 1, Name: "ceiling", EventsPerSecond: 100},
			{Round: 1, Name: "service", EventsPerSecond: 90},
			{Round: 2, Name: "service", EventsPerSecond: 50},
			{Round: 2, Name: "ceiling", EventsPerSecond: 100},
			{Round: 3, Name: "ceiling", EventsPerSecond: 200},
			{Round: 3, Name: "service", EventsPerSecond: 160},
		},
	}
	results.compare()
	if diff := cmp.Diff(Spread{Median: 0.8, Min: 0.5, Max: 0.9}, results.Ratio); diff != "" {
		t.Errorf("ratio (-want +got):\n%s", diff)
	}
	var out strings.Builder
	if err := results.write(&out, figures, readme); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("before\n"+tableBegins+out.String()+tableEnds+"after\n", string(got)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if !strings.Contains(out.String(), "**0.80** (0.50 – 0.90)") {
		t.Errorf("the table does not give the ratio:\n%s", out.String())
	}
}
