package pg_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// What a real server says when it is made to fail, not what we think it says.
func TestClassifyOfWhatTheServerReallySays(t *testing.T) {
	type verdict struct {
		State string
		Kind  fault.Kind
		Again bool
	}
	for name, c := range map[string]struct {
		fail func(first, second session) error
		want verdict
	}{
		"no such table":                       {one("select n from nothing"), verdict{"42P01", fault.Internal, false}},
		"a statement that is none":            {one("selekt"), verdict{"42601", fault.Internal, false}},
		"a NUL in a text":                     {one(`select E'\x00'::text`), verdict{"22021", fault.Invalid, false}},
		"not a number":                        {one("select 'x'::int"), verdict{"22P02", fault.Invalid, false}},
		"a number that is too large":          {one("select 99999999999::int"), verdict{"22003", fault.Invalid, false}},
		"a day that does not exist":           {one("select '2026-02-30'::date"), verdict{"22008", fault.Invalid, false}},
		"a taken key":                         {one("insert into names (name) values ('a'), ('a')"), verdict{"23505", fault.Invalid, true}},
		"nothing where something is required": {one("insert into names (name) values (null)"), verdict{"23502", fault.Invalid, false}},
		"a check that fails":                  {one("insert into t (n) values (-1)"), verdict{"23514", fault.Invalid, false}},
		"a statement that took too long":      {one("set statement_timeout = 1; select pg_sleep(10)"), verdict{"57014", fault.Unavailable, false}},
		"a transaction that may only read":    {one("begin read only; insert into t (n) values (1)"), verdict{"25006", fault.Unavailable, false}},
		"a session that is ended":             {one("select pg_terminate_backend(pg_backend_pid())"), verdict{"57P01", fault.Unavailable, false}},
		"a lock that is not free":             {lockedOut, verdict{"55P03", fault.Unavailable, true}},
		"two that wait for each other":        {deadlock, verdict{"40P01", fault.Unavailable, true}},
		"two that cannot be put in an order":  {conflict, verdict{"40001", fault.Unavailable, true}},
		"a role that does not exist":          {nobody, verdict{"28000", fault.Internal, false}},
		"a database that does not exist":      {nowhere, verdict{"3D000", fault.Internal, false}},
		"a role with no connection left":      {crowded, verdict{"53300", fault.Unavailable, false}},
	} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.URL(t)
			first, second := connect(t, url), connect(t, url)
			first.do("create table t (n int check (n >= 0)); insert into t values (1), (2)")
			err := c.fail(first, second)
			got := verdict{pg.SQLState(err), fault.Of(pg.Classify(err)), pg.Retryable(err)}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// session is a connection whose statements are expected to succeed.
type session struct {
	*pgx.Conn
	t *testing.T
}

func connect(t *testing.T, url string) session {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // some of them are dead by then
	return session{conn, t}
}

func (s session) do(sql string) {
	s.t.Helper()
	if err := s.try(sql); err != nil {
		s.t.Fatal(err)
	}
}

// try runs statements that are separated by ; and gives the first error.
func (s session) try(sql string) error {
	_, err := s.PgConn().Exec(context.Background(), sql).ReadAll() // also once the test is over
	return err
}

func one(sql string) func(first, second session) error {
	return func(s, _ session) error { return s.try(sql) }
}

func lockedOut(first, second session) error {
	first.do("begin; lock table t")
	return second.try("set lock_timeout = 1; select n from t")
}

func deadlock(first, second session) error {
	first.do("begin; update t set n = 10 where n = 1")
	second.do("begin; update t set n = 20 where n = 2")
	waiting := make(chan error, 1)
	go func() { waiting <- second.try("update t set n = 21 where n = 1") }()
	err := first.try("update t set n = 12 where n = 2")
	first.do("rollback")
	return errors.Join(err, <-waiting) // whoever looked first lost, the other one went on
}

func conflict(first, second session) error {
	first.do("begin isolation level repeatable read; select n from t")
	second.do("update t set n = 5 where n = 1")
	return first.try("update t set n = 6 where n = 1")
}

func nobody(first, _ session) error { return knock(first, "nobody_such", "") }

func nowhere(first, _ session) error {
	return knock(first, first.Config().User, "nowhere_such")
}

func crowded(first, _ session) error {
	role := first.Config().Database + "_crowded" // roles belong to the server, not to the test's database
	first.do("create role " + role + " login connection limit 0")
	defer first.do("drop role " + role)
	return knock(first, role, "")
}

// knock connects as somebody, to the same database if none is named.
func knock(s session, user, database string) error {
	config := s.Config()
	config.User = user
	if database != "" {
		config.Database = database
	}
	conn, err := pgx.ConnectConfig(s.t.Context(), config)
	if err == nil {
		_ = conn.Close(s.t.Context())
		return fmt.Errorf("%s could connect to %s", user, config.Database)
	}
	return err
}
