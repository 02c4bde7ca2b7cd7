package reportcard

import (
	"context"
	"fmt"
	"testing"

	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
)

// publish stores check-ins of a space and a source, with the ids from first to last.
func publish(t *testing.T, broker *streamtest.Stream, space, source string, first, last int) {
	t.Helper()
	var messages []stream.Message
	for id := first; id <= last; id++ {
		body := fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":%q,"type":"coworking.v1.checkin","time":"2026-03-02T09:00:00Z","data":{}}`, id, source)
		messages = append(messages, stream.Message{Subject: "checkins.v1." + space + ".checkin", Body: []byte(body)})
	}
	for _, err := range stream.NewPublisher(broker.JS, stream.Patience{}).PublishBatch(t.Context(), messages, nil) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func idsOf(records []Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.ID)
	}
	return all
}

func TestTheLastEventsAreReadHoweverFarBack(t *testing.T) {
	broker := streamtest.New(t)
	publish(t, broker, "soho", "door", 1, 3)
	publish(t, broker, "soho", "kiosk", 11, 12)
	if _, err := broker.JS.Publish(t.Context(), "checkins.v1.soho.checkin", []byte("garbage")); err != nil {
		t.Fatal(err)
	}
	for range 3 { // further back than is looked at first
		publish(t, broker, "mitte", "door", 1, 1000)
	}
	cases := map[string]struct {
		space, source string
		last          int
		want          []string
	}{
		"all there are":            {"soho", "", 10, []string{"1", "2", "3", "11", "12", ""}},
		"the last ones":            {"soho", "", 2, []string{"12", ""}},
		"of a source, and garbage": {"soho", "door", 3, []string{"2", "3", ""}},
		"none of the space":        {"nowhere", "", 10, nil},
		"few of many":              {"mitte", "door", 2, []string{"999", "1000"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			tail, err := NewTail(t.Context(), broker.JS, c.space, c.source)
			if err != nil {
				t.Fatal(err)
			}
			records, err := tail.Stored(t.Context(), c.last)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, idsOf(records)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, r := range records {
				if r.Received.IsZero() || r.Place == "" || (r.Refused != nil) != (r.ID == "") {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

func TestWhatComesWhileSomebodyWatchesIsSeenOnce(t *testing.T) {
	broker := streamtest.New(t)
	publish(t, broker, "soho", "door", 1, 2)
	tail, err := NewTail(t.Context(), broker.JS, "soho", "door")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, broker, "soho", "door", 3, 4) // between the two
	stored, err := tail.Stored(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, broker, "soho", "door", 5, 5)
	ctx, stop := context.WithCancel(t.Context())
	live, err := tail.Live(ctx, func(events int) {
		if events == 3 {
			stop()
		}
	})
	if diff := cmp.Diff([]string{"1", "2"}, idsOf(stored)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"3", "4", "5"}, idsOf(live)); diff != "" {
		t.Errorf("live (-want +got):\n%s", diff)
	}
}

func TestTheDurableIsNotDisturbed(t *testing.T) {
	broker := streamtest.New(t)
	publish(t, broker, "soho", "door", 1, 2)
	tail, err := NewTail(t.Context(), broker.JS, "soho", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tail.Stored(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := tail.Live(ctx, nil); err != nil {
		t.Fatal(err)
	}
	durable, err := stream.Bind(t.Context(), broker.JS, broker.Config, 0)
	if err != nil {
		t.Fatal(err)
	}
	if info := durable.CachedInfo(); info.NumPending != 2 || info.Delivered.Stream != 0 {
		t.Errorf("the durable was disturbed: %+v", info)
	}
}

func TestWithoutAStreamTheAdviceIsGiven(t *testing.T) {
	_, err := NewTail(t.Context(), streamtest.Empty(t).JS, "soho", "")
	if err == nil || err.Error() != "there is no stream CHECKINS; `ingest setup` makes it" {
		t.Errorf("%v", err)
	}
}
