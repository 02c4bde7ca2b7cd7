package pg_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestClassifySortsWhatCanGoWrong(t *testing.T) {
	for name, c := range map[string]struct {
		state string
		want  fault.Kind
		again bool
	}{
		"two writers that cannot be put in an order": {"40001", fault.Unavailable, true},
		"a deadlock":                     {"40P01", fault.Unavailable, true},
		"a lock that was not free":       {"55P03", fault.Unavailable, true},
		"somebody was first with a key":  {"23505", fault.Invalid, true},
		"a shutdown":                     {"57P01", fault.Unavailable, false},
		"a server that starts":           {"57P03", fault.Unavailable, false},
		"a statement that took too long": {"57014", fault.Unavailable, false},
		"a connection that broke":        {"08006", fault.Unavailable, false},
		"too many connections":           {"53300", fault.Unavailable, false},
		"a full disk":                    {"53100", fault.Unavailable, false},
		"a disk that cannot be read":     {"58030", fault.Unavailable, false},
		"a server that only reads":       {"25006", fault.Unavailable, false},
		"a text that cannot be stored":   {"22021", fault.Invalid, false},
		"a broken constraint":            {"23514", fault.Invalid, false},
		"a table that is not there":      {"42P01", fault.Internal, false},
		"a password that is wrong":       {"28P01", fault.Internal, false},
		"a database that is not there":   {"3D000", fault.Internal, false},
		"a state that nobody thought of": {"XX000", fault.Internal, false},
	} {
		t.Run(name, func(t *testing.T) {
			refused := fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: c.state, Message: "no"})
			err := pg.Classify(refused)
			if diff := cmp.Diff([]any{c.want, c.again, c.state}, []any{fault.Of(err), pg.Retryable(err), pg.SQLState(err)}); diff != "" {
				t.Error(diff)
			}
			if twice := pg.Classify(err); !errors.Is(err, refused) || twice.Error() != err.Error() {
				t.Errorf("the cause is lost, or it is classified twice: %v", twice)
			}
		})
	}
}

func TestClassifyOfWhatTheServerReallySays(t *testing.T) {
	pool := pgtest.New(t)
	for name, c := range map[string]struct {
		sql  string
		want fault.Kind
	}{
		"no such table":       {"select * from nothing", fault.Internal},
		"a NUL in a text":     {"select E'\\x00'::text", fault.Invalid},
		"a taken key":         {"insert into names (name) values ('a'), ('a')", fault.Invalid},
		"not a number":        {"select 'x'::int", fault.Invalid},
		"a session that ends": {"select pg_terminate_backend(pg_backend_pid())", fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pool.Exec(t.Context(), c.sql)
			if got := fault.Of(pg.Classify(err)); got != c.want {
				t.Errorf("%v is %s, not %s", err, got, c.want)
			}
		})
	}
}

func TestNoAnswerIsUnavailable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	pool, err := pg.Open(t.Context(), pg.URL("postgres://ada:topsecret@"+address+"/x"), pg.Options{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	_, err = pool.Exec(t.Context(), "select 1")
	if got := fault.Of(pg.Classify(err)); got != fault.Unavailable {
		t.Errorf("%v is %s", err, got)
	}
	if strings.Contains(err.Error(), "topsecret") {
		t.Errorf("the error tells the password: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := fault.Of(pg.Classify(ctx.Err())); got != fault.Unavailable {
		t.Errorf("a cancelled context is %s", got)
	}
}

func TestAnAddressPrintsWithoutItsPassword(t *testing.T) {
	u := pg.URL("postgres://ada:topsecret@db:5432/x?password=other")
	for _, text := range []string{u.String(), fmt.Sprint(u), fmt.Sprintf("%v %+v %#v %s %q", u, u, u, u, u)} {
		if strings.Contains(text, "topsecret") || strings.Contains(text, "other") {
			t.Errorf("it prints as %s", text)
		}
	}
	if !strings.Contains(u.String(), "ada") || !strings.Contains(u.String(), "db:5432/x") {
		t.Errorf("nobody can tell which database %s is", u)
	}
	var flag pg.URL
	if err := flag.UnmarshalText([]byte("postgres://ada:topsecret@db:notaport/x")); err == nil || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("a bad address: %v", err)
	}
}

func TestAWriterSetsWhatItsPromiseRestsOn(t *testing.T) {
	url := pgtest.URL(t)
	for name, c := range map[string]struct {
		options pg.Options
		want    []string
	}{
		"a writer": {pg.Options{Name: "w", Writer: true, StatementTimeout: 1500 * time.Millisecond}, []string{"on", "w", "UTC", "1500ms"}},
		"a reader": {pg.Options{Name: "r"}, []string{"off", "r", "UTC", "0"}}, // as the test's server has it
	} {
		t.Run(name, func(t *testing.T) {
			pool, err := pg.Open(t.Context(), pg.URL(url), c.options)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			var got []string
			for _, setting := range []string{"synchronous_commit", "application_name", "timezone", "statement_timeout"} {
				var value string
				if err := pool.QueryRow(t.Context(), "select current_setting($1)", setting).Scan(&value); err != nil {
					t.Fatal(err)
				}
				got = append(got, value)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAServerThatKeepsLessIsSaid(t *testing.T) {
	weak, err := pg.CheckDurability(t.Context(), pgtest.New(t)) // the tests' server syncs nothing
	if err != nil || len(weak) != 3 {
		t.Errorf("%q, %v", weak, err)
	}
}
