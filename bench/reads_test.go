package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"coworking/pkg/fault"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

func TestTokensAreTheSameInPieces(t *testing.T) {
	const n = 1000
	whole := tokens(0, n, n)
	pieces := slices.Concat(tokens(0, 300, n), tokens(300, 700, n), tokens(700, n, n))
	if diff := cmp.Diff(whole, pieces, cmp.AllowUnexported(issued{})); diff != "" {
		t.Fatalf("(-whole +pieces):\n%s", diff)
	}
	if first, last := whole[0].created, whole[n-1].created; first.Before(tokenEnd.AddDate(0, 0, -tokenDays)) || !last.Before(tokenEnd) || last.Before(tokenEnd.AddDate(0, 0, -1)) {
		t.Errorf("from %v to %v", first, last)
	}
}

func TestAWorldKnowsWhatItIsCompleteOf(t *testing.T) {
	said := map[string]int{}
	for _, size := range []int{10, 2000, 20_000, 2000} {
		mark, err := completeness(size)
		if err != nil {
			t.Fatal(err)
		}
		said[mark] = size
	}
	if len(said) != 3 {
		t.Errorf("worlds of three sizes say %v", said)
	}
}

func TestADatabaseSaysWhatItIsOnceItWasSaid(t *testing.T) {
	db := connect(t, pgtest.Empty(t))
	name := db.Config().Database
	var got []string
	ask := func(database string) {
		said, err := mark(t.Context(), db, database)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, said)
	}
	ask("nowhere")
	ask(name)
	if err := setMark(t.Context(), db, name, "complete: 10"); err != nil {
		t.Fatal(err)
	}
	ask(name)
	if diff := cmp.Diff([]string{"", "", "complete: 10"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(t.Context()) })
	return db
}

// An event moves what a report's memory is checked by, and after every second one the
// old reports are what they were.
func TestAnEventMovesVersionsAndIsUndoneByTheNext(t *testing.T) {
	db := connect(t, pgtest.URL(t))
	for _, statement := range []string{
		"insert into spaces (space) values ('space-00'), ('space-01')",
		"insert into space_day (space, day) select id, '2026-01-28' from spaces where space = 'space-00'",
		"insert into legacy_usage values ('2026-01-28 16:45', 7), ('2026-01-29 08:00', 2)",
		"insert into legacy_visits values (1, 3), (2, 4)",
	} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	h := &history{db: db}
	var got []string
	for range 3 {
		var state string
		err := db.QueryRow(t.Context(), `select concat_ws(' ', (select string_agg(version::text, ' ' order by space) from spaces),
			(select version from space_day), (select string_agg(used::text, ' ' order by slot) from legacy_usage),
			(select string_agg(visits::text, ' ' order by member) from legacy_visits))`).Scan(&state)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, state)
		if err := h.touch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"0 0 0 7 2 3 4", "1 0 1 6 2 3 5", "2 0 2 7 2 3 4"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALineSaysHowLongAnAnswerIs(t *testing.T) {
	cases := map[string]struct {
		answer func(w http.ResponseWriter)
		want   []int
		fault  fault.Kind
	}{
		"whose length is said": {
			func(w http.ResponseWriter) { _, _ = w.Write([]byte("12345")) }, []int{5, 5}, fault.None,
		},
		"that comes in chunks": {
			func(w http.ResponseWriter) {
				_, _ = w.Write([]byte(strings.Repeat("1234567890", 2)))
				_ = http.NewResponseController(w).Flush()
				_, _ = w.Write([]byte(strings.Repeat("1234567890", 20_000)))
			}, []int{200_020, 200_020}, fault.None,
		},
		"that has nothing in it": {func(http.ResponseWriter) {}, []int{0, 0}, fault.None},
		"that takes too long":    {func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }, nil, fault.Unavailable},
		"that is none":           {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, nil, fault.Internal},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			connections := map[string]bool{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				connections[r.RemoteAddr+r.RequestURI] = true
				c.answer(w)
			}))
			defer server.Close()
			line, err := call(t.Context(), server.URL+"/path?with=query")
			if err != nil {
				t.Fatal(err)
			}
			defer line.close()
			var got []int
			for range 2 {
				var n int
				if n, err = line.ask(); err != nil {
					break
				}
				got = append(got, n)
			}
			if fault.Of(err) != c.fault {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if address := line.conn.LocalAddr().String() + "/path?with=query"; len(connections) != 1 || !connections[address] {
				t.Errorf("asked over %v, want %s", connections, address)
			}
		})
	}
}

func TestOnlySomeReportsAreAskedForByName(t *testing.T) {
	all := []question{{name: "old daily_usage"}, {name: "daily_usage"}, {name: "spaces"}}
	cases := map[string]struct {
		names []string
		want  []question
		fault fault.Kind
	}{
		"no name is every report":  {nil, all, fault.None},
		"two of them":              {[]string{"spaces", "old daily_usage"}, []question{all[2], all[0]}, fault.None},
		"one that is not a report": {[]string{"spaces", "weather"}, nil, fault.Invalid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := wanted(all, c.names)
			if fault.Of(err) != c.fault {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(question{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFillingForNobodyIsRefused(t *testing.T) {
	if err := (&readsCmd{FillOnly: true}).Run(t.Context(), nil, nil); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}

func TestTheOldQueryIsAskedLessOftenWhereItIsSlow(t *testing.T) {
	for name, c := range map[string]struct {
		took []float64
		want bool
	}{
		"not yet asked":         {nil, false},
		"twice":                 {[]float64{2000, 2000}, false},
		"thrice, and slow":      {[]float64{900, 2000, 1100}, true},
		"thrice, and quick":     {[]float64{90, 2000, 110}, false},
		"five times, and quick": {[]float64{9, 9, 9, 9, 9}, true},
	} {
		if got := enough(c.took); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReadingsAreComparedRoundByRound(t *testing.T) {
	small := &turns{history: &history{tokens: 10}, changed: []float64{1, 2, 4}, changes: []float64{1, 2, 4}, again: []float64{1}, middles: []float64{1, 1, 1}}
	large := &turns{
		history: &history{tokens: 100}, question: question{name: "daily_usage"}, bytes: 3, asked: 9,
		changed: []float64{2, 2, 16}, changes: []float64{2, 2, 16}, again: []float64{1, 2, 3, 4}, middles: []float64{1, 2, 4}, queried: []float64{20, 40},
	}
	want := reading{
		Tokens: 100, Name: "daily_usage", Bytes: 3, First: 9,
		Changed: Spread{2, 2, 16}, Again: Spread{3, 1, 4}, Old: Spread{40, 20, 40},
		Growth: Spread{2, 1, 4}, OldByChanged: Spread{20, 10, 20}, OldByAgain: Spread{20, 20, 20},
	}
	if diff := cmp.Diff(want, large.reading(small)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	small.refused = true
	if diff := cmp.Diff(reading{Tokens: 10, Refused: true}, small.reading(small)); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if got := ratios(nil, []float64{1}); got != (Spread{}) {
		t.Errorf("the ratio of nothing is %v", got)
	}
}
