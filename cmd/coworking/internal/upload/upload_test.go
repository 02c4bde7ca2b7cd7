package upload

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func now() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

func checkIn(id string, more string) string {
	return `{"specversion":"1.0","id":"` + id + `","source":"door","type":"coworking.v1.checkin","time":"2026-06-01T11:00:00Z","data":{"space":"soho"` + more + `}}`
}

func messages(t *testing.T, s *streamtest.Stream) int {
	t.Helper()
	there, err := s.JS.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := there.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return int(info.State.Msgs)
}

func TestEachLineIsAccountedFor(t *testing.T) {
	lines := []string{
		checkIn("1", ""),
		"",
		checkIn("2", `,"metod":"door"`),
		"{",
		"  \t",
		checkIn("3", "") + "\r",
		strings.Replace(checkIn("4", ""), "T11:00", "T12:06", 1),
		checkIn("5", `,"metod":"app"`),
		strings.Repeat("x", longestLine+1),
		checkIn("6", `,"zone":"`+strings.Repeat("x", 70_000)+`"`),
		checkIn("7", ""), // no newline after it
	}
	s := streamtest.New(t)
	u := New(stream.NewPublisher(s.JS, stream.Patience{}))
	var told int64
	err := u.Lines(t.Context(), strings.NewReader(strings.Join(lines, "\n")), now, func(n int64) { told = n })
	if err != nil {
		t.Fatal(err)
	}
	var report bytes.Buffer
	u.Report(&report)
	want := `stored  3
refused 6
  2 × unknown_field: line 3, line 8
      the first: checkin has no field "metod", but space, method, zone, device, plan, team, party_size, token_id
  1 × invalid_json: line 4
  1 × future: line 7
  1 × body_too_large: line 9
  1 × invalid_field: line 10
`
	var got strings.Builder
	for line := range strings.Lines(report.String()) {
		if !strings.HasPrefix(line, "      the first:") || strings.Contains(line, "metod") {
			got.WriteString(line)
		}
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if u.Err() == nil || u.Err().Error() != "6 of 9 events were not stored" {
		t.Errorf("%v", u.Err())
	}
	if n := messages(t, s); n != 3 {
		t.Errorf("the stream has %d messages", n)
	}
	if size := int64(len(strings.Join(lines, "\n"))); told != size {
		t.Errorf("told of %d bytes, there were %d", told, size)
	}
}

func TestManyEventsGoInBatches(t *testing.T) {
	s := streamtest.New(t)
	u := New(stream.NewPublisher(s.JS, stream.Patience{}))
	var in bytes.Buffer
	for i := range 2*batchSize + 7 {
		fmt.Fprintln(&in, checkIn(fmt.Sprint(i), ""))
	}
	if err := u.Lines(t.Context(), &in, now, nil); err != nil {
		t.Fatal(err)
	}
	if n := messages(t, s); n != 2*batchSize+7 || u.Stored != n || u.Err() != nil {
		t.Errorf("%d stored, the stream has %d, %v", u.Stored, n, u.Err())
	}
}

func TestNothingIsTakenForStoredWhileTheStreamIsAway(t *testing.T) {
	s := streamtest.New(t)
	u := New(stream.NewPublisher(s.JS, stream.Patience{Acknowledgement: 200 * time.Millisecond}))
	s.Stop()
	defer s.Restart()
	err := u.Lines(t.Context(), strings.NewReader(checkIn("1", "")), now, nil)
	if fault.Of(err) != fault.Unavailable || u.Stored != 0 || u.Refused != 1 {
		t.Errorf("%v; %d stored, %d refused", err, u.Stored, u.Refused)
	}
}

// With patience, the same events are sent again once the stream is back.
func TestAnOutageThatPassesCostsNothing(t *testing.T) {
	s := streamtest.New(t)
	u := New(stream.NewPublisher(s.JS, stream.Patience{Acknowledgement: 200 * time.Millisecond, Outage: time.Minute}))
	s.Stop()
	back := make(chan struct{})
	go func() {
		defer close(back)
		s.Restart()
	}()
	err := u.Lines(t.Context(), strings.NewReader(checkIn("1", "")+"\n"+checkIn("2", "")), now, nil)
	<-back
	if err != nil || u.Stored != 2 || u.Err() != nil {
		t.Errorf("%v; %d stored, %v", err, u.Stored, u.Err())
	}
}
