package api_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/services/query/internal/api"
	"coworking/services/query/internal/report"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

type madeRow struct {
	Times int64 `json:"times" doc:"How often it was made."`
}

// versioned is reports whose answers are of one version, and that count how often
// they were asked for one, and for its version.
type versioned struct {
	version  string
	more     int // rows than one
	stands   bool
	versions int
	answers  int
}

func (v *versioned) Look(_ context.Context, q report.Question, _ report.Likely) (report.Look, error) {
	v.versions++
	return report.Look{Version: v.version, Answer: func(ctx context.Context) (report.Answer, error) { return v.Answer(ctx, q) }}, nil
}

func (v *versioned) Stands(context.Context, report.Basis, time.Time) (bool, report.Likely, error) {
	return v.stands, report.Likely{}, nil
}

func (v *versioned) Answer(context.Context, report.Question) (report.Answer, error) {
	v.answers++
	rows := []any{&madeRow{int64(v.answers)}}
	for i := range v.more {
		rows = append(rows, &madeRow{int64(i * i)})
	}
	return report.Answer{Version: v.version, Rows: rows, Columns: report.ColumnsOf[madeRow]()}, nil
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

func (s *slow) Look(_ context.Context, q report.Question, _ report.Likely) (report.Look, error) {
	return report.Look{Version: s.version, Answer: func(ctx context.Context) (report.Answer, error) { return s.Answer(ctx, q) }}, nil
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

// What is remembered goes out as it is kept, with its length: packed for who takes
// that. How it is sent changes nothing else of it.
func TestARememberedAnswerIsSentAsItsReaderTakesIt(t *testing.T) {
	const plain, packed = "", "gzip"
	cases := map[string]struct {
		more    int
		accepts string
		want    string
	}{
		"a browser":                      {5000, "gzip, deflate, br, zstd", packed},
		"gzip in other words":            {5000, "deflate, x-gzip;q=0.5", packed},
		"gzip and nothing else":          {5000, "gzip;q=1.0, *;q=0", packed},
		"who does not say":               {5000, "", plain},
		"who takes it as it is":          {5000, "identity", plain},
		"who takes anything":             {5000, "*", plain},
		"who takes all but gzip":         {5000, "deflate, gzip ; Q=0.000, *", plain},
		"a name that only begins alike":  {5000, "gzippy", plain},
		"a short answer is not worth it": {0, "gzip", plain},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.InfoLevel)
			server := httptest.NewServer(serve(func(config *api.Config) {
				config.Reports, config.Log = &versioned{version: "one", stands: true, more: c.more}, zap.New(core)
			}))
			defer server.Close()
			first := fetch(t, server, http.MethodGet, "/api/v1/reports/daily_usage.csv", c.accepts)
			if lines := strings.Count(first.text, "\r\n"); first.encoding != c.want || lines != c.more+2 {
				t.Errorf("first it is %q, %d lines", first.encoding, lines)
			}
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
				want := first
				if method == http.MethodHead {
					want.text = ""
				}
				again := fetch(t, server, method, "/api/v1/reports/daily_usage.csv", c.accepts)
				if length := again.length; length < 0 || c.want == plain && length != int64(len(first.text)) || c.want == packed && length > int64(len(first.text)/2) {
					t.Errorf("%s again has %d bytes", method, length)
				}
				again.length = want.length
				if diff := cmp.Diff(want, again, cmp.AllowUnexported(fetched{})); diff != "" {
					t.Errorf("%s again (-first +again):\n%s", method, diff)
				}
			}
			server.Close() // what is answered is logged then
			for i, entry := range logs.FilterMessage("request").All() {
				if got := entry.ContextMap()["bytes"]; got != int64(len(first.text)) {
					t.Errorf("request %d is logged with %v bytes", i+1, got)
				}
			}
			if logs.Len() != 4 {
				t.Errorf("%d lines in the log", logs.Len())
			}
		})
	}
}

// fetched is an answer as a client has it.
type fetched struct {
	status   int
	header   http.Header // without what is beside it, and without the date
	length   int64       // of what was sent; -1: nobody said
	encoding string
	text     string // unpacked
}

// fetch asks over a connection, and unpacks what comes.
func fetch(t *testing.T, server *httptest.Server, method, address, accepts string) fetched {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accepts != "" {
		request.Header.Set("Accept-Encoding", accepts)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}} // it says what it was told, and no more
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got := fetched{status: response.StatusCode, header: response.Header, length: response.ContentLength, encoding: response.Header.Get("Content-Encoding")}
	body := io.Reader(response.Body)
	if got.encoding == "gzip" && method != http.MethodHead {
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	got.text = string(text)
	for _, name := range []string{"Date", "Content-Length", "Content-Encoding"} {
		got.header.Del(name)
	}
	return got
}

// Who reads an answer of a few rows knows from its length when it is there; a long one is
// sent while it is made.
func TestAShortAnswerSaysHowLongItIs(t *testing.T) {
	t.Parallel()
	const more = -1 // than a short one has
	for name, c := range map[string]struct {
		rows int
		want int64
	}{
		"no row": {0, 0}, "a row": {1, int64(len(`{"member":"ada","visits":3}` + "\n"))}, "many rows": {5000, more},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(serve(func(config *api.Config) {
				config.Reports = answers(func(context.Context) (report.Answer, error) {
					return report.Answer{Rows: slices.Repeat([]any{&saidRow{"ada", 3}}, c.rows)}, nil
				})
			}))
			t.Cleanup(server.Close)
			got := fetch(t, server, http.MethodGet, "/api/v1/reports/daily_usage.ndjson", "")
			if lines := strings.Count(got.text, "\n"); got.status != http.StatusOK || got.length != c.want || lines != c.rows {
				t.Errorf("%d, %d lines, length %d; want 200, %d and %d", got.status, lines, got.length, c.rows, c.want)
			}
		})
	}
}

func TestAnAnswerThatCannotBeWrittenIsAFault(t *testing.T) {
	t.Parallel()
	handler := serve(func(c *api.Config) {
		c.Reports = answers(func(context.Context) (report.Answer, error) {
			return report.Answer{Rows: []any{&saidRow{"ada", 3}, func() {}}}, nil
		})
	})
	if response := ask(handler, http.MethodGet, "/api/v1/reports/daily_usage"); response.Code != http.StatusInternalServerError {
		t.Errorf("%d %s", response.Code, response.Body)
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
