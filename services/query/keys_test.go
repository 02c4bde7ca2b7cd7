package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
)

// TestOtherProcess is the binary itself, for the tests that run its verbs.
func TestOtherProcess(*testing.T) {
	if line := os.Getenv("QUERY_ARGUMENTS"); line != "" {
		os.Args = append([]string{"query"}, strings.Split(line, "\n")...)
		main()
	}
}

// verbs is what a test runs `query` with.
type verbs struct {
	*testing.T

	environment []string
}

// query runs a verb as a process of its own.
func (v verbs) query(args ...string) (stdout, stderr string, code int) {
	v.Helper()
	process := exec.CommandContext(v.Context(), os.Args[0], "-test.run=^TestOtherProcess$")
	process.Env = slices.Concat(v.environment, []string{"QUERY_ARGUMENTS=" + strings.Join(args, "\n"), "PATH=" + os.Getenv("PATH")})
	var out, messages bytes.Buffer
	process.Stdout, process.Stderr = &out, &messages
	if err := process.Run(); err != nil {
		if _, ended := errors.AsType[*exec.ExitError](err); !ended {
			v.Fatal(err)
		}
	}
	return out.String(), messages.String(), process.ProcessState.ExitCode()
}

// must runs a verb that succeeds.
func (v verbs) must(args ...string) (stdout, stderr string) {
	v.Helper()
	stdout, stderr, code := v.query(args...)
	if code != 0 {
		v.Fatalf("%q ended with %d: %s", args, code, stderr)
	}
	return stdout, stderr
}

func TestAKeyFromItsMakingToItsEnd(t *testing.T) {
	database := pgtest.URL(t)
	v := verbs{t, []string{"DATABASE_URL=" + database}}
	if out, said := v.must("keys", "list"); said != "" || len(strings.Fields(out)) != 9 {
		t.Errorf("before there is one: %s%s", out, said)
	}

	out, said := v.must("keys", "create", "front desk", "--scope", "members:read", "--scope=reports:read", "--space", "soho", "--space=berlin", "--expires", "90d")
	text := strings.TrimSuffix(out, "\n")
	id, _, ok := key.Parse(text)
	if !ok {
		t.Fatalf("on standard output: %q", out)
	}
	end := time.Now().UTC().AddDate(0, 0, 90).Format("2006-01-02T")
	for _, words := range []string{"Key " + id + `, "front desk": reports:read, members:read in berlin, soho; expires: ` + end, "shown this once", `curl -H "Authorization: Bearer $KEY" http://`} {
		if !strings.Contains(said, words) {
			t.Errorf("%q is not in\n%s", words, said)
		}
	}
	if strings.Contains(said, text) {
		t.Errorf("the key is on standard error, too: %s", said)
	}

	pool, err := pg.Open(t.Context(), pg.URL(database), pg.Options{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	opens := func(text string) bool {
		t.Helper()
		keys := key.NewKeys(pool, time.Now)
		defer keys.Close()
		_, err := keys.Grant(t.Context(), text)
		if err != nil && fault.Code(err) != "unauthenticated" {
			t.Fatal(err)
		}
		return err == nil
	}
	if !opens(text) {
		t.Error("it opens nothing")
	}

	out, said = v.must("keys", "rotate", id)
	fresh := strings.TrimSuffix(out, "\n")
	freshID, _, _ := key.Parse(fresh)
	if !opens(fresh) || !opens(text) || freshID == id || !strings.Contains(said, "Key "+id+" goes on until ") {
		t.Errorf("rotated: %q\n%s", out, said)
	}

	out, _ = v.must("keys", "revoke", id, fresh) // the second one is given whole
	if opens(fresh) || opens(text) || strings.Count(out, ": revoked 2") != 2 || strings.Contains(out, fresh) {
		t.Errorf("revoked: %s", out)
	}
	out, _ = v.must("keys", "list")
	lines := strings.Split(out, "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], id) || !strings.HasPrefix(lines[2], freshID) || strings.Count(out, "revoked") != 2 {
		t.Errorf("listed:\n%s", out)
	}
	if whole := strings.Join(lines, ""); strings.Contains(whole, text) || strings.Contains(whole, fresh) {
		t.Errorf("the list tells keys: %s", out)
	}
}

func TestKeysAreListedForPeopleAndForPrograms(t *testing.T) {
	at := func(text string) *time.Time {
		instant, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return &instant
	}
	next := "0123456789cd"
	keys := []key.Key{
		{
			ID: "0123456789ab", Name: "front desk", Scopes: []key.Scope{key.ReadReports, key.ReadMembers}, Spaces: []string{"berlin", "soho"},
			Created: *at("2026-01-02T03:04:05+01:00"), Expires: at("2026-03-01T00:00:00Z"), ReplacedBy: &next, LastUsed: at("2026-02-01T12:00:00Z"),
		},
		{ID: next, Name: "<all>", Scopes: []key.Scope{key.Admin}, Created: *at("2026-02-01T00:00:00Z")},
		{ID: "0123456789ef", Name: "gone", Scopes: []key.Scope{key.WriteEvents}, Created: *at("2026-02-01T00:00:00Z"), Revoked: at("2026-02-02T00:00:00Z")},
	}
	var table, lines bytes.Buffer
	if err := errors.Join(tabulate(&table, keys, *at("2026-03-01T00:00:00Z")), writeKeys(&lines, keys, *at("2026-02-28T23:59:59Z"))); err != nil {
		t.Fatal(err)
	}
	const wantTable = `
id            name        scopes                      spaces        created            expires            last used          state
0123456789ab  front desk  reports:read, members:read  berlin, soho  2026-01-02T02:04Z  2026-03-01T00:00Z  2026-02-01T12:00Z  expired
0123456789cd  <all>       admin                       every space   2026-02-01T00:00Z  never              never              active
0123456789ef  gone        events:write                every space   2026-02-01T00:00Z  never              never              revoked
`
	if diff := cmp.Diff(wantTable[1:], table.String()); diff != "" {
		t.Error(diff)
	}
	const wantLines = `
{"id":"0123456789ab","name":"front desk","scopes":["reports:read","members:read"],"spaces":["berlin","soho"],"created":"2026-01-02T03:04:05+01:00","expires":"2026-03-01T00:00:00Z","revoked":null,"replaced_by":"0123456789cd","last_used":"2026-02-01T12:00:00Z","state":"active"}
{"id":"0123456789cd","name":"<all>","scopes":["admin"],"spaces":null,"created":"2026-02-01T00:00:00Z","expires":null,"revoked":null,"replaced_by":null,"last_used":null,"state":"active"}
{"id":"0123456789ef","name":"gone","scopes":["events:write"],"spaces":null,"created":"2026-02-01T00:00:00Z","expires":null,"revoked":"2026-02-02T00:00:00Z","replaced_by":null,"last_used":null,"state":"revoked"}
`
	if diff := cmp.Diff(wantLines[1:], lines.String()); diff != "" {
		t.Error(diff)
	}
}

func TestJSONListsEveryKey(t *testing.T) {
	v := verbs{t, []string{"DATABASE_URL=" + pgtest.URL(t)}}
	v.must("keys", "create", "door", "--scope=events:write")
	out, _ := v.must("keys", "list", "--json")
	var line struct{ Name, State string }
	if err := json.Unmarshal([]byte(out), &line); err != nil || line.Name != "door" || line.State != "active" {
		t.Errorf("%v: %s", err, out)
	}
}

func TestWhatCannotBeDoneSaysWhatToDo(t *testing.T) {
	full := []string{"DATABASE_URL=" + pgtest.URL(t)}
	leaked := "cw_0123456789ab_" + strings.Repeat("5ecret", 10)
	for name, c := range map[string]struct {
		environment []string
		args        string
		code        int
		want        string
	}{
		"no database":             {nil, "keys list", 1, "query: where is the database? give --database-url (DATABASE_URL), or DB_USERNAME and its companions\n"},
		"a database of no schema": {[]string{"DATABASE_URL=" + pgtest.Empty(t)}, "keys list", 1, "query: the database has no schema yet; run: ingest migrate up\n"},
		"no scope":                {full, "keys create door", 2, "query: --scope is missing: What it may do: reports:read, members:read, events:write, admin."},
		"a scope that is none":    {full, "keys create door --scope=root", 2, "query: --scope: \"root\" is no scope; there are reports:read, members:read, events:write, admin\n"},
		"a space that is none":    {full, "keys create door --scope=admin --space=_", 2, "query: --space: \"_\" is not the name of a space: a-z, 0-9, _ and -, up to 63\n"},
		"an end that is none":     {full, "keys create door --scope=admin --expires=soon", 2, "query: --expires: \"soon\" is no end: say after how many days, as in 90d, on which date, as in 2027-01-01, or never\n"},
		"an end that was":         {full, "keys create door --scope=admin --expires=2020-01-01", 1, "query: --expires: 2020-01-01 has begun, in UTC; say a later date\n"},
		"a key that is not there": {full, "keys revoke 000000000000", 1, "query: there is no key 000000000000; `query keys list` says which there are\n"},
		"rotating such a key":     {full, "keys rotate 000000000000", 1, "query: there is no key 000000000000; `query keys list` says which there are\n"},
		"half a key":              {full, "keys revoke " + leaked[3:], 1, "query: there is no key 0123456789ab; `query keys list` says which there are\n"},
		"the wrong half of it":    {full, "keys revoke " + leaked[17:], 2, "query: <id> ...: this is no key's id: one has 12 letters and digits, like 7k2m9q4tx8bd\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out, said, code := verbs{t, c.environment}.query(strings.Fields(c.args)...)
			if out != "" || code != c.code || !strings.HasPrefix(said, c.want) {
				t.Errorf("exit code %d\n%s%s", code, out, cmp.Diff(c.want, said))
			}
			if strings.Contains(out+said, "5ecret") {
				t.Errorf("it tells the secret: %s%s", out, said)
			}
		})
	}
}

func TestTheOldVariablesFindTheDatabaseToo(t *testing.T) {
	v := verbs{t, []string{"DB_USERNAME=nobody", "DB_HOST=127.0.0.1", "DB_PORT=1", "DB_PASSWORD=topsecret"}}
	_, said, code := v.query("keys", "list")
	if code != 1 || !strings.Contains(said, "127.0.0.1:1") || strings.Contains(said, "topsecret") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestWhenAKeyEnds(t *testing.T) {
	now := time.Date(2026, 12, 31, 23, 30, 0, 0, time.FixedZone("", 3600)) // 22:30 in UTC
	for name, c := range map[string]struct{ text, want string }{
		"after a day":            {"1d", "2027-01-01T22:30:00Z"},
		"after a century":        {"36500d", "2126-12-07T22:30:00Z"},
		"on a date":              {"2027-01-01", "2027-01-01T00:00:00Z"},
		"never":                  {"never", "never"},
		"before now":             {"2026-12-31", "refused"},
		"after less than a day":  {"0d", "unread"},
		"after a century, twice": {"73000d", "unread"},
		"in the past":            {"-1d", "unread"},
		"on a date that is none": {"2027-02-30", "unread"},
		"nothing":                {"", "unread"},
		"an hour":                {"1h", "unread"},
	} {
		t.Run(name, func(t *testing.T) {
			var l lifetime
			got := "unread"
			if err := l.UnmarshalText([]byte(c.text)); err == nil {
				end, err := l.end(now)
				switch {
				case err != nil:
					got = "refused"
				case end == nil:
					got = "never"
				default:
					got = end.Format(time.RFC3339)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAKeyThatNobodyGotIsSaid(t *testing.T) {
	var said bytes.Buffer
	err := handOver(closed{}, &said, key.Key{ID: "0123456789ab"}, "cw_0123456789ab_topsecret")
	if err == nil || !strings.Contains(err.Error(), "key 0123456789ab is made and nobody has it, so revoke it") || said.Len() > 0 || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("%v, %q", err, &said)
	}
}

// closed is where nothing can be written.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }
