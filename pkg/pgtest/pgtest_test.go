package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"coworking/pkg/devpg"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

func TestATestsDatabaseIsItsOwn(t *testing.T) {
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			one, other := New(t), New(t)
			if _, err := one.Exec(t.Context(), "insert into names (name) values ('door')"); err != nil {
				t.Fatal(err)
			}
			var n int
			if err := other.QueryRow(t.Context(), "select count(*) from names").Scan(&n); err != nil || n != 0 {
				t.Errorf("the other database has %d names, error %v", n, err)
			}
		})
	}
}

// databases is every database of a server, and what is said of each.
func databases(t *testing.T, address string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `
		select datname || case when datistemplate and not datallowconn then ', a template' else '' end
		from pg_database where datname not in ('postgres', 'template0', 'template1') order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestProcessesShareAServer(t *testing.T) {
	shared, err := devpg.Start(t.Context(), devpg.Config{Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Stop()
	template, err := templateName()
	if err != nil {
		t.Fatal(err)
	}
	// One that somebody left half-made.
	conn, err := pgx.Connect(t.Context(), shared.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "create database "+template); err != nil {
		t.Fatal(err)
	}
	var processes errgroup.Group
	for range 4 {
		processes.Go(func() error {
			process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestATestsDatabaseIsItsOwn$")
			process.Env = append(os.Environ(), "PGTEST_URL="+shared.URL("postgres"))
			if out, err := process.CombinedOutput(); err != nil {
				return fmt.Errorf("%w\n%s", err, out)
			}
			return nil
		})
	}
	if err := processes.Wait(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{template + ", a template"}, databases(t, shared.URL("postgres"))); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
}

// ended is a test that is over, one way or the other.
type ended struct {
	testing.TB
	failed bool
	log    []string
	after  []func()
}

func (e *ended) Failed() bool               { return e.failed }
func (e *ended) Cleanup(f func())           { e.after = append(e.after, f) }
func (e *ended) Log(words ...any)           { e.log = append(e.log, fmt.Sprint(words...)) }
func (e *ended) Logf(text string, a ...any) { e.Log(fmt.Sprintf(text, a...)) }

func TestADatabaseIsKeptForWhoWantsToLookIntoIt(t *testing.T) {
	s := shared(t)
	for name, c := range map[string]struct {
		failed, stays bool
		kept          bool
		log           string
	}{
		"a test that passed":                        {},
		"a test that passed on a server that stays": {stays: true},
		"a test that failed":                        {failed: true, log: "goes with its server"},
		"a test that failed on a server that stays": {failed: true, stays: true, kept: true, log: "is kept: "},
	} {
		t.Run(name, func(t *testing.T) {
			test := &ended{TB: t, failed: c.failed}
			url := (&server{address: s.address, stays: c.stays}).create(test, "template0")
			for _, f := range test.after {
				f()
			}
			_, database, _ := strings.Cut(url, "/test_")
			database, _, _ = strings.Cut("test_"+database, "?")
			kept := false
			for _, name := range databases(t, s.address) {
				kept = kept || name == database
			}
			said := strings.Join(test.log, "\n")
			if kept != c.kept || (c.log == "") != (said == "") || !strings.Contains(said, c.log) || kept && !strings.Contains(said, database) {
				t.Errorf("kept: %v, and it says %q", kept, said)
			}
		})
	}
}
