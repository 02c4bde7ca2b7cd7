package checkins_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"coworking/pkg/checkins"
	"coworking/pkg/event"
	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

func TestEventsAreDeliveredOnceAndInOrder(t *testing.T) {
	there := &far{}
	client := open(t, t.TempDir(), there)
	publish(t, client, 0, 300)
	flush(t, client)
	wantIDs(t, numbers(0, 300), there.ids())
	if client.Pending() != 0 || client.Err() != nil {
		t.Errorf("%d wait, %v", client.Pending(), client.Err())
	}
}

func TestAnEventIsCompleted(t *testing.T) {
	client := open(t, t.TempDir(), &far{})
	before := time.Now()
	e := &event.Event{Source: "door", Kind: event.CheckIn, Space: "soho"}
	if err := client.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if len(e.ID) != 36 || e.ID[14] != '7' || e.Time.Before(before.Truncate(time.Microsecond)) || e.Time.After(time.Now()) {
		t.Errorf("id %q, time %v", e.ID, e.Time)
	}
	kept := *e
	if err := client.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept, *e); diff != "" {
		t.Errorf("what is said is changed (-want +got):\n%s", diff)
	}
	member := &event.Event{Source: "office", Kind: event.MemberUpserted, Member: "4711"}
	if err := client.Publish(t.Context(), member); err != nil || member.Space != event.NoSpace {
		t.Errorf("space %q: %v", member.Space, err)
	}
}

func TestWhatTheSystemWouldRefuseIsNotKept(t *testing.T) {
	hours := map[string][2]string{}
	for range 4000 {
		hours[strings.Repeat("x", len(hours)%20)+time.Duration(len(hours)).String()] = [2]string{"08:00", "18:00"}
	}
	cases := map[string]struct {
		change        func(*event.Event)
		code, pointer string
	}{
		"no source":                  {func(e *event.Event) { e.Source = "" }, "invalid_id", "/source"},
		"no space":                   {func(e *event.Event) { e.Space = "" }, "invalid_space", "/data/space"},
		"no kind":                    {func(e *event.Event) { e.Kind = "" }, "unknown_type", "/type"},
		"a word that is none":        {func(e *event.Event) { e.Data.Method = "window" }, "invalid_field", "/data/method"},
		"a field of another kind":    {func(e *event.Event) { e.Data.Reason = "other" }, "unknown_field", "/data"},
		"an hour from now":           {func(e *event.Event) { e.Time = time.Now().Add(time.Hour) }, "future", "/time"},
		"the year 1":                 {func(e *event.Event) { e.Time = e.Time.AddDate(-2025, 0, 0) }, "invalid_time", "/time"},
		"a source that is not UTF-8": {func(e *event.Event) { e.Source = "\xff" }, "invalid_text", ""},
		"a device that is not UTF-8": {func(e *event.Event) { e.Data.Device = "a\xff" }, "invalid_text", "/data"},
		"a name that is not UTF-8": {func(e *event.Event) {
			e.Kind, e.Space, e.Data = event.MemberUpserted, "", event.Data{MemberName: new("a\xff")}
		}, "invalid_text", "/data"},
		"more than the stream takes": {func(e *event.Event) {
			e.Kind, e.Data = event.SpaceUpserted, event.Data{Settings: &event.Settings{OpeningHours: &hours}}
		}, "body_too_large", ""},
		"a control character in a id": {func(e *event.Event) { e.ID = "a\nb" }, "invalid_text", "/id"},
	}
	there := &far{}
	client := open(t, t.TempDir(), there)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e := checkIn(1)
			c.change(e)
			err := client.Publish(t.Context(), e)
			if fault.Of(err) != fault.Invalid || fault.Code(err) != c.code || fault.Pointer(err) != c.pointer {
				t.Errorf("%q %q: %v", fault.Code(err), fault.Pointer(err), err)
			}
		})
	}
	flush(t, client)
	wantIDs(t, nil, there.ids())
}

func TestRefusedEventsAreSetAsideAndBlockNobody(t *testing.T) {
	there := &far{says: func(id string) error {
		if id == "3" || id == "4" || id == "299" {
			return fault.Invalid.With("space_forbidden", "/data/space", "not yours")
		}
		return nil
	}}
	var mu sync.Mutex
	var told []string
	dir := t.TempDir()
	client := open(t, dir, there, checkins.OnRefused(func(r checkins.Refusal) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, r.Event.ID)
	}))
	publish(t, client, 0, 300)
	flush(t, client)
	want := append(append(numbers(0, 3), numbers(5, 299)...), []string{}...)
	wantIDs(t, want, there.ids())
	mu.Lock()
	wantIDs(t, []string{"3", "4", "299"}, told)
	mu.Unlock()

	client.Close()
	client = open(t, dir, &far{})
	all, err := client.Refused()
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	first := all[0]
	first.Time = time.Time{}
	sent := *checkIn(3)
	sent.Data.PartySize = 1
	if diff := cmp.Diff(checkins.Refusal{Event: sent, Code: "space_forbidden", Pointer: "/data/space", Detail: "not yours"}, first); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := client.Forget(all[0], all[2]); err != nil {
		t.Fatal(err)
	}
	if left, err := client.Refused(); err != nil || len(left) != 1 || left[0].Event.ID != "4" {
		t.Errorf("%v, %v", left, err)
	}
}

func TestAFullOutboxIsAnErrorAndEmptiesAgain(t *testing.T) {
	var mu sync.Mutex
	away := true
	there := &far{says: func(string) error {
		mu.Lock()
		defer mu.Unlock()
		if away {
			return fault.Unavailable.With("stream_full", "", "full")
		}
		return nil
	}}
	client := open(t, t.TempDir(), there, checkins.Limit(10_000))
	kept, err := 0, error(nil)
	for ; err == nil; kept++ {
		err = client.Publish(t.Context(), checkIn(kept))
	}
	kept-- // the last was not
	if fault.Code(err) != "outbox_full" || fault.Of(err) != fault.Unavailable || kept < 20 || client.Pending() != kept {
		t.Fatalf("after %d: %v", kept, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := client.Flush(ctx); fault.Of(err) != fault.Unavailable || fault.Code(err) != "stream_full" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("flushing to a full stream: %v", err)
	}
	mu.Lock()
	away = false
	mu.Unlock()
	flush(t, client)
	publish(t, client, kept, kept+5)
	flush(t, client)
	wantIDs(t, numbers(0, kept+5), there.ids())
}

func TestAClosedClient(t *testing.T) {
	away := &far{says: func(string) error { return fault.Unavailable.Errorf("away") }}
	client := open(t, t.TempDir(), away)
	publish(t, client, 0, 3)
	flushed := make(chan error)
	go func() { flushed <- client.Flush(context.Background()) }()
	for range 2 {
		if err := client.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	if err := <-flushed; fault.Code(err) != "outbox_closed" {
		t.Errorf("flushing: %v", err)
	}
	if err := client.Publish(t.Context(), checkIn(3)); fault.Code(err) != "outbox_closed" {
		t.Errorf("publishing: %v", err)
	}
}
