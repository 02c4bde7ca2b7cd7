package settings

import (
	"testing"
	"time"

	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatWasSaidOfSpacesIsRead(t *testing.T) {
	broker := streamtest.New(t)
	publisher := stream.NewPublisher(broker.JS, stream.Patience{})
	body := func(id, day, data string) []byte {
		return []byte(`{"specversion":"1.0","id":"` + id + `","source":"t","type":"coworking.v1.space_upserted","time":"` + day + `T00:00:00Z","data":` + data + `}`)
	}
	for _, m := range []stream.Message{
		{Subject: "checkins.v1.soho.space_upserted", Body: body("1", "2026-02-01", `{"space":"soho","time_zone":"America/New_York","capacity":10}`)},
		{Subject: "checkins.v1.soho.space_upserted", Body: body("2", "2026-03-01", `{"space":"soho","capacity":20}`)},
		{Subject: "checkins.v1.soho.space_upserted", Body: body("2", "2026-04-01", `{"space":"soho","capacity":99}`)}, // a conflict
		{Subject: "checkins.v1.soho.space_upserted", Body: []byte(`poison`)},
		{Subject: "checkins.v1.soho.checkin", Body: body("3", "2026-03-01", `{"space":"soho"}`)},
		{Subject: "checkins.v1.mitte.space_upserted", Body: body("1", "2026-02-01", `{"space":"mitte","name":"Mitte"}`)},
	} {
		if err := publisher.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	spaces, err := Read(t.Context(), broker.JS)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Space, Name, Zone string
		Seats             int
	}
	var got []line
	for _, s := range spaces {
		on := s.Calendar.On(s.Calendar.Day(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)))
		got = append(got, line{s.Name, on.Name, on.Zone.String(), on.Capacity})
	}
	want := []line{{"mitte", "Mitte", "UTC", 0}, {"soho", "", "America/New_York", 20}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWithoutAStreamTheAdviceIsGiven(t *testing.T) {
	_, err := Read(t.Context(), streamtest.Empty(t).JS)
	if err == nil || err.Error() != "there is no stream CHECKINS; `ingest setup` makes it" {
		t.Errorf("%v", err)
	}
}
