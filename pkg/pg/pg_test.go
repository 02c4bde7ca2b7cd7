package pg_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
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

func TestAnAnswerThatNobodyExpectedIsOurFault(t *testing.T) {
	pool := pgtest.New(t)
	var number int
	for name, sql := range map[string]string{
		"no row where one was expected":    "select 1 where false",
		"a word where a number should be":  "select 'word'",
		"nothing where a number should be": "select null::int",
	} {
		t.Run(name, func(t *testing.T) {
			err := pool.QueryRow(t.Context(), sql).Scan(&number)
			if got := fault.Of(pg.Classify(err)); got != fault.Internal {
				t.Errorf("%v is %s", err, got)
			}
		})
	}
}

// What never left this process is not the database's silence: who waits for that to pass
// would wait for ever.
func TestWhatCannotBeSentIsNotSilence(t *testing.T) {
	pool := pgtest.New(t)
	for name, c := range map[string]struct {
		sql  string
		args []any
		want fault.Kind
	}{
		"a number that is too large":            {"select $1::int4", []any{int64(1) << 40}, fault.Invalid},
		"one of many":                           {"select $1::int4[]", []any{[]int64{1, 1 << 40}}, fault.Invalid},
		"a value of a type that nobody knows":   {"select $1::int4", []any{struct{ X chan int }{}}, fault.Internal},
		"too few values":                        {"select $1::int4", nil, fault.Internal},
		"a value that the statement lacks":      {"select @n::int4", []any{pgx.StrictNamedArgs{"n": 1, "m": 2}}, fault.Internal},
		"a value that only the statement knows": {"select @n::int4", []any{pgx.StrictNamedArgs{}}, fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			_, alone := pool.Exec(t.Context(), c.sql, c.args...)
			var batch pgx.Batch
			batch.Queue("select 1")
			batch.Queue(c.sql, c.args...)
			together := pool.SendBatch(t.Context(), &batch).Close()
			for _, err := range []error{alone, together} {
				if got := fault.Of(pg.Classify(err)); got != c.want {
					t.Errorf("%v is %s, want %s", err, got, c.want)
				}
			}
		})
	}
}

func TestAnAddressPrintsWithoutItsPassword(t *testing.T) {
	for name, c := range map[string]struct{ url, want string }{
		"a password":                  {"postgres://ada:topsecret@db:5432/x", "postgres://ada:…@db:5432/x"},
		"none":                        {"postgresql://ada@db/x", "postgresql://ada@db/x"},
		"one among the parameters":    {"postgres://ada@db/x?password=topsecret&sslmode=require", "postgres://ada@db/x?password=…&sslmode=require"},
		"one of a key":                {"postgres://db/x?sslpassword=topsecret", "postgres://db/x?sslpassword=…"},
		"several hosts":               {"postgres://ada:topsecret@one:1,two:2/x", "postgres://ada:…@one:1,two:2/x"},
		"a password with a # in it":   {"postgres://ada:top#secret@db/x", "…"},
		"libpq's other form":          {"host=db user=ada password=topsecret", "…"},
		"no address at all":           {"topsecret", "…"},
		"nothing, which is no secret": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			u := pg.URL(c.url)
			if diff := cmp.Diff(c.want, u.String()); diff != "" {
				t.Error(diff)
			}
			quoted, err := json.Marshal(struct{ Database pg.URL }{u})
			if text := fmt.Sprintf("%v %+v %#v %s %q %x %s", u, u, u, u, u, u, quoted); err != nil || strings.Contains(text, "secret") {
				t.Errorf("it prints as %s, %v", text, err)
			}
		})
	}
}

func TestAnAddressIsReadOrRefused(t *testing.T) {
	const refusal = "not a Postgres address; it looks like postgres://user:password@host:5432/database"
	for name, c := range map[string]struct{ text, want string }{
		"a host":                   {"postgres://ada:topsecret@db:5432/x", ""},
		"a socket":                 {"postgresql:///x?host=/run/postgresql", ""},
		"two hosts":                {"postgres://ada@one:1,two:2/x?target_session_attrs=read-write", ""},
		"nothing":                  {"", refusal},
		"another kind of database": {"mysql://ada:topsecret@db/x", refusal},
		"libpq's other form":       {"host=db user=ada password=topsecret", refusal},
		"a port that is none":      {"postgres://ada:topsecret@db:notaport/x", refusal},
		"an sslmode that is none":  {"postgres://ada:topsecret@db/x?sslmode=maybe", refusal},
		"a certificate not there":  {"postgres://ada:topsecret@db/x?sslmode=verify-full&sslrootcert=/nowhere", refusal},
	} {
		t.Run(name, func(t *testing.T) {
			var flag pg.URL
			got, err := "", flag.UnmarshalText([]byte(c.text))
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if err == nil && string(flag) != c.text {
				t.Errorf("%q became %q", c.text, string(flag))
			}
		})
	}
}

func TestAPoolSetsWhatItsPromiseRestsOn(t *testing.T) {
	names := []string{
		"application_name", "timezone", "statement_timeout", "idle_in_transaction_session_timeout",
		"synchronous_commit", "plan_cache_mode", "enable_seqscan", "jit", "enable_hashjoin", "enable_mergejoin",
	}
	url := pgtest.URL(t)
	for name, c := range map[string]struct {
		options pg.Options
		want    []string
	}{
		"a writer": {
			pg.Options{Name: "w", MaxConns: 2, Writer: true, StatementTimeout: 1500 * time.Millisecond},
			[]string{"w", "UTC", "1500ms", "1min", "on", "force_generic_plan", "off", "off", "off", "off"},
		},
		"a reader": {
			pg.Options{Name: "r", MaxConns: 2},
			[]string{"r", "UTC", "0", "1min", "on", "force_generic_plan", "on", "off", "on", "on"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			// Whatever the server's default and the address say.
			pool, err := pg.Open(t.Context(), pg.URL(url+"&enable_mergejoin=on&timezone=Asia/Kathmandu"), c.options)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			for connection := range 2 {
				conn, err := pool.Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Release()
				rows, err := conn.Query(t.Context(), "select current_setting(name) from unnest($1::text[]) with ordinality as asked (name, n) order by n", names)
				if err != nil {
					t.Fatal(err)
				}
				got, err := pgx.CollectRows(rows, pgx.RowTo[string])
				if err != nil {
					t.Fatal(err)
				}
				if name == "a reader" && got[4] == "off" {
					got[4] = "on" // a server for tests may have either: a reader promises nothing
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("connection %d:\n%s", connection, diff)
				}
			}
		})
	}
}

func TestAServerThatKeepsLessIsSaid(t *testing.T) {
	url := pgtest.URL(t)
	for name, c := range map[string]struct {
		commit string
		weak   bool
	}{
		"it answers before the disk has it":       {"off", true},
		"it answers once the disk has it":         {"on", false},
		"it answers once another server shows it": {"remote_apply", false},
		"it does not wait for the other server":   {"local", true},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), url+"&synchronous_commit="+c.commit)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			weak, err := pg.CheckDurability(t.Context(), conn)
			said := slices.Contains(weak, "the database's synchronous_commit is "+c.commit+": what was acknowledged may not survive a crash")
			if err != nil || said != c.weak {
				t.Errorf("%q, %v", weak, err)
			}
		})
	}
}
