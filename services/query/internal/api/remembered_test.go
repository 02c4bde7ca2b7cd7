package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/services/query/internal/api"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
)

type madeRow struct {
	Times int64 `json:"times" doc:"How often it was made."`
}

// versioned is reports whose answers are of one version, and that count how often
// they were asked for one, and for its version.
type versioned struct {
	version  string
	stands   bool
	versions int
	answers  int
}

func (v *versioned) Version(context.Context, report.Question) (string, report.Basis, error) {
	v.versions++
	return v.version, report.Basis{}, nil
}

func (v *versioned) Stands(context.Context, report.Basis, time.Time) (bool, error) {
	return v.stands, nil
}

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

// As long as a version stands it is not worked out anew; another question has another.
func TestAVersionThatStandsIsTaken(t *testing.T) {
	made := &versioned{version: "one", stands: true}
	handler := serve(func(c *api.Config) { c.Reports = made })
	for range 3 {
		for _, address := range []string{"daily_usage", "daily_usage.csv", "daily_usage?space=berlin"} {
			if response := ask(handler, http.MethodGet, "/api/v1/reports/"+address); response.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", address, response.Code, response.Body)
			}
		}
	}
	if made.versions != 3 {
		t.Errorf("the versions of three questions were worked out %d times", made.versions)
	}
	made.stands = false
	if ask(handler, http.MethodGet, "/api/v1/reports/daily_usage"); made.versions != 4 {
		t.Error("a version that fell is taken")
	}
}

// slow is reports that count until they are let go, or until who asked is gone.
type slow struct {
	versioned

	counting chan struct{} // one for each that counts
	done     chan struct{}
}

func (s *slow) Answer(ctx context.Context, _ report.Question) (report.Answer, error) {
	s.counting <- struct{}{}
	select {
	case <-s.done:
		return report.Answer{Version: s.version}, nil
	case <-ctx.Done():
		return report.Answer{}, fault.Unavailable.Errorf("counting: %w", ctx.Err())
	}
}

func (s *slow) Version(context.Context, report.Question) (string, report.Basis, error) {
	return s.version, report.Basis{}, nil
}

// However many ask at a time, one counts; if that one goes away, the others count.
func TestOneCountsForAll(t *testing.T) {
	for name, leaves := range map[string]bool{"who counts stays": false, "who counts goes away": true} {
		t.Run(name, func(t *testing.T) {
			made := &slow{versioned: versioned{version: "one"}, counting: make(chan struct{}, 10), done: make(chan struct{})}
			handler := serve(func(c *api.Config) { c.Reports, c.AtOnce = made, 10 })
			get := func(ctx context.Context) int {
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/reports/daily_usage", nil))
				return recorder.Code
			}
			first, leave := context.WithCancel(t.Context())
			defer leave()
			answers := make(chan int, 5)
			go func() { answers <- get(first) }()
			<-made.counting
			for range 4 {
				go func() { answers <- get(t.Context()) }()
			}
			want := map[int]int{http.StatusOK: 5}
			if leaves {
				want = map[int]int{http.StatusOK: 4, http.StatusServiceUnavailable: 1}
				leave()
				<-made.counting // another counts
			}
			close(made.done)
			got := map[int]int{}
			for range 5 {
				got[<-answers]++
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
		})
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
