package report_test

import (
	"net/url"
	"testing"
	"time"

	"coworking/pkg/pgtest"
	"coworking/services/query/internal/report"
)

// What moves an answer moves what its version rests on.
func TestAVersionFallsWithWhatItRestsOn(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadWorld(t, pool)
	reader := report.NewReader(pool)
	daily, err := report.Find("daily_usage")
	if err != nil {
		t.Fatal(err)
	}
	asOf := time.Date(2026, time.April, 2, 12, 0, 30, 0, time.UTC)
	stands := func(basis report.Basis, asOf time.Time) bool {
		t.Helper()
		stands, _, err := reader.Stands(t.Context(), basis, asOf)
		if err != nil {
			t.Fatal(err)
		}
		return stands
	}
	if _, err := pool.Exec(t.Context(), "insert into spaces (space) values ('_') on conflict do nothing"); err != nil {
		t.Fatal(err)
	}
	var name string
	if err := pool.QueryRow(t.Context(), "select min(space) from spaces where space <> '_'").Scan(&name); err != nil {
		t.Fatal(err)
	}
	ask := func() report.Basis {
		t.Helper()
		look, err := reader.Look(t.Context(), report.Question{Report: daily, Query: url.Values{"space": {name}}, AsOf: asOf}, report.Likely{})
		if err != nil {
			t.Fatal(err)
		}
		look.Close()
		return look.Basis
	}
	if stands(report.Basis{}, asOf) {
		t.Error("nothing stands")
	}
	for what, change := range map[string]struct {
		sql  string
		asOf time.Time
		want bool
	}{
		"nothing":                   {"select", asOf.Add(20 * time.Second), true},
		"a minute":                  {"select", asOf.Add(40 * time.Second), false},
		"an event of the space":     {"update spaces set version = version + 1 where space = '" + name + "'", asOf, false},
		"an event of another space": {"update spaces set version = version + 1 where space not in ('_', '" + name + "')", asOf, true},
		"what is said of a member":  {"update spaces set version = version + 1 where space = '_'", asOf, false},
		"a space that nobody knew":  {"insert into spaces (space) values ('new')", asOf, false},
		"days that are filed anew":  {"insert into refile (space, day) select id, '2026-04-01' from spaces where space = '" + name + "'; update spaces set version = version + 1 where space = '" + name + "'", asOf, false},
	} {
		basis := ask()
		if _, err := pool.Exec(t.Context(), change.sql); err != nil {
			t.Fatal(err)
		}
		if got := stands(basis, change.asOf); got != change.want {
			t.Errorf("after %s it stands: %t", what, got)
		}
		if _, err := pool.Exec(t.Context(), "delete from refile"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pool.Exec(t.Context(), "insert into refile (space, day) select id, '2026-04-01' from spaces where space = '"+name+"'"); err != nil {
		t.Fatal(err)
	}
	if stands(ask(), asOf) {
		t.Error("a version stands while days are filed anew")
	}
	if _, err := pool.Exec(t.Context(), "delete from refile"); err != nil {
		t.Fatal(err)
	}
	before := ask()
	if _, err := pool.Exec(t.Context(), "delete from spaces where space = '"+name+"'"); err != nil {
		t.Fatal(err)
	}
	if stands(before, asOf) {
		t.Error("a version stands without its space")
	}
}
