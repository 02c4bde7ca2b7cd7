package legacy

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/pgtest"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
)

func TestMain(m *testing.M) { pgtest.VerifyTestMain(m) }

// small is the sample of this package: three scripts, or the dump of the same.
var small = map[string][]string{
	"scripts with inserts": {"1_schema.sql", "2_users.sql", "3_tokens.sql"},
	"a dump with rows":     {"pg_dump.sql"},
}

// loaded is a database with dumps in it.
func loaded(t *testing.T, files ...string) *Scratch {
	t.Helper()
	scratch := scratch(t)
	for _, name := range files {
		file, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := scratch.Load(t.Context(), name, file); err != nil {
			t.Fatal(err)
		}
	}
	return scratch
}

func scratch(t *testing.T) *Scratch {
	t.Helper()
	scratch, err := NewScratch(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scratch.Close)
	return scratch
}

// imported is what an import published: an event a line.
func imported(t *testing.T, from *Scratch, zone string, users *time.Time) ([]string, *upload.Upload) {
	t.Helper()
	location, err := calendar.LoadZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := Read(t.Context(), from.URL(), location)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(t.Context())
	s := streamtest.New(t)
	account := upload.New(stream.NewPublisher(s.JS, stream.Patience{}))
	job := Import{
		Space: "main", UsersAsOf: users, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Account: account,
		Tell: func(int64) {},
	}
	if err := job.Run(t.Context(), reader); err != nil {
		t.Fatal(err)
	}
	return published(t, s, account.Stored), account
}

// published is the events of the stream, in words.
func published(t *testing.T, s *streamtest.Stream, count int) []string {
	t.Helper()
	consumer, err := s.JS.OrderedConsumer(t.Context(), stream.Name, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for range count {
		message, err := consumer.Next()
		if err != nil {
			t.Fatal(err)
		}
		subject, err := stream.ParseSubject(message.Subject())
		if err != nil {
			t.Fatal(err)
		}
		e, err := event.Decode(message.Data(), event.Options{Strict: true, SubjectSpace: subject.Space, SubjectKind: subject.Kind})
		if err != nil {
			t.Fatal(err)
		}
		if message.Headers().Get("Nats-Msg-Id") != "" {
			t.Error("an import has no use for Nats-Msg-Id")
		}
		id := e.ID
		if e.Kind == event.MemberUpserted { // its end is a hash
			id = id[:strings.LastIndex(id, "/")]
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s %q %s", e.Source, id, e.Time.Format(time.RFC3339Nano), e.Space, e.Member, e.EncodeData(nil)))
	}
	return lines
}

// The traps of real data: used before issued, repeated strings, microseconds,
// names with anything in them, users without tokens.
func TestEachRowBecomesItsEvents(t *testing.T) {
	want := []string{
		`legacy user/1/active 2024-02-03T22:55:26Z _ "1" {"joined_at":"2024-02-03T22:55:26Z","active":true,"name":"Ada Berg"}`,
		`legacy user/2/active 2024-01-04T00:13:05.322499Z _ "2" {"joined_at":"2024-01-04T00:13:05.322499Z","active":true,"name":"Zoë D'Souza; -- no comment"}`,
		`legacy user/3/inactive 2024-03-24T14:07:08.8198Z _ "3" {"joined_at":"2024-03-24T14:07:08.8198Z","active":false,"name":"Wei Łukasz"}`,
		`legacy user/4/active 1999-12-31T23:59:59Z _ "4" {"joined_at":"1999-12-31T23:59:59Z","active":true,"name":"Old"}`,
		`legacy token/1/issued 2024-03-27T08:18:59.656589Z main "1" {"token_id":"legacy/1"}`,
		`legacy token/1/used 2024-03-27T09:18:59.656589Z main "1" {"method":"token","party_size":1,"token_id":"legacy/1"}`,
		`legacy token/2/issued 2024-03-28T08:00:00Z main "1" {"token_id":"legacy/2"}`,
		`legacy token/3/issued 2024-02-25T00:02:53.355333Z main "3" {"token_id":"legacy/3"}`,
		`legacy token/3/used 2024-02-24T23:57:53.355333Z main "3" {"method":"token","party_size":1,"token_id":"legacy/3"}`,
		`legacy token/4/issued 2024-03-31T02:30:00Z main "2" {"token_id":"legacy/4"}`,
		`legacy token/4/used 2024-04-01T20:15:43.000001Z main "2" {"method":"token","party_size":1,"token_id":"legacy/4"}`,
	}
	for name, files := range small {
		t.Run(name, func(t *testing.T) {
			got, account := imported(t, loaded(t, files...), "UTC", nil)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := account.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTimestampsAreOfTheOldSystemsZone(t *testing.T) {
	got, _ := imported(t, loaded(t, small["a dump with rows"]...), "America/New_York", nil)
	for _, want := range []string{
		`legacy user/1/active 2024-02-04T03:55:26Z _ "1" {"joined_at":"2024-02-04T03:55:26Z","active":true,"name":"Ada Berg"}`,
		`legacy token/1/issued 2024-03-27T12:18:59.656589Z main "1" {"token_id":"legacy/1"}`,
	} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func TestAUserWhoChangedIsAnotherEventAndNoConflict(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	joined, yes, no := now.AddDate(-1, 0, 0), true, false
	ada := User{ID: "1", Name: "Ada Berg", Joined: &joined, Active: &yes}
	left := ada
	left.Active = &no
	married := ada
	married.Name = "Ada Sommer"

	first, again, gone, renamed := ada.Event(nil, now), ada.Event(nil, now.AddDate(1, 0, 0)), left.Event(nil, now), married.Event(nil, now)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same row, a year later (-want +got):\n%s", diff)
	}
	if first.ID == renamed.ID || !first.Time.Equal(renamed.Time) {
		t.Errorf("%s at %v, renamed %s at %v", first.ID, first.Time, renamed.ID, renamed.Time)
	}
	// The latest (time, source, id) holds, whatever the order of imports.
	if !first.Time.Equal(gone.Time) || gone.ID <= first.ID || gone.ID <= renamed.ID {
		t.Errorf("who left is %s, who did not %s and %s", gone.ID, first.ID, renamed.ID)
	}
	asOf := now.AddDate(0, -1, 0)
	if e := married.Event(&asOf, now); !e.Time.Equal(asOf) || e.ID == renamed.ID {
		t.Errorf("as of %v: %s at %v", asOf, e.ID, e.Time)
	}
}

func TestMembersWhoJoinedAtNoTimeAnEventMayHaveAreKnown(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tomorrow := now.AddDate(0, 0, 1)
	for name, joined := range map[string]*time.Time{"never": nil, "tomorrow": &tomorrow} {
		t.Run(name, func(t *testing.T) {
			e := User{ID: "1", Joined: joined}.Event(nil, now)
			if _, err := event.Decode(e.Encode(nil), event.Options{Strict: true}); err != nil {
				t.Error(err)
			}
			if err := e.CheckFuture(now); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLongNamesAreCutBetweenLetters(t *testing.T) {
	got := nameOf(strings.Repeat("🜂", 101))
	if want := strings.Repeat("🜂", 64); got != want {
		t.Errorf("%d bytes", len(got))
	}
}

func TestWhatNoEventCanSayIsRefusedWithItsRow(t *testing.T) {
	dump := scratch(t)
	script := `create table users (id text, first_name text, last_name text, joined_at timestamp, is_active boolean);
		create table tokens (id int, user_id text, token text, created_at timestamp, used_at timestamp);
		insert into users values ('a', null, null, '1969-01-01', null);
		insert into tokens values (1, 'a', 'x', null, now()), (2, 'a', 'x', 'infinity', null), (3, 'a', 'x', '2026-02-01', null),
			(4, null, 'x', '2025-02-01', '-infinity'), (5, 'nobody', 'x', '2025-02-01', null);`
	if _, err := dump.Load(t.Context(), "odd.sql", strings.NewReader(script)); err != nil {
		t.Fatal(err)
	}
	_, account := imported(t, dump, "UTC", nil)
	var report bytes.Buffer
	account.Report(&report)
	for _, want := range []string{
		"stored  2\nrefused 5\n", "1 × invalid_field: users row a", "3 × invalid_time: tokens row 1, tokens row 2, tokens row 4", "1 × future: tokens row 3",
	} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("no %q in\n%s", want, &report)
		}
	}
}

func TestADumpThatIsNoneSaysWhere(t *testing.T) {
	cases := map[string]struct{ script, want string }{
		"files in the wrong order": {
			"insert into tokens values (1)", "wrong.sql, lines 1 to 1: ERROR: relation \"tokens\" does not exist (SQLSTATE 42P01); are the files in the order in which they are to be loaded?",
		},
		"no SQL":          {"\n\nhello", "wrong.sql, line 3: ERROR: syntax error at or near \"hello\" (SQLSTATE 42601)"},
		"rows for nobody": {"copy nobody from stdin;\n1\n\\.\n", "wrong.sql, line 1: ERROR: relation \"nobody\" does not exist (SQLSTATE 42P01); are the files in the order in which they are to be loaded?"},
		"a text cut off":  {"select 'a", "wrong.sql: the statement of line 1 does not end"},
	}
	dump := scratch(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := dump.Load(t.Context(), "wrong.sql", strings.NewReader(c.script))
			if fault.Of(err) != fault.Invalid || err.Error() != c.want {
				t.Errorf("%v", err)
			}
		})
	}
}

// A dump is somebody else's program.
func TestADumpCannotRunProgramsOrReadFiles(t *testing.T) {
	dump := scratch(t)
	proof := filepath.Join(t.TempDir(), "proof")
	notes, err := dump.Load(t.Context(), "evil.sql", strings.NewReader(
		"\\! touch "+proof+"\ncreate table t (x text);\ncopy t from program 'touch "+proof+"';\ncopy t from '/etc/passwd';"))
	if err != nil || len(notes) != 2 {
		t.Errorf("%v, %v", notes, err)
	}
	if _, err := os.Stat(proof); !os.IsNotExist(err) {
		t.Errorf("it did: %v", err)
	}
}

func TestAnOldDatabaseWithoutItsTablesIsRefused(t *testing.T) {
	reader, err := Read(t.Context(), scratch(t).URL(), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(t.Context())
	if _, _, err := reader.Count(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "the old database: ERROR: relation \"users\" does not exist") {
		t.Errorf("%v", err)
	}
}
