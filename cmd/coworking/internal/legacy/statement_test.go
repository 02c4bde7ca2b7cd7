package legacy

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAScriptIsReadStatementByStatement(t *testing.T) {
	cases := map[string]struct {
		script string
		want   []string
	}{
		"nothing at all":                  {"", nil},
		"comments alone":                  {"-- a;\n/* b; */\n", nil},
		"the last one needs no semicolon": {"select 1; select 2", []string{"select 1", "select 2"}},
		"empty ones are none":             {";; ;select 1;;", []string{"select 1"}},
		"in a text":                       {"select 'a;b'';c', \"d;e\"\"f\";x", []string{"select 'a;b'';c', \"d;e\"\"f\"", "x"}},
		"a backslash is one":              {`select 'a\'; select 2`, []string{`select 'a\'`, "select 2"}},
		"but not in an E'…'":              {`select E'a\';b' ; select type'\';`, []string{`select E'a\';b'`, `select type'\'`}},
		"in a body":                       {"do $$ begin; end; $$; do $x$ $$;$y$ $x$; select $1;", []string{"do $$ begin; end; $$", "do $x$ $$;$y$ $x$", "select $1"}},
		"a dollar in a name begins none":  {"select a$b$c; select 2", []string{"select a$b$c", "select 2"}},
		"in a rule":                       {"create rule r as on x do (a; b); c", []string{"create rule r as on x do (a; b)", "c"}},
		"comments within":                 {"select -- a;\n1 /* b; /* c; */ */ + 2; x", []string{"select \n1   + 2", "x"}},
		"backslash commands":              {"\\! rm -rf /\nselect 1;\n\\connect x\nselect 2;", []string{"select 1", "select 2"}},
		"a minus, a slash":                {"select 3-1, 4/2;", []string{"select 3-1, 4/2"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := newScript(strings.NewReader(c.script))
			var got []string
			for {
				next, err := in.next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(next.text))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAScriptThatIsCutSaysWhere(t *testing.T) {
	for _, text := range []string{"'a", `"a`, "$$ a", "E'\\", "/* a"} {
		in := newScript(strings.NewReader("\n\nselect " + text))
		if _, err := in.next(); err == nil || err.Error() != "the statement of line 3 does not end" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRowsEndWhereTheySayOrWithTheFile(t *testing.T) {
	long := strings.Repeat("x", 300<<10) + "\n"
	cases := map[string]struct{ script, rows, after string }{
		"at a backslash and a dot": {"copy t from stdin;\n1\t\\N\n\\.\nselect 1;", "1\t\\N\n", "select 1"},
		"at once":                  {"copy t from stdin;\n\\.\nselect 1;", "", "select 1"},
		"with the file":            {"copy t from stdin;\n1\n", "1\n", ""},
		"long lines":               {"copy t from stdin;\n" + long + "\\.\r\nselect 1;", long, "select 1"},
		"a dot further on is data": {"copy t from stdin;\na\\.\n\\.\nx", "a\\.\n", "x"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := newScript(strings.NewReader(c.script))
			if _, err := in.next(); err != nil {
				t.Fatal(err)
			}
			data, err := in.rows()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(data)
			if err != nil {
				t.Fatal(err)
			}
			next, err := in.next()
			if err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{c.rows, c.after}, []string{string(got), string(next.text)}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if lines := 1 + strings.Count(c.script, "\n"); in.line != lines {
				t.Errorf("on line %d of %d", in.line, lines)
			}
		})
	}
}
