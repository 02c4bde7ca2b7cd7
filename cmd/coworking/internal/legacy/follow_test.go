package legacy

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// followed is an old database, and a follower whose rounds a test decides on.
type followed struct {
	*Follower
	t      *testing.T
	stream *streamtest.Stream
	admin  *pgx.Conn
	server string // as its superuser
	reader string
	seen   int
}

// follow begins to follow the small sample, as a user who may read it and no more.
func follow(t *testing.T) *followed {
	t.Helper()
	s := streamtest.New(t)
	server, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	server.RawQuery += "&search_path=old"
	f := &followed{t: t, stream: s, server: server.String(), reader: "reader_" + strings.TrimPrefix(server.Path, "/"), Follower: &Follower{
		Zone: time.UTC, Space: "main", Every: time.Millisecond, MaxDeleted: 2,
		Publisher: stream.NewPublisher(s.JS, stream.Patience{}), Account: upload.New(nil), Tell: func(Status) {},
	}}
	f.reset()
	f.admin = f.session()
	f.do("create schema old")
	for _, name := range small["scripts with inserts"] {
		script, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		f.do(string(script))
	}
	f.do("create role " + f.reader + " login password 'x'; grant usage on schema old to " + f.reader + "; grant select on users, tokens to " + f.reader)
	server.User = url.UserPassword(f.reader, "x")
	f.Database = pg.URL(server.String())
	t.Cleanup(func() {
		f.disconnect(context.Background())
		_, _ = f.admin.PgConn().Exec(context.Background(), "drop owned by "+f.reader+"; drop role "+f.reader).ReadAll() // its database goes anyway
	})
	return f
}

// session is a connection of somebody who writes.
func (f *followed) session() *pgx.Conn {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.server)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (f *followed) do(sql string) { run(f.t, f.admin, sql) }

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

// version is of a transaction.
var version = regexp.MustCompile(`/\d+$`)

// told is what a round tells, and how many rows it reads.
func (f *followed) told() (ids []string, rows int64) {
	f.t.Helper()
	if err := f.once(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	all := published(f.t, f.stream, f.Account.Stored)
	fresh := all[f.seen:]
	f.seen = len(all)
	for _, line := range fresh {
		fields := strings.Fields(line)
		ids = append(ids, version.ReplaceAllString(fields[1], "/N"))
	}
	return ids, f.status.Rows
}

// Everything that may happen to a row between two rounds.
func TestARoundTellsWhatChanged(t *testing.T) {
	cases := map[string]struct {
		first, then string
		want        []string
	}{
		"nothing":                        {},
		"a user and a token":             {then: "insert into users values (9, 'Kim', 'Li', '2025-01-01', true); insert into tokens values (9, 9, 'x', '2025-01-02')", want: []string{"user/9/active", "token/9/issued"}},
		"a token that was used at once":  {then: "insert into tokens values (9, 1, 'x', '2025-01-02', '2025-01-01')", want: []string{"token/9/issued", "token/9/used"}},
		"an old token that is used":      {then: "update tokens set used_at = '2025-07-01' where id = 2", want: []string{"token/2/used"}},
		"another name":                   {then: "update users set last_name = 'Sommer' where id = 1", want: []string{"user/1/active"}},
		"somebody left":                  {then: "update users set is_active = false where id = 1", want: []string{"user/1/inactive"}},
		"another day of joining":         {then: "update users set joined_at = '2020-01-01' where id = 3", want: []string{"user/3/inactive"}},
		"a row written with the same":    {then: "update users set last_name = last_name; update tokens set used_at = used_at"},
		"a change that was taken back":   {then: "begin; update tokens set used_at = '2025-07-01' where id = 2; rollback"},
		"a user deleted":                 {then: "delete from users where id = 4", want: []string{"user/4/inactive"}},
		"an unused token deleted":        {then: "delete from tokens where id = 2", want: []string{"token/2/issued/voided"}},
		"a used token deleted":           {then: "delete from tokens where id = 1", want: []string{"token/1/issued/voided", "token/1/used/voided"}},
		"one deleted, another new":       {then: "delete from tokens where id = 2; insert into tokens values (9, 1, 'x', '2025-01-02')", want: []string{"token/9/issued", "token/2/issued/voided"}},
		"deleted, and there again":       {first: "delete from tokens where id = 1", then: "insert into tokens values (1, 1, 'x', '2025-01-02', '2025-01-02')", want: []string{"token/1/issued/N", "token/1/used/N"}},
		"a token of another user":        {then: "update tokens set user_id = 2 where id = 1", want: []string{"token/1/issued/voided", "token/1/used/voided", "token/1/issued/N", "token/1/used/N"}},
		"used at another time":           {then: "update tokens set used_at = '2025-07-01' where id = 1", want: []string{"token/1/used/voided", "token/1/used/N"}},
		"not used after all":             {then: "update tokens set used_at = null where id = 1", want: []string{"token/1/used/voided"}},
		"not used after all, then again": {first: "update tokens set used_at = null where id = 1", then: "update tokens set used_at = '2025-07-01' where id = 1", want: []string{"token/1/used/N"}},
		"another id":                     {then: "update tokens set id = 9 where id = 2", want: []string{"token/9/issued", "token/2/issued/voided"}},
		"a time to come":                 {then: "insert into tokens values (9, 1, 'x', now() + interval '1 day')"},
		"a time that came":               {first: "insert into tokens values (9, 1, 'x', now() + interval '1 day')", then: "update tokens set created_at = '2025-01-01' where id = 9", want: []string{"token/9/issued"}},
		"a time to come that went":       {first: "insert into tokens values (9, 1, 'x', now() + interval '1 day')", then: "delete from tokens where id = 9"},
		"a table written anew":           {then: "alter table tokens alter token type text; vacuum full users"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := follow(t)
			f.told()
			if c.first != "" {
				f.do(c.first)
				f.told()
			}
			for _, sql := range strings.SplitAfter(c.then, ";") {
				f.do(sql)
			}
			got, _ := f.told()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if again, _ := f.told(); len(again) > 0 || f.Account.Refused > 0 {
				t.Errorf("and once more %v, refused %d", again, f.Account.Refused)
			}
		})
	}
}

// Ids are given when a transaction writes, and seen when it commits: in any order.
func TestWhoCommitsLateIsNotMissed(t *testing.T) {
	for name, insert := range map[string]string{
		"a transaction":               "insert into tokens values (101, 1, 'x', '2025-01-02')",
		"in a savepoint":              "savepoint s; insert into tokens values (101, 1, 'x', '2025-01-02'); release s",
		"after one that was given up": "savepoint s; insert into tokens values (105, 1, 'x', '2025-01-02'); rollback to s; savepoint s; insert into tokens values (101, 1, 'x', '2025-01-02')",
		"an old token":                "update tokens set used_at = '2025-01-02' where id = 2",
		"a user":                      "update users set first_name = 'Eva' where id = 1",
	} {
		t.Run(name, func(t *testing.T) {
			f := follow(t)
			f.told()
			late := f.session()
			run(t, late, "begin;"+insert)
			for _, id := range []string{"102", "103", "104"} {
				f.do("insert into tokens values (" + id + ", 1, 'x', '2025-01-02')")
				if got, _ := f.told(); cmp.Diff([]string{"token/" + id + "/issued"}, got) != "" {
					t.Fatalf("token %s: %v", id, got)
				}
			}
			run(t, late, "commit")
			if got, _ := f.told(); len(got) != 1 {
				t.Errorf("when the late one was there: %v", got)
			}
		})
	}
}

func TestOnlyWhatChangedIsRead(t *testing.T) {
	f := follow(t)
	if _, rows := f.told(); rows != 8 {
		t.Errorf("%d rows in the first round", rows)
	}
	if _, rows := f.told(); rows != 0 {
		t.Errorf("%d rows of an idle database", rows)
	}
	f.do("update tokens set used_at = '2025-01-01' where id = 2")
	if _, rows := f.told(); rows != 1 {
		t.Errorf("%d rows after one was written", rows)
	}
}

// Times of the old system are told by its clock, which may be ahead of ours.
func TestARowWaitsUntilItsTimeHasCome(t *testing.T) {
	f := follow(t)
	f.told()
	f.do("insert into tokens values (9, 1, 'x', (now() at time zone 'utc') + interval '5 minutes 500 milliseconds')")
	if got, _ := f.told(); len(got) > 0 || f.status.Behind != 1 {
		t.Fatalf("%v, %d behind", got, f.status.Behind)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if got, _ := f.told(); len(got) > 0 {
			if diff := cmp.Diff([]string{"token/9/issued"}, got); diff != "" || f.status.Behind != 0 {
				t.Errorf("%d behind (-want +got):\n%s", f.status.Behind, diff)
			}
			return
		}
	}
	t.Error("its time never came")
}

func TestARowThatIsNoEventIsRefusedOnce(t *testing.T) {
	f := follow(t)
	f.do("insert into tokens values (9, 1, 'x', 'infinity'), (10, 1, 'x', '1960-01-01')")
	for range 3 {
		f.told()
		f.do("update users set last_name = last_name")
	}
	if f.Account.Refused != 1 || len(f.later) != 1 { // an infinite time may yet come
		t.Errorf("%d refused, %d wait", f.Account.Refused, len(f.later))
	}
	if err := f.stopped(); err != nil || f.Account.Refused != 2 {
		t.Errorf("%d refused in the end, %v", f.Account.Refused, err)
	}
}

func TestADatabaseThatIsEmptyAtOnceIsNotBelieved(t *testing.T) {
	f := follow(t)
	f.told()
	f.do("delete from tokens")
	if err := f.once(t.Context()); fault.Of(err) != fault.Invalid || !strings.HasPrefix(err.Error(), "4 rows of tokens are gone") {
		t.Errorf("%v", err)
	}
}

func TestTheSessionCannotWrite(t *testing.T) {
	f := follow(t)
	f.told()
	for _, sql := range []string{"create temp table x ()", "delete from tokens"} {
		if _, err := f.conn.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: was done", sql)
		}
	}
}

// A session that breaks is followed by another, which reads everything.
func TestALostSessionIsReplaced(t *testing.T) {
	f := follow(t)
	ctx, cancel := context.WithCancel(t.Context())
	rounds, away := make(chan int64), make(chan error)
	f.Tell = func(s Status) {
		select {
		case <-ctx.Done():
		default:
			if s.Away != nil {
				away <- s.Away
			} else {
				rounds <- s.Rows
			}
		}
	}
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	if rows := <-rounds; rows != 8 {
		t.Errorf("%d rows", rows)
	}
	f.do("select pg_terminate_backend(pid) from pg_stat_activity where usename = '" + f.reader + "'")
	for broken := false; !broken; {
		select {
		case <-rounds: // one may have been on its way
		case err := <-away:
			broken = true
			if fault.Of(err) != fault.Unavailable || !strings.HasPrefix(err.Error(), "the old database: ") {
				t.Errorf("%v", err)
			}
		}
	}
	f.do("update tokens set used_at = '2025-01-01' where id = 2")
	if rows := <-rounds; rows != 8 {
		t.Errorf("%d rows by a new session", rows)
	}
	cancel()
	for {
		select {
		case <-rounds:
			continue
		case err := <-ended:
			if err != nil || f.Account.Stored != 12 {
				t.Errorf("%d stored, %v", f.Account.Stored, err)
			}
		}
		break
	}
}

// A round that the stream was away for knows nothing, and the next one tells the same.
func TestWhatTheStreamHasNotGotIsToldAgain(t *testing.T) {
	f := follow(t)
	f.told()
	f.do("update tokens set used_at = '2025-01-01' where id = 2; delete from tokens where id = 1")
	f.stream.Stop()
	if err := f.once(t.Context()); fault.Of(err) != fault.Unavailable || !strings.HasPrefix(err.Error(), "the stream: ") {
		t.Fatalf("%v", err)
	}
	if f.Account.Refused > 0 || f.status.Behind != 1 {
		t.Errorf("%d refused, %d behind", f.Account.Refused, f.status.Behind)
	}
	f.stream.Restart()
	f.Publisher = stream.NewPublisher(f.stream.JS, stream.Patience{Outage: time.Minute})
	got, _ := f.told()
	if diff := cmp.Diff([]string{"token/2/used", "token/1/issued/voided", "token/1/used/voided"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
