package table

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
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

func TestNothingThatIsDrawnSteersATerminal(t *testing.T) {
	drawn, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(drawn) == 0 {
		t.Fatalf("%d drawings, %v", len(drawn), err)
	}
	for _, path := range drawn {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if Clean(strings.ReplaceAll(string(text), "\n", "")) != strings.ReplaceAll(string(text), "\n", "") {
			t.Errorf("%s holds what a terminal obeys", path)
		}
	}
}

func TestOddAnswersAreDrawnAllTheSame(t *testing.T) {
	odd := map[string]string{
		"no columns":              `{"data":[{},{}],"totals":{},"meta":{}}`,
		"nothing but rows":        `{"data":[{"a":1}]}`,
		"rows unlike each other":  `{"data":[{"a":1,"b":{"c":1}},{"b":[1,null],"a":"x"},{"d":null},{"b":{"c":2,"e":true}}],"totals":{"b":{"c":3},"z":[{}]}}`,
		"huge and tiny":           `{"data":[{"date":"2026-03-01","n":1e400},{"date":"x","n":-1e-9},{"date":null,"n":123456789012345678901234567890}]}`,
		"only nulls":              `{"data":[{"local":null,"start":null,"n":null}],"meta":{"partial_last":true}}`,
		"a list of everything":    `{"data":[{"histogram":[1,"a",{"k":null},[2]]}]}`,
		"numbered by fractions":   `{"data":[{"periods":[{"k":1.5,"n":1},{"k":-1,"n":null}]},{"periods":[]},{"periods":null}]}`,
		"a week of words":         `{"data":[{"weekday":"mon","hour":"noon","n":1},{"weekday":null,"hour":3,"n":-1}]}`,
		"compared with nothing":   `{"data":[{"date":"2026-03-01","n":1}],"totals":{"n":1},"compare":{"from":"2026-02-28","to":"2026-03-01","totals":{"n":0,"m":1}}}`,
		"compared without change": `{"data":[{"date":"2026-03-01","n":3}],"totals":{"n":3},"compare":{"totals":{"n":2}}}`,
		"a negative share":        `{"data":[{"date":"2026-03-01","n":-3},{"date":"2026-03-02","n":-2}],"totals":{"n":-5}}`,
	}
	for name, body := range odd {
		t.Run(name, func(t *testing.T) {
			answer, err := Parse([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			for _, style := range []Style{{}, {Width: 1}, {Width: 17}, {Width: 80, Rows: true}} {
				var out bytes.Buffer
				if err := Write(&out, answer, style); err != nil || out.Len() == 0 {
					t.Errorf("%+v: %v, %d bytes", style, err, out.Len())
				}
			}
		})
	}
}

func TestWhatIsNoAnswerIsRefused(t *testing.T) {
	for body, want := range map[string]string{
		``:                          "reading an answer: EOF",
		`{"data":[`:                 "reading an answer: EOF",
		`{"data":[]} {}`:            "reading an answer: there is more than one value",
		`[]`:                        "reading an answer: it has no data",
		`{"data":[1]}`:              "reading an answer: a row is no object",
		strings.Repeat(`{"a":`, 99): "reading an answer: it is nested too deep",
	} {
		if _, err := Parse([]byte(body)); err == nil || err.Error() != want {
			t.Errorf("%.20s: %v, want %s", body, err, want)
		}
	}
}

func TestAFigureIsChosenByName(t *testing.T) {
	answer, err := Parse([]byte(`{"data":[{"date":"2026-03-01","seats":40,"peak":3,"peak_at":"2026-03-01T10:00:00Z"},{"date":"2026-03-02","seats":40,"peak":4,"peak_at":null}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s := answer.sheet()
	for asked, want := range map[string]string{"": "peak", "seats": "seats", "se": "seats"} {
		if c, err := s.figure(asked); err != nil || c.name != want {
			t.Errorf("%q: %v, %v", asked, c, err)
		}
	}
	if _, err := s.figure("visits"); err == nil || err.Error() != "--figure visits: the figures of this report are seats, peak" {
		t.Errorf("%v", err)
	}
}

func TestTextIsCutToItsWidth(t *testing.T) {
	cases := map[string]struct {
		text string
		most int
		want string
	}{
		"all of it":               {"berlin", 6, "berlin"},
		"too long":                {"berlin-mitte", 6, "berli…"},
		"signs of two columns":    {"ソウルネ", 6, "ソウ…"},
		"one that does not fit":   {"ソウルネ", 7, "ソウル…"},
		"a family is one sign":    {"👩‍👩‍👧‍👦 family", 4, "👩‍👩‍👧‍👦 …"},
		"an accent by itself":     {"Zoe\u0308 Red", 5, "Zoe\u0308 …"},
		"nothing but the ellipse": {"abc", 1, "…"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := cut(c.text, c.most); got != c.want || width(got) > c.most {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestFiguresAreShownForPeople(t *testing.T) {
	cases := map[string]struct {
		figures []json.Number
		want    []string
	}{
		"whole":                {[]json.Number{"0", "999", "1000", "-1234567"}, []string{"0", "999", "1,000", "-1,234,567"}},
		"larger than any type": {[]json.Number{"123456789012345678901"}, []string{"123,456,789,012,345,678,901"}},
		"shares":               {[]json.Number{"0.384615", "0", "1"}, []string{"0.385", "0.000", "1.000"}},
		"tens":                 {[]json.Number{"12.345", "0.5"}, []string{"12.35", "0.50"}},
		"hours":                {[]json.Number{"7.500", "12345.678"}, []string{"7.5", "12,345.7"}},
		"whole after all":      {[]json.Number{"9.000"}, []string{"9"}},
		"by powers":            {[]json.Number{"1e3"}, []string{"1,000.0"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			decimals := precision(c.figures)
			for i, n := range c.figures {
				if got := shown(n, decimals); got != c.want[i] {
					t.Errorf("%s is %s, want %s", n, got, c.want[i])
				}
			}
		})
	}
}

func TestABarIsAsLongAsItsShare(t *testing.T) {
	for share, want := range map[float64]string{0: "", 0.001: "▌", 0.5: "██▌", 1: "█████", 7: "█████", -1: "", math.NaN(): ""} {
		if got := bar(share, 5); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}

func TestReportsAreListed(t *testing.T) {
	body := []byte(`{"data":[{"name":"busy","doc":"How busy the spaces were, day by day.","personal":false},{"name":"who_is_in","doc":"Who is in.","personal":true}]}`)
	for most, want := range map[int]string{
		0: "busy         How busy the spaces were, day by day.\nwho_is_in *  Who is in.\n\n* names persons: the key must have the scope members:read\n",
		32: "busy         How busy the spaces\n             were, day by day.\nwho_is_in *  Who is in.\n\n" +
			"* names persons: the key must\nhave the scope members:read\n",
	} {
		var out bytes.Buffer
		if err := WriteReports(&out, body, most); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("at %d (-want +got):\n%s", most, diff)
		}
	}
}
