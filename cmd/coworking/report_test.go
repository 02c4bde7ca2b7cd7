package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coworking/pkg/boot"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write what is shown to testdata")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The pages of `visitors` as CSV and as lines.
const (
	csvPage1  = "member,name,visits,hours,last_visit\r\nm-1,\"Ada \"\"the\nfirst\"\"\",1200,2400.500,2026-03-30T15:00:00Z\r\nm-2,Grace,7,,\r\n"
	csvPage2  = "member,name,visits,hours,last_visit\r\nm-3,Linus,3,6.000,2026-03-02T15:00:00Z\r\n"
	lines1    = `{"member":"m-1","name":"Ada \"the\nfirst\""}` + "\n" + `{"member":"m-2","name":"Grace"}` + "\n"
	lines2    = `{"member":"m-3","name":"Linus"}` + "\n"
	moreNote  = "there are more: --set cursor=page-2 shows the next ones, --all shows all\n"
	secretKey = "cw_a1b2c3"
)

// visitors answers a report of two pages in every format, and notes what was asked.
func visitors(t *testing.T) (base string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.String())
		page := 1
		if r.URL.Query().Get("cursor") == "page-2" {
			page = 2
		}
		format := r.URL.Query().Get("format")
		switch {
		case r.URL.Path == "/api/v1/reports":
			answer(w, http.StatusOK, "application/json", `{"data":[{"name":"visitors","doc":"Who came.","personal":true}]}`)
		case format == "csv":
			answer(w, http.StatusOK, "text/csv; charset=utf-8", []string{csvPage1, csvPage2}[page-1])
		case format == "ndjson":
			answer(w, http.StatusOK, "application/x-ndjson", []string{lines1, lines2}[page-1])
		default:
			body, err := os.ReadFile(filepath.Join("testdata", "report", fmt.Sprintf("page_%d.json", page)))
			if err != nil {
				t.Error(err)
			}
			answer(w, http.StatusOK, "application/json", string(body))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func answer(w http.ResponseWriter, status int, mediaType, body string) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // the client may be gone
}

func TestAReportIsShown(t *testing.T) {
	cases := map[string]struct {
		flags reportCmd
		asked []string // after /api/v1/reports
		want  string   // "": the file of the case's name
		notes string
	}{
		"as_a_table": {
			flags: reportCmd{Name: "visitors", Table: true, Width: 80, question: question{Space: []string{"berlin", "thamel"}, Period: "mtd", Set: []string{"sort=hours", "q=a,b=c"}}},
			asked: []string{"/visitors?format=json&period=mtd&q=a%2Cb%3Dc&sort=hours&space=berlin&space=thamel"},
			notes: moreNote,
		},
		"as_a_table_of_all_pages": {
			flags: reportCmd{Name: "visitors", Table: true, Width: 80, All: true},
			asked: []string{"/visitors?format=json&limit=1000", "/visitors?cursor=page-2&format=json&limit=1000"},
		},
		"as CSV, byte by byte": {
			flags: reportCmd{Name: "visitors", question: question{GroupBy: "plan", Compare: "previous_year", TZ: "UTC", Interval: "week", From: "2026-03-01", To: "2026-04-01"}},
			asked: []string{"/visitors?compare=previous_year&format=csv&from=2026-03-01&group_by=plan&interval=week&to=2026-04-01&tz=UTC"},
			want:  csvPage1,
		},
		"as CSV that may have been cut": {
			flags: reportCmd{Name: "visitors", CSV: true, question: question{Limit: "2"}},
			asked: []string{"/visitors?format=csv&limit=2", "/visitors?format=json&limit=2"},
			want:  csvPage1, notes: moreNote,
		},
		"as CSV of all pages": {
			flags: reportCmd{Name: "visitors", All: true, question: question{Limit: "2"}},
			asked: []string{"/visitors?format=csv&limit=2", "/visitors?format=json&limit=2", "/visitors?cursor=page-2&format=csv&limit=2"},
			want:  csvPage1 + "m-3,Linus,3,6.000,2026-03-02T15:00:00Z\r\n",
		},
		"as lines of all pages": {
			flags: reportCmd{Name: "visitors", NDJSON: true, All: true, question: question{Limit: "2"}},
			asked: []string{"/visitors?format=ndjson&limit=2", "/visitors?format=json&limit=2", "/visitors?cursor=page-2&format=ndjson&limit=2"},
			want:  lines1 + lines2,
		},
		"page_1.json": {
			flags: reportCmd{Name: "visitors", JSON: true},
			asked: []string{"/visitors?format=json"}, notes: moreNote,
		},
		"all_pages.json": {
			flags: reportCmd{Name: "visitors", JSON: true, All: true},
			asked: []string{"/visitors?format=json&limit=1000", "/visitors?cursor=page-2&format=json&limit=1000"},
		},
		"in the list of reports": {
			asked: []string{""},
			want:  "visitors *  Who came.\n\n* names persons: the key must have the scope members:read\n",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			base, asked := visitors(t)
			c.flags.URL = base
			var out, notes bytes.Buffer
			if err := c.flags.answer(t.Context(), &out, &notes); err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				c.want = recorded(t, name, out.Bytes())
			}
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.notes, notes.String()); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			for i := range c.asked {
				c.asked[i] = "/api/v1/reports" + c.asked[i]
			}
			if diff := cmp.Diff(c.asked, *asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if c.flags.JSON && !json.Valid(out.Bytes()) {
				t.Error("this is no JSON")
			}
		})
	}
}

// recorded is what a file of testdata holds, or will hold where -update is given.
func recorded(t *testing.T, name string, got []byte) string {
	t.Helper()
	if filepath.Ext(name) == "" {
		name += ".txt"
	}
	path := filepath.Join("testdata", "report", name)
	if *update && name != "page_1.json" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(want)
}

func TestAProblemIsOneSentenceInTheWordsOfTheFlags(t *testing.T) {
	problem := func(code, detail, parameter string) string {
		text, err := json.Marshal(map[string]string{"title": "Bad Request", "code": code, "detail": detail, "parameter": parameter})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	cases := map[string]struct {
		status    int
		mediaType string // "": that of a problem
		body      string
		key       accessKey
		want      string // %s is the service
		code      int
	}{
		"a value": {
			status: 400, body: problem("invalid_value", `group_by is one of space, plan, not "x"`, "group_by"),
			want: `--group-by is one of space, plan, not "x"`, code: 1,
		},
		"a value that is not named first": {
			status: 400, body: problem("range_too_large", "a range is at most 5 years", "from"),
			want: "--from: a range is at most 5 years", code: 1,
		},
		"a parameter without a flag": {
			status: 400, body: problem("invalid_value", "sort: that is no column", "sort"),
			want: "--set sort: that is no column", code: 1,
		},
		"a parameter that the report does not take": {
			status: 400, body: problem("unknown_parameter", `there is no parameter "compare"`, "compare"),
			want: "visitors takes no --compare", code: 1,
		},
		"no such report": {
			status: 404, body: problem("report_not_found", `there is no report "visitors"`, ""),
			want: `there is no report "visitors"; 'coworking report' lists them`, code: 1,
		},
		"no such space": {
			status: 404, body: problem("space_not_found", `there is no space "x"`, "space"),
			want: `--space: there is no space "x"`, code: 1,
		},
		"a question as a whole": {
			status: 400, body: problem("invalid_value", "the query of this address cannot be read", ""),
			want: "the query of this address cannot be read", code: 1,
		},
		"no key": {
			status: 401, body: problem("unauthenticated", "this address needs a key", ""),
			want: "%s answers only who has a key: give yours by COWORKING_KEY, or by --key", code: 1,
		},
		"a key that is none": {
			status: 401, body: problem("unauthenticated", "nobody has the key "+secretKey, ""), key: secretKey,
			want: "%s does not take this key (nobody has the key …): give another by COWORKING_KEY, or by --key", code: 1,
		},
		"a key that may not": {
			status: 403, body: problem("forbidden", "this report needs the scope members:read", ""), key: secretKey,
			want: "this report needs the scope members:read: give a key that may by COWORKING_KEY, or by --key", code: 1,
		},
		"a service that is busy": {
			status: 503, body: problem("overloaded", "too many questions at once", ""),
			want: "%s has no answer now: too many questions at once", code: 2,
		},
		"too many questions": {
			status: 429, body: problem("too_many_requests", "ask again in 3 s", ""),
			want: "%s has no answer now: ask again in 3 s", code: 2,
		},
		"a gateway that speaks otherwise": {
			status: 502, mediaType: "text/html", body: "<h1>Bad Gateway</h1>",
			want: "%s has no answer now: 502 Bad Gateway", code: 2,
		},
		"somebody else": {
			status: 404, mediaType: "text/plain", body: "404 page not found",
			want: "%s is no query service: it answers 404 Not Found; give another address by --url", code: 1,
		},
		"somebody else who is glad": {
			status: 200, mediaType: "text/html", body: "<h1>Welcome</h1>",
			want: "%s is no query service: it answers text/html; give another address by --url", code: 1,
		},
		"somebody who sends on": {
			status: 302, mediaType: "text/plain",
			want: "%s is no query service: it answers 302 Found, go to https://else.example/; give another address by --url", code: 1,
		},
		"orders to a terminal": {
			status: 400, body: problem("invalid_value", "\x1b[2Jgone\n", ""),
			want: "�[2Jgone�", code: 1,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				want := ""
				if c.key != "" {
					want = "Bearer " + secretKey
				}
				if got := r.Header.Get("Authorization"); got != want {
					t.Errorf("authorization %q, want %q", got, want)
				}
				if c.status == http.StatusFound {
					w.Header().Set("Location", "https://else.example/")
				}
				if c.mediaType == "" {
					c.mediaType = "application/problem+json"
				}
				answer(w, c.status, c.mediaType, c.body)
			}))
			defer server.Close()
			flags := reportCmd{Name: "visitors", URL: server.URL, Key: c.key, CSV: true}
			var out, notes bytes.Buffer
			err := flags.answer(t.Context(), &out, &notes)
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(strings.ReplaceAll(c.want, "%s", server.URL), err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if code := exitCode(err); code != c.code || out.Len()+notes.Len() > 0 {
				t.Errorf("exit code %d, output %q, notes %q", code, &out, &notes)
			}
		})
	}
}

// exitCode is what boot makes of an error.
func exitCode(err error) int {
	if code, ok := errors.AsType[boot.ExitCode](err); ok {
		return code.ExitCode()
	}
	return 1
}

func TestAServiceThatIsNotThereIsSaid(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	breaking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		answer(w, http.StatusOK, "text/csv", "member,visits\r\nm-1,")
	}))
	defer breaking.Close()
	cases := map[string]struct {
		flags reportCmd
		want  []string
	}{
		"nobody listens": {reportCmd{Name: "visitors", URL: gone.URL, Key: secretKey}, []string{"nothing answers at " + gone.URL, "connection refused; is it up"}},
		"nothing runs":   {reportCmd{Name: "visitors", dataFolder: dataFolder{Data: t.TempDir()}}, []string{"nothing runs on ", "coworking up --data "}},
		"it breaks off":  {reportCmd{Name: "visitors", URL: breaking.URL}, []string{"the answer of " + breaking.URL + " broke off: unexpected EOF"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := c.flags.answer(t.Context(), &bytes.Buffer{}, &bytes.Buffer{})
			if err == nil || exitCode(err) != 2 || strings.Contains(err.Error(), secretKey) {
				t.Fatalf("exit code %d: %v", exitCode(err), err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

func TestFlagsThatMakeNoQuestionAreRefused(t *testing.T) {
	base, asked := visitors(t)
	cases := map[string]struct {
		flags reportCmd
		want  string
	}{
		"a parameter without a value":  {reportCmd{Name: "visitors", URL: base, question: question{Set: []string{"sort"}}}, "--set sort: say it as NAME=VALUE"},
		"a parameter without a name":   {reportCmd{Name: "visitors", URL: base, question: question{Set: []string{"=x"}}}, "--set =x: say it as NAME=VALUE"},
		"a format as a parameter":      {reportCmd{Name: "visitors", URL: base, question: question{Set: []string{"format=csv"}}}, "--set format=csv: say it as --csv, --json, --ndjson or --table"},
		"a question without a report":  {reportCmd{URL: base, question: question{Space: []string{"berlin"}}}, "which report? 'coworking report' lists them"},
		"the list as CSV":              {reportCmd{URL: base, CSV: true}, "which report? 'coworking report' lists them"},
		"an address without a scheme":  {reportCmd{URL: "127.0.0.1:5153"}, "--url: an address is like https://reports.example.org or http://127.0.0.1:5153"},
		"an address with a password":   {reportCmd{URL: "http://me:secret@127.0.0.1:5153"}, "--url: an address is like https://reports.example.org or http://127.0.0.1:5153"},
		"a key of two words":           {reportCmd{URL: base, Key: "cw_a b"}, "--key (COWORKING_KEY): a key is one word, such as cw_…"},
		"a figure that is not in it":   {reportCmd{Name: "visitors", URL: base, Table: true, Figure: "nope"}, "--figure nope: the figures of this report are visits, hours"},
		"a figure of the empty prefix": {reportCmd{Name: "visitors", URL: base, Table: true, Figure: "x"}, "--figure x: the figures of this report are visits, hours"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			*asked = nil
			var out bytes.Buffer
			err := c.flags.answer(t.Context(), &out, &bytes.Buffer{})
			if err == nil || err.Error() != c.want || exitCode(err) != 1 || out.Len() > 0 {
				t.Errorf("%v, want %s; output %q", err, c.want, &out)
			}
			if c.flags.Figure == "" && len(*asked) > 0 {
				t.Errorf("asked %q", *asked)
			}
		})
	}
}

func TestPagesThatNeverEndAreLeft(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "application/json", `{"data":[{"member":"m"}],"meta":{"next_cursor":"again"}}`)
	}))
	defer server.Close()
	flags := reportCmd{Name: "visitors", URL: server.URL, JSON: true, All: true}
	err := flags.answer(t.Context(), &bytes.Buffer{}, &bytes.Buffer{})
	if err == nil || err.Error() != "the service gives the same cursor again: its pages have no end" {
		t.Errorf("%v", err)
	}
}

func TestAllPagesWaitForAServiceThatAsksForThat(t *testing.T) {
	busy := 3
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if busy--; busy >= 0 {
			w.Header().Set("Retry-After", "0")
			answer(w, http.StatusTooManyRequests, "application/problem+json", `{"code":"too_many_requests","detail":"this key asks too often"}`)
			return
		}
		answer(w, http.StatusOK, "text/csv", "member\r\nm-1\r\n")
	}))
	defer server.Close()
	flags := reportCmd{Name: "visitors", URL: server.URL}
	if err := flags.answer(t.Context(), &bytes.Buffer{}, &bytes.Buffer{}); err == nil || exitCode(err) != 2 || busy != 2 {
		t.Errorf("one page: %v, %d left", err, busy)
	}
	flags.All = true
	var out bytes.Buffer
	if err := flags.answer(t.Context(), &out, &bytes.Buffer{}); err != nil || out.String() != "member\r\nm-1\r\n" {
		t.Errorf("all pages: %v, %q", err, &out)
	}
	busy = 1000
	if err := flags.answer(t.Context(), &out, &bytes.Buffer{}); err == nil || exitCode(err) != 2 || busy != 1000-mostAgain-1 {
		t.Errorf("always busy: %v, %d left", err, busy)
	}
}

func TestAKeyIsNotPrinted(t *testing.T) {
	if text := fmt.Sprintf("%v %s", accessKey(secretKey), reportCmd{Key: secretKey}.Key); strings.Contains(text, secretKey) {
		t.Error(text)
	}
}
