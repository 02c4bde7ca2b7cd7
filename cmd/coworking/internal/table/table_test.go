package table

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is drawn to testdata")

func TestAnAnswerIsDrawnByItsShape(t *testing.T) {
	cases := map[string]struct {
		answer string // the file in testdata
		style  Style
	}{
		"days_at_80":            {"days", Style{Width: 80}},
		"days_at_120":           {"days", Style{Width: 120}},
		"days_as_wide_as_it_is": {"days", Style{}},
		"days_by_another":       {"days", Style{Width: 120, Figure: "unique"}},
		"peaks":                 {"peaks", Style{Width: 100}},
		"compared":              {"compared", Style{Width: 120}},
		"compared_narrow":       {"compared", Style{Width: 40}},
		"repeated_hour":         {"repeated_hour", Style{Width: 100, Rows: true}},
		"week":                  {"week", Style{Width: 80}},
		"week_narrow":           {"week", Style{Width: 32}},
		"hours":                 {"hours", Style{Width: 100, Figure: "avg_occupancy"}},
		"hours_row_by_row":      {"hours", Style{Width: 80, Rows: true}},
		"quarters_of_an_hour":   {"repeated_hour", Style{Width: 120}},
		"cohorts":               {"cohorts", Style{Width: 80}},
		"histogram":             {"histogram", Style{Width: 100}},
		"members":               {"members", Style{Width: 100}},
		"counts":                {"counts", Style{Width: 80}},
		"nothing":               {"nothing", Style{Width: 80}},
		"side_by_side":          {"side_by_side", Style{Width: 80}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("testdata", c.answer+".json"))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := Write(&out, answer, c.style); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", out.Bytes())
			for line := range strings.Lines(out.String()) {
				if line = strings.TrimSuffix(line, "\n"); c.style.Width > 0 && width(line) > c.style.Width {
					t.Errorf("%d columns: %s", width(line), line)
				}
			}
		})
	}
}

// golden compares with a file, or rewrites it where -update is given.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
