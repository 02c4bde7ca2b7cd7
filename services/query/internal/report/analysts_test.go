package report_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// analystsPage is the page of the views.
const analystsPage = "../../../../docs/sql.md"

// The page says of the views what the database says of them, and its examples give
// what it says they give.
func TestAnalystsPageIsTrue(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadWorld(t, pool)
	page, err := os.ReadFile(analystsPage)
	if err != nil {
		t.Fatal(err)
	}
	text := describeViews(t, pool, string(page))
	text = answerExamples(t, pool, text)
	golden(t, analystsPage, text)
}

// describeViews writes the tables of columns into the page.
func describeViews(t *testing.T, pool *pgxpool.Pool, page string) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		select c.relname, obj_description(c.oid, 'pg_class'), a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
		from pg_class c
		join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
		where c.relkind = 'v' and c.relname like 'report\_%'
		order by c.relname, a.attnum`)
	if err != nil {
		t.Fatal(err)
	}
	var tables strings.Builder
	var view, last, column, kind string
	var about, words *string
	_, err = pgx.ForEachRow(rows, []any{&view, &about, &column, &kind, &words}, func() error {
		if about == nil || words == nil {
			t.Errorf("%s.%s has no words", view, column)
			return nil
		}
		if view != last {
			fmt.Fprintf(&tables, "\n### `%s`\n\n%s\n\n| column | type | |\n|---|---|---|\n", view, *about)
			last = view
		}
		fmt.Fprintf(&tables, "| `%s` | %s | %s |\n", column, kind, *words)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	begin, end := strings.Index(page, "-->\n")+4, strings.Index(page, "<!-- end of views -->")
	if begin < 4 || end < begin {
		t.Fatal("the page has no place for the views")
	}
	return page[:begin] + tables.String() + "\n" + page[end:]
}

var exampleBlock = regexp.MustCompile("(?s)```sql\n(.*?)```\n\n```text\n.*?```")

// answerExamples writes the answers below the examples, as a reader of persons gets them.
func answerExamples(t *testing.T, pool *pgxpool.Pool, page string) string {
	t.Helper()
	return exampleBlock.ReplaceAllStringFunc(page, func(block string) string {
		question := exampleBlock.FindStringSubmatch(block)[1]
		var answer strings.Builder
		as(t, pool, "report_reader_personal", func(conn *pgconn.PgConn) {
			result := conn.ExecParams(t.Context(), strings.TrimSuffix(strings.TrimSpace(question), ";"), nil, nil, nil, nil).Read()
			if result.Err != nil {
				t.Errorf("%s: %v", question, result.Err)
			}
			var names []string
			for _, field := range result.FieldDescriptions {
				names = append(names, field.Name)
			}
			fmt.Fprintln(&answer, strings.Join(names, " | "))
			for _, row := range result.Rows {
				var cells []string
				for _, cell := range row {
					cells = append(cells, string(cell))
				}
				fmt.Fprintln(&answer, strings.Join(cells, " | "))
			}
		})
		return "```sql\n" + question + "```\n\n```text\n" + answer.String() + "```"
	})
}

// as runs fn as a role.
func as(t *testing.T, pool *pgxpool.Pool, role string, fn func(*pgconn.PgConn)) {
	t.Helper()
	err := pool.AcquireFunc(t.Context(), func(c *pgxpool.Conn) error {
		conn := c.Conn().PgConn()
		if err := conn.Exec(context.Background(), "set role "+role).Close(); err != nil {
			return err
		}
		fn(conn)
		return conn.Exec(context.Background(), "reset role").Close()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A reader reads the views, and nothing else.
func TestAnalystsReadTheirViewsOnly(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadWorld(t, pool)
	numbers := []string{"report_spaces", "report_days", "report_slots", "report_methods", "report_tokens"}
	persons := []string{"report_members", "report_visits", "report_member_days"}
	hidden := []string{"spaces", "members", "events", "visits", "member_day", "space_day", "tokens", "dead_letters", "app.keys", "app.personal_reads"}
	for role, may := range map[string]map[string]bool{
		"report_reader":          {"numbers": true},
		"report_reader_personal": {"numbers": true, "persons": true},
	} {
		as(t, pool, role, func(conn *pgconn.PgConn) {
			for kind, relations := range map[string][]string{"numbers": numbers, "persons": persons, "hidden": hidden} {
				for _, relation := range relations {
					err := conn.Exec(t.Context(), "table "+relation).Close()
					if (err == nil) != may[kind] {
						t.Errorf("%s reads %s: %v", role, relation, err)
					}
				}
			}
			for _, statement := range []string{"delete from report_days", "create table mine (n int)", "update report_members set name = 'Eve'"} {
				if err := conn.Exec(t.Context(), statement).Close(); err == nil {
					t.Errorf("%s may %s", role, statement)
				}
			}
		})
	}
}

// The view of days and the report of days are of one mind.
func TestAnalystsSeeWhatReportsSay(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	loadWorld(t, pool)
	var got []string
	rows, err := pool.Query(t.Context(), `select concat_ws(' ', day, checkins, visits, unique_members, anonymous_visits, failed)
	  from report_days where space = 'berlin' and day < '2026-03-31' order by day`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	want := []string{"2026-03-28 3 3 3 0 1", "2026-03-29 1 1 1 0 0", "2026-03-30 4 3 2 1 0"} // as in daily_usage_berlin.csv
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
