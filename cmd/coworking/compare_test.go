package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coworking/pkg/boot"

	"github.com/google/go-cmp/cmp"
)

// serving is a system that answers both reports.
func serving(t *testing.T, bodies map[string]string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/api/reports/")
		switch body, ok := bodies[name]; {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		case body == "a key" && r.Header.Get("Authorization") != "Bearer cw_right":
			w.WriteHeader(http.StatusUnauthorized)
		case body == "a key":
			_, _ = w.Write([]byte("{}\n"))
		case body == "ill":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = w.Write([]byte(body))
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestTwoSystemsSideBySide(t *testing.T) {
	two := map[string]string{"daily_usage": `{"2026-01-01":2}` + "\n", "user_visits": `{"7":{"joined_at":"None","visits":2}}` + "\n"}
	with := func(name, body string) map[string]string {
		return map[string]string{"daily_usage": two["daily_usage"], "user_visits": two["user_visits"], name: body}
	}
	cases := map[string]struct {
		old, current map[string]string
		flags        compareLegacyCmd
		want, fails  string
		code         int
	}{
		"equal": {old: two, current: two, want: "daily_usage: equal, 1 day\nuser_visits: equal, 1 user\n"},
		"a user's visits": {
			old: two, current: with("user_visits", `{"7":{"joined_at":"None","visits":1}}`+"\n"), code: 1, fails: "differ",
			want: "daily_usage: equal, 1 day\nuser_visits: 1 different, of 1 user\n  user 7 visits: old 2, new 1\n",
		},
		"a day": {
			old: two, current: with("daily_usage", "{}\n"), code: 1, fails: "differ",
			want: "daily_usage: 1 different, of 1 day\n  day 2026-01-01: old 2, new none\nuser_visits: equal, 1 user\n",
		},
		"as JSON": {
			old: two, current: with("daily_usage", "{}\n"), flags: compareLegacyCmd{JSON: true}, code: 1, fails: "differ",
			want: `{"equal":false,"reports":[{"report":"daily_usage","equal":false,"keys":1,"differences":1,"first":[{"key":"2026-01-01","old":2,"new":null}]},` +
				`{"report":"user_visits","equal":true,"keys":1,"differences":0}]}`,
		},
		"a new line too many": {
			old: with("daily_usage", two["daily_usage"]+"\n"), current: two, code: 1, fails: "differ",
			want: "daily_usage: the same values of 1 day, but other bytes, from byte 17 on:\n  old \"\\n\"\n  new \"\"\nuser_visits: equal, 1 user\n",
		},
		"no report":     {old: map[string]string{}, current: two, code: 2, fails: "(--old) has no daily_usage: it answers 404 Not Found"},
		"no answer":     {old: with("daily_usage", "ill"), current: two, code: 2, fails: "has no daily_usage now: it answers 503 Service Unavailable"},
		"no JSON":       {old: two, current: with("user_visits", "<html>"), code: 2, fails: "the new system's user_visits is no answer"},
		"without a key": {old: with("user_visits", "{}\n"), current: with("user_visits", "a key"), code: 2, fails: "give a key that may read members by COWORKING_KEY"},
		"with a key": {
			old: with("user_visits", "{}\n"), current: with("user_visits", "a key"), flags: compareLegacyCmd{Key: "cw_right"},
			want: "daily_usage: equal, 1 day\nuser_visits: equal, 0 users\n",
		},
		"no address": {old: two, current: two, flags: compareLegacyCmd{New: "localhost"}, code: 2, fails: "--new: an address is like"},
		"nobody there": {
			old: two, current: two, flags: compareLegacyCmd{New: "http://127.0.0.1:1", Wait: 50 * time.Millisecond}, code: 2, fails: "nothing answers at http://127.0.0.1:1 (--new)",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			flags := c.flags
			flags.Old = serving(t, c.old).URL
			if flags.New == "" {
				flags.New = serving(t, c.current).URL
			}
			var out bytes.Buffer
			err := flags.Run(t.Context(), &out)
			code := 0
			if failure, ok := errors.AsType[boot.ExitCode](err); ok {
				code = failure.ExitCode()
			}
			if code != c.code || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%v, code %d, want %d", err, code, c.code)
			}
			got := out.String()
			if flags.JSON {
				got = strings.NewReplacer("\n", "", "  ", "", ": ", ":").Replace(got)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAComparisonWaitsForWhoCatchesUp(t *testing.T) {
	asked := 0
	old := serving(t, map[string]string{"daily_usage": "{}", "user_visits": "{}"})
	current := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch asked++; {
		case asked <= 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case asked <= 3:
			_, _ = w.Write([]byte(`{"2026-01-01":1}`))
		default:
			_, _ = w.Write([]byte("{}"))
		}
	}))
	defer current.Close()
	var out bytes.Buffer
	flags := compareLegacyCmd{Old: old.URL, New: current.URL, Wait: time.Minute}
	if err := flags.Run(t.Context(), &out); err != nil || asked != 5 {
		t.Errorf("%v, asked %d times\n%s", err, asked, &out)
	}
}

func TestOneOldSystemIsCompared(t *testing.T) {
	for name, flags := range map[string]compareLegacyCmd{"none": {New: "http://a"}, "two": {New: "http://a", Old: "http://b", OldDSN: "postgres://c/d"}} {
		err := flags.Run(t.Context(), nil)
		if failure, ok := errors.AsType[boot.ExitCode](err); !ok || failure.ExitCode() != 2 || !strings.Contains(err.Error(), "where is the old system?") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
