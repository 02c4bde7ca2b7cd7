package legacy

import (
	"context"
	"time"

	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/event"
)

// Import is what is brought along, and where to.
type Import struct {
	Space     string     // that the tokens opened
	UsersAsOf *time.Time // see User.Event
	Now       time.Time  // later events are refused
	Account   *upload.Upload
	Tell      func(rows int64) // is told after each row how many were read
}

// Run publishes everything that the old system knows, users first. Any number of
// runs give the same events. What is wrong with a row is in the account; the error
// says that the database or the stream is away.
func (i *Import) Run(ctx context.Context, from *Reader) error {
	var rows int64
	for user, err := range from.Users(ctx) {
		if err != nil {
			return err
		}
		e := user.Event(i.UsersAsOf, i.Now)
		if err := i.publish(ctx, "users row "+user.ID, &e); err != nil {
			return err
		}
		rows++
		i.Tell(rows)
	}
	for token, err := range from.Tokens(ctx) {
		if err != nil {
			return err
		}
		place := "tokens row " + token.ID
		events, err := token.Events(i.Space)
		if err != nil {
			i.Account.Refuse(place, err)
		}
		for at := range events {
			if err := i.publish(ctx, place, &events[at]); err != nil {
				return err
			}
		}
		rows++
		i.Tell(rows)
	}
	return i.Account.Flush(ctx)
}

// publish stores an event that the system would take, and refuses any other here,
// where its row is known.
func (i *Import) publish(ctx context.Context, place string, e *event.Event) error {
	_, err := event.Decode(e.Encode(nil), event.Options{Strict: true})
	if err == nil {
		err = e.CheckFuture(i.Now)
	}
	if err != nil {
		i.Account.Refuse(place, err)
		return nil
	}
	return i.Account.Event(ctx, place, e)
}
