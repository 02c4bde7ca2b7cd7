// Package upload publishes many events and keeps account of what became of each.
package upload

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"coworking/cmd/coworking/internal/progress"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
)

// batchSize is how many events go to the stream at once: what it takes as one
// atomic batch.
const batchSize = 1000

// shownPlaces is how many of the places that share a reason are named.
const shownPlaces = 10

// Upload is an account of events on their way to the stream. It is used by one
// goroutine at a time.
type Upload struct {
	Stored  int
	Refused int

	publisher *stream.Publisher
	messages  []stream.Message
	places    []string
	reasons   []*reason // in the order in which they were first met
}

// reason is why some of the events were refused.
type reason struct {
	code   string
	first  string // the sentence of the first
	places []string
	count  int
}

// New is an account with nothing in it.
func New(publisher *stream.Publisher) *Upload { return &Upload{publisher: publisher} }

// Event adds an event. place is what people find it by: line 7. The error says that
// the stream is away: what comes after would fail the same.
func (u *Upload) Event(ctx context.Context, place string, e *event.Event) error {
	return u.Add(ctx, place, stream.Message{Subject: e.Subject(), Body: e.Encode(nil)})
}

// Add adds a message that holds an event. Its body must not be changed afterwards.
func (u *Upload) Add(ctx context.Context, place string, message stream.Message) error {
	u.messages, u.places = append(u.messages, message), append(u.places, place)
	if len(u.messages) < batchSize {
		return nil
	}
	return u.Flush(ctx)
}

// Flush publishes what is waiting. Only then is all of it in the account.
func (u *Upload) Flush(ctx context.Context) error {
	results := u.publisher.PublishBatch(ctx, u.messages, nil)
	var away error
	for i, err := range results {
		switch {
		case err == nil:
			u.Stored++
		case fault.Of(err) == fault.Invalid:
			u.Refuse(u.places[i], err)
		default:
			u.Refuse(u.places[i], err)
			away = err
		}
	}
	u.messages, u.places = u.messages[:0], u.places[:0]
	return away
}

// Refuse takes an event into the account that is not fit to be published.
func (u *Upload) Refuse(place string, err error) {
	u.Refused++
	code := fault.Code(err)
	if code == "" {
		code = fault.Of(err).String()
	}
	at := slices.IndexFunc(u.reasons, func(r *reason) bool { return r.code == code })
	if at < 0 {
		at = len(u.reasons)
		u.reasons = append(u.reasons, &reason{code: code, first: err.Error()})
	}
	r := u.reasons[at]
	r.count++
	if len(r.places) < shownPlaces {
		r.places = append(r.places, place)
	}
}

// Report says what became of the events.
func (u *Upload) Report(out io.Writer) {
	fmt.Fprintf(out, "stored  %s\n", progress.Grouped(int64(u.Stored)))
	fmt.Fprintf(out, "refused %s\n", progress.Grouped(int64(u.Refused)))
	for _, r := range u.reasons {
		places := strings.Join(r.places, ", ")
		if r.count > len(r.places) {
			places += ", …"
		}
		fmt.Fprintf(out, "  %d × %s: %s\n      the first: %s\n", r.count, r.code, places, r.first)
	}
}

// Err is nil if everything was stored.
func (u *Upload) Err() error {
	if u.Refused == 0 {
		return nil
	}
	return fault.Invalid.Errorf("%s of %s events were not stored",
		progress.Grouped(int64(u.Refused)), progress.Grouped(int64(u.Stored+u.Refused)))
}
