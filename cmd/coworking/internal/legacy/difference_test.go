package legacy

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// The sample of the old system, and what it was seen to answer.
func TestTheOldAnswersAreMadeToTheByte(t *testing.T) {
	server, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	server.RawQuery += "&search_path=old"
	conn, err := pgx.Connect(t.Context(), server.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	run(t, conn, "create schema old")
	sample := filepath.Join("..", "..", "..", "..", "services", "query", "internal", "legacy", "testdata")
	file := func(name string) string {
		text, err := os.ReadFile(filepath.Join(sample, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, name := range []string{"1_create_tables.sql", "2_seed_users.sql", "3_seed_tokens.sql"} {
		run(t, conn, file(name))
	}
	answers, err := Answers(t.Context(), pg.URL(server.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, report := range Reports {
		if diff := cmp.Diff(file(report+".json")+"\n", string(answers[report])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", report, diff)
		}
	}

	run(t, conn, `truncate tokens, users; alter table tokens drop constraint if exists tokens_user_id_fkey, alter user_id type text;
		alter table users alter id drop default, alter id type text;
		insert into users values ('é"1', '', '', '2024-01-01'), ('10', '', '', '2024-01-01'), ('2', '', '', '2024-01-01 00:00:00.1');
		insert into tokens (user_id, token) values ('é"1', ''), ('10', ''), ('2', ''), ('nobody', '')`)
	if answers, err = Answers(t.Context(), pg.URL(server.String())); err != nil {
		t.Fatal(err)
	}
	want := `{"2":{"joined_at":"2024-01-01 00:00:00.100000","visits":1},"10":{"joined_at":"2024-01-01 00:00:00","visits":1},"nobody":{"joined_at":"None","visits":1},` +
		`"\u00e9\"1":{"joined_at":"2024-01-01 00:00:00","visits":1}}` + "\n"
	if diff := cmp.Diff([]string{"{}\n", want}, []string{string(answers["daily_usage"]), string(answers["user_visits"])}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	cases := map[string]struct {
		old, current string
		want         []string
		count        int
	}{
		"the same":           {old: `{"1":2}`, current: `{"1":2}`},
		"another value":      {old: `{"2026-01-01":2,"2026-01-02":3}`, current: `{"2026-01-01":2,"2026-01-02":4}`, want: []string{"2026-01-02: old 3, new 4"}, count: 1},
		"a day too few":      {old: `{"2026-01-01":2}`, current: `{}`, want: []string{"2026-01-01: old 2, new none"}, count: 1},
		"a user too many":    {old: `{}`, current: `{"7":{"joined_at":"None","visits":1}}`, want: []string{`7: old none, new {"joined_at":"None","visits":1}`}, count: 1},
		"fields of a user":   {old: `{"7":{"joined_at":"None","visits":1}}`, current: `{"7":{"joined_at":"2026","visits":2}}`, want: []string{`7 joined_at: old "None", new "2026"`, "7 visits: old 1, new 2"}, count: 2},
		"2 comes before 10":  {old: `{"10":1,"2":1}`, current: `{}`, want: []string{"2: old 1, new none", "10: old 1, new none"}, count: 2},
		"more than is shown": {old: `{"1":1,"2":1,"3":1}`, current: `{}`, want: []string{"1: old 1, new none", "2: old 1, new none"}, count: 3},
		"numbers of any size": {
			old: `{"1":9007199254740993}`, current: `{"1":9007199254740992}`,
			want: []string{"1: old 9007199254740993, new 9007199254740992"}, count: 1,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Compare("daily_usage", []byte(c.old), []byte(c.current), 2)
			if err != nil {
				t.Fatal(err)
			}
			var first []string
			for _, d := range got.First {
				first = append(first, d.String())
			}
			if diff := cmp.Diff(c.want, first); diff != "" || got.Count != c.count || got.Equal != (c.count == 0) {
				t.Errorf("%d, equal: %v (-want +got):\n%s", got.Count, got.Equal, diff)
			}
		})
	}
}

func TestTheSameInOtherBytesIsDifferent(t *testing.T) {
	got, err := Compare("daily_usage", []byte(`{"a":1,"b":2}`), []byte(`{"b":2,"a":1}`), 2)
	if diff := cmp.Diff(&Bytes{Offset: 2, Old: `a":1,"b":2}`, New: `b":2,"a":1}`}, got.Bytes); err != nil || diff != "" || got.Equal {
		t.Errorf("%v, equal: %v (-want +got):\n%s", err, got.Equal, diff)
	}
}

func TestAnAnswerThatIsNoneIsNotCompared(t *testing.T) {
	for _, body := range []string{"", "<html>", "[]", `{"1":`} {
		for side, bodies := range map[string][2]string{"old": {body, "{}"}, "new": {"{}", body}} {
			_, err := Compare("user_visits", []byte(bodies[0]), []byte(bodies[1]), 2)
			if fault.Of(err) != fault.Invalid || !strings.HasPrefix(err.Error(), "the "+side+" system's user_visits is no answer: ") {
				t.Errorf("%q: %v", body, err)
			}
		}
	}
}
