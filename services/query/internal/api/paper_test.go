package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"coworking/services/query/internal/api"
	"coworking/services/query/internal/report"
)

type inside struct {
	Member   string    `json:"member" doc:"who"`
	LastSeen time.Time `json:"last_seen" doc:"when"`
}

func TestARollCallIsAPageToPrint(t *testing.T) {
	through := noon.Add(-2 * time.Second)
	handler := serve(func(c *api.Config) {
		c.Reports = answers(func(context.Context) (report.Answer, error) {
			return report.Answer{
				Columns: report.ColumnsOf[inside](),
				Rows:    []any{&inside{"ada", noon.Add(-time.Hour)}, &inside{"<b>ben & co</b>", noon.Add(-24 * time.Hour)}},
				Totals:  struct{ Members, Anonymous, Present int64 }{2, 1, 3}, // as roll_call's
				Meta: report.Meta{
					Report: "roll_call", TZ: "Asia/Kathmandu", AsOf: noon, CompleteThrough: &through,
					Filters: report.Filters{"space": {"soho", "annex"}},
				},
			}, nil
		})
	})
	response := ask(handler, http.MethodGet, "/api/v1/reports/roll_call.html")
	body := response.Body.String()
	p, err := readPage(body)
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	judge(t, "roll_call.html", p)
	zone := time.FixedZone("+0545", (5*60+45)*60)
	for _, words := range []string{
		"soho, annex, " + noon.In(zone).Format("2006-01-02 15:04:05 MST"), "up to " + through.In(zone).Format(time.TimeOnly) + " is in it",
		"members <strong>2</strong> · anonymous <strong>1</strong> · present <strong>3</strong>",
		`<th scope="col">last seen</th>`, noon.Add(-time.Hour).Format("<td>15:04</td>"), noon.Add(-24 * time.Hour).Format("<td>2006-01-02 15:04</td>"),
		`<td>☐</td><th scope="row">&lt;b&gt;ben &amp; co&lt;/b&gt;</th>`,
	} {
		if !strings.Contains(strings.ReplaceAll(body, "&#43;", "+"), words) {
			t.Errorf("nowhere does it say %q: %s", words, body)
		}
	}
	for header, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Content-Disposition": "", "Cache-Control": "private, no-cache", "Referrer-Policy": "no-referrer",
	} {
		if got := response.Header().Get(header); got != want {
			t.Errorf("%s is %q", header, got)
		}
	}
	if got := response.Header().Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") {
		t.Errorf("it may load what it wants: %q", got)
	}
	if p := problem(t, ask(handler, http.MethodGet, "/api/v1/reports/daily_usage.html")); p.Code != "report_not_found" {
		t.Errorf("another report is printed, too: %+v", p)
	}
}
