package checkins

import (
	"context"
	"crypto/rand"
	"reflect"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
)

// longestEvent is what the stream takes, less what a batch adds.
const longestEvent = stream.MaxMessage - 1<<10

// Publish keeps an event, and returns once it is synced to this machine's disk: from
// then on no crash and no power cut loses it, and it will be delivered. That the other
// side has it is not said here; Flush waits for that.
//
// Where the event has no time it gets this moment's; where it has no id, a UUIDv7. Both
// are written into e, so that whoever is told an error and publishes the same e again
// speaks of the same event. ctx is looked at before anything is written.
//
// The error is fault.Invalid, with the code and the pointer of what is wrong with the
// event, if the system would refuse it: nothing is kept then. It is fault.Unavailable
// with `outbox_full`, `outbox_closed`, or `outbox_failed`, which means that the disk
// did not take it; after that one it may be delivered all the same.
func (c *Client) Publish(ctx context.Context, e *event.Event) error {
	if err := ctx.Err(); err != nil {
		return fault.Unavailable.Errorf("publishing: %w", err)
	}
	now := time.Now()
	if err := complete(e, now); err != nil {
		return err
	}
	body := e.Encode(nil)
	if err := check(e, body, now); err != nil {
		return err
	}
	if err := c.box.Append(body); err != nil {
		return err
	}
	select {
	case c.wake <- struct{}{}:
	default: // it will look anyway
	}
	return nil
}

// complete fills in what the caller need not say.
func complete(e *event.Event, now time.Time) error {
	if e.Time.IsZero() {
		e.Time = now
	}
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	if e.Space == "" && e.Kind == event.MemberUpserted {
		e.Space = event.NoSpace
	}
	if e.ID != "" {
		return nil
	}
	id, err := event.NewID(e.Time, rand.Reader)
	if err != nil {
		return fault.Internal.Errorf("making an id: %w", err)
	}
	e.ID = id
	return nil
}

// check refuses here, where somebody sees it, what the system would refuse.
func check(e *event.Event, body []byte, now time.Time) error {
	if len(body) > longestEvent {
		return fault.Invalid.With("body_too_large", "", "an event of %d bytes: the stream takes %d", len(body), longestEvent)
	}
	told, err := event.Decode(body, event.Options{Strict: true})
	if err != nil {
		return err
	}
	if err := same(e, &told); err != nil {
		return err
	}
	return e.CheckFuture(now)
}

// same refuses an event that says what cannot be told: a field that its kind does not
// have, or text that is not UTF-8.
func same(e, told *event.Event) error {
	if e.ID != told.ID || e.Source != told.Source || e.Member != told.Member {
		return fault.Invalid.With("invalid_text", "", "id, source or member is not UTF-8")
	}
	said, kept := reflect.ValueOf(e.Data), reflect.ValueOf(told.Data)
	for i := range said.NumField() {
		name := said.Type().Field(i).Name
		switch {
		case said.Field(i).IsZero():
		case kept.Field(i).IsZero():
			return fault.Invalid.With("unknown_field", "/data", "an event of kind %s has no %s", e.Kind, name)
		case text(said.Field(i)) != text(kept.Field(i)):
			return fault.Invalid.With("invalid_text", "/data", "%s is not UTF-8", name)
		}
	}
	return nil
}

// text is what a field says that holds a text or points to one, else "".
func text(field reflect.Value) string {
	field = reflect.Indirect(field)
	if field.Kind() != reflect.String {
		return ""
	}
	return field.String()
}
