package picture

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestADayIsABlock(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		_, _ = w.Write([]byte(`{"data":[
			{"date":"2026-05-11","visits":null},{"date":"2026-05-12","visits":0},{"date":"2026-05-13","visits":1},{"date":"2026-05-14","visits":40},
			{"date":"2026-05-15","visits":80},{"date":"2026-05-16","visits":20},{"date":"2026-05-17","visits":10},{"date":"2026-05-18","visits":79}],
			"totals":{"checkins":1234,"visits":230,"unique_members":99,"failed":3},"meta":{"tz":"Asia/Kathmandu"}}`))
	}))
	defer server.Close()
	var out bytes.Buffer
	if err := Draw(t.Context(), &out, server.URL, []string{"thamel"}, time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	want := `Visits a day, the last 9 weeks, each from Monday to Sunday by its space's own clock

thamel               Asia/Kathmandu        1,234 check-ins     230 visits    99 members    3 refused
                      ·▁▄█▂▁ █

`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := "/api/v1/reports/daily_usage?from=2026-03-23&space=thamel&to=2026-05-25"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
}

func TestAReportThatIsRefusedIsSaid(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no such space", http.StatusNotFound)
	}))
	defer server.Close()
	err := Draw(t.Context(), &bytes.Buffer{}, server.URL, []string{"thamel"}, time.Now())
	if err == nil || err.Error() != "asking for a report: 404 Not Found: no such space\n" {
		t.Errorf("%v", err)
	}
}
