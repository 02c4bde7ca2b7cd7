package api_test

import (
	"context"
	"net/http"
	"testing"

	"coworking/services/query/internal/api"
	"coworking/services/query/internal/report"
)

type madeRow struct {
	Times int64 `json:"times" doc:"How often it was made."`
}

// versioned is reports whose answers are of one version, and that count how often
// they were asked for one.
type versioned struct {
	version string
	answers int
}

func (v *versioned) Version(context.Context, report.Question) (string, error) { return v.version, nil }

func (v *versioned) Answer(context.Context, report.Question) (report.Answer, error) {
	v.answers++
	return report.Answer{Version: v.version, Rows: []any{&madeRow{int64(v.answers)}}, Columns: report.ColumnsOf[madeRow]()}, nil
}

func TestAnAnswerIsMadeOnceAVersion(t *testing.T) {
	made := &versioned{version: "one"}
	handler := serve(func(c *api.Config) { c.Reports = made })
	get := func(address string) string {
		response := ask(handler, http.MethodGet, "/api/v1/reports/"+address)
		if response.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", address, response.Code, response.Body)
		}
		return response.Body.String() + response.Header().Get("Content-Disposition") + response.Header().Get("ETag")
	}
	first := get("daily_usage.csv")
	if again := get("daily_usage.csv"); again != first || made.answers != 1 {
		t.Errorf("it was made %d times: %s, then %s", made.answers, first, again)
	}
	if get("daily_usage"); made.answers != 2 {
		t.Error("another format is another answer")
	}
	made.version = "two"
	if got := get("daily_usage.csv"); got == first || made.answers != 3 {
		t.Errorf("after an event the old answer is given: %s", got)
	}
}

// A spreadsheet has no place for a cursor: a header tells where the rows go on.
func TestAPageNamesTheNext(t *testing.T) {
	cursor := "abc"
	handler := serve(func(c *api.Config) {
		c.Reports = answers(func(context.Context) (report.Answer, error) {
			return report.Answer{Meta: report.Meta{NextCursor: &cursor}}, nil
		})
	})
	response := ask(handler, http.MethodGet, "/api/v1/reports/daily_usage.csv?limit=2&cursor=old")
	if got, want := response.Header().Get("Link"), `</api/v1/reports/daily_usage.csv?cursor=abc&limit=2>; rel="next"`; got != want {
		t.Errorf("it is %s, not %s", got, want)
	}
}
