package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// oldDatabase is that of the system before this one.
type oldDatabase struct {
	t       *testing.T
	admin   string // its address, as its owner
	reader  string // as somebody who may read it, and no more
	session *pgx.Conn
}

// oldSchema is the old system's, with 200 users who have a token each, half of them
// used.
const oldSchema = `
create table users (id serial primary key, first_name varchar(50) not null, last_name varchar(50) not null,
	joined_at timestamp not null, is_active boolean not null default true);
create table tokens (id serial primary key, user_id integer not null references users, token varchar(6) not null,
	created_at timestamp not null default (now() at time zone 'utc'), used_at timestamp);
insert into users (first_name, last_name, joined_at)
	select 'Ada', 'Berg ' || n, timestamp '2024-01-01' + n * interval '7 hours 0.001 seconds' from generate_series(1, 200) n;
insert into tokens (user_id, token, created_at, used_at)
	select n, '000000', timestamp '2024-03-01' + n * interval '3 hours', case when n % 2 = 0 then timestamp '2024-03-01' + n * interval '3 hours' end
	from generate_series(1, 200) n;
create role reader login;
grant select on users, tokens to reader`

// oldSystem makes an old database on a system's Postgres.
func oldSystem(t *testing.T, s *system) *oldDatabase {
	t.Helper()
	o := &oldDatabase{t: t}
	address, err := url.Parse(s.running().DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	o.admin = address.String()
	o.run(o.connect(), "create database old_system")
	address.Path = "/old_system"
	o.admin = address.String()
	o.session = o.connect()
	o.do(oldSchema)
	address.User = url.User("reader")
	o.reader = address.String()
	return o
}

func (o *oldDatabase) connect() *pgx.Conn {
	o.t.Helper()
	conn, err := pgx.Connect(o.t.Context(), o.admin)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (o *oldDatabase) run(conn *pgx.Conn, sql string) {
	o.t.Helper()
	if _, err := conn.PgConn().Exec(o.t.Context(), sql).ReadAll(); err != nil {
		o.t.Fatal(err)
	}
}

func (o *oldDatabase) do(sql string) { o.t.Helper(); o.run(o.session, sql) }

// write writes from several sessions until it is stopped, as the old system and its
// administrators do. Transactions stay open for a moment, so that they commit in
// another order than that of their ids.
func (o *oldDatabase) write() (stop func()) {
	ctx, cancel := context.WithCancel(o.t.Context())
	var writers sync.WaitGroup
	for seed := range uint64(3) {
		conn := o.connect()
		random := rand.New(rand.NewPCG(seed, 1))
		writers.Go(func() {
			for ctx.Err() == nil {
				user, pause := 1+random.IntN(200), random.Float64()/50
				sql := [...]string{
					fmt.Sprintf("insert into tokens (user_id, token) values (%d, '1'); select pg_sleep(%f)", user, pause),
					fmt.Sprintf("savepoint s; insert into tokens (user_id, token) values (%d, '2'); release s; select pg_sleep(%f)", user, pause),
					fmt.Sprintf("insert into tokens (user_id, token, used_at) values (%d, '3', now() at time zone 'utc'); select pg_sleep(%f); rollback; begin", user, pause),
					"update tokens set used_at = now() at time zone 'utc' where id = (select id from tokens where used_at is null and user_id <= 200 order by id limit 1 for update skip locked)",
					fmt.Sprintf("update users set last_name = 'Sommer' where id = %d", user),
					"insert into users (first_name, last_name, joined_at) values ('Kim', 'Li', now() at time zone 'utc'); insert into tokens (user_id, token) values (currval('users_id_seq'), '4')",
				}[random.IntN(6)]
				if _, err := conn.PgConn().Exec(context.WithoutCancel(ctx), "begin;"+sql+";commit").ReadAll(); err != nil {
					o.t.Errorf("a writer: %v", err)
					return
				}
			}
		})
	}
	return sync.OnceFunc(func() { cancel(); writers.Wait() })
}

// follower is a follower that runs; what it says in the end is in out.
func (s *system) follower(old *oldDatabase, flags ...string) (f *system, out *lines) {
	s.t.Helper()
	f = start(s.t, s.dir, append([]string{"import", "legacy", "--dsn", old.reader, "--follow", "--every", "50ms"}, flags...)...)
	out = &lines{}
	f.cmd.Stdout = out
	f.cmd.Env = append(f.cmd.Env, "NATS_URL="+s.running().NATSURL)
	f.run()
	return f, out
}

// visits is how many tokens the new system counts of a user, 0 if it knows of none.
func (s *system) visits(user int) int {
	var all map[string]struct{ Visits int }
	_ = json.Unmarshal([]byte(get(s.query+"/api/reports/user_visits")), &all) // what is no answer knows of nobody
	return all[fmt.Sprint(user)].Visits
}

// seen issues a token to somebody new, and waits until the new system counts it.
func (s *system) seen(old *oldDatabase, user int) {
	s.t.Helper()
	old.do(fmt.Sprintf(`insert into users values (%d, 'Wei', 'Ito', '2025-01-01'); insert into tokens (user_id, token) values (%[1]d, '5')`, user))
	eventually(s.t, fmt.Sprintf("the token of user %d is counted", user), func() bool { return s.visits(user) == 1 })
}

// compared is what a comparison says, and the code it ends with.
func (s *system) compared(old *oldDatabase, flags ...string) (said string, code int) {
	s.t.Helper()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(s.t.Context(), coworking(s.t), append([]string{"compare", "legacy", "--old-dsn", old.reader, "--new", s.query}, flags...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = environment(), &out, &complaint
	err := cmd.Run()
	if failure, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failure.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	return out.String() + complaint.String(), code
}

func number(t *testing.T, conn *pgx.Conn, sql string) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// The old system is written all the while, by transactions that commit in any order.
// The follower is killed once, and once its session is.
func TestTheOldSystemIsFollowedUntilNobodyUsesIt(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	old := oldSystem(t, s)
	stop := old.write()
	defer stop()

	first, _ := s.follower(old)
	s.seen(old, 1000001)
	// A transaction with smaller ids than others have that are seen long before it is.
	late := old.connect()
	old.run(late, "begin; insert into users values (1000000, 'Late', 'Lo', '2025-01-01'); insert into tokens (user_id, token) values (1000000, '6'); "+
		"update tokens set used_at = '2026-01-01' where id = 199")
	s.seen(old, 1000002)
	first.signal(os.Kill)
	second, out := s.follower(old)
	s.seen(old, 1000003)
	old.run(late, "commit")
	eventually(t, "who commits late is counted", func() bool { return s.visits(1000000) == 1 })

	old.do("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'reader'")
	eventually(t, "it says that its session is gone", func() bool { return strings.Contains(second.said.String(), "trying again in") })
	old.do("delete from tokens where user_id = 1000003") // seen by this follower
	eventually(t, "a token that was deleted is not counted", func() bool { return s.visits(1000003) == 0 })
	old.do("update users set first_name = 'Eva' where id = 1000000")
	stop()

	if said, code := s.compared(old, "--wait", "60s"); code != 0 || strings.Count(said, ": equal, ") != 2 {
		t.Fatalf("ended with %d:\n%s", code, said)
	}
	second.signal(os.Interrupt)
	if second.failure != nil || !strings.Contains(out.String(), "followed for ") || !strings.Contains(out.String(), "\nrefused 0\n") {
		t.Errorf("Ctrl-C: %v\n%s", second.failure, out)
	}
	current, err := pgx.Connect(t.Context(), s.running().DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer current.Close(context.Background())
	if count := number(t, current, "select count(*) from dead_letters"); count > 0 {
		t.Errorf("%d dead letters", count)
	}
	eventually(t, "users are called what they are called last", func() bool { return sameNames(t, old.session, current) })

	old.do("insert into tokens (user_id, token) values (1000000, '7'); update tokens set used_at = null where id = 2")
	want := []string{"  user 1000000 visits: old 2, new 1\n", "daily_usage: 1 different, of ", "  day 2024-03-01: old ", "the old system and the new one differ"}
	said, code := s.compared(old)
	for _, words := range want {
		if code != 1 || !strings.Contains(said, words) {
			t.Errorf("ended with %d, without %q:\n%s", code, words, said)
		}
	}
}

// sameNames says whether both systems call everybody the same.
func sameNames(t *testing.T, old, current *pgx.Conn) bool {
	t.Helper()
	names := func(conn *pgx.Conn, sql string) map[string]string {
		rows, _ := conn.Query(t.Context(), sql) // an error comes with the rows
		all := map[string]string{}
		var id, name string
		if _, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error { all[id] = name; return nil }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before, after := names(old, "select id::text, first_name || ' ' || last_name from users"), names(current, "select member, coalesce(name, '') from members")
	for id, name := range before {
		if after[id] != name {
			return false
		}
	}
	return true
}
