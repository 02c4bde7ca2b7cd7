package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"coworking/pkg/fault"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Message is what a publisher sends: a subject (checkins.v1.<space>.<kind>) and
// the event as it is stored. Subject and header together may take 64 KiB with the
// body, less what a batch adds.
type Message struct {
	Subject string
	Body    []byte
}

// Publisher stores messages in the stream, and says of each whether the stream has
// it. It may be used by many goroutines at once.
//
// It never sets Nats-Msg-Id. An acknowledgement that got lost leaves the outcome
// unknown, so the same message is sent again: the database counts an event once
// however often the stream holds it.
type Publisher struct {
	conn     *nats.Conn
	js       jetstream.JetStream
	patience Patience
	inflight chan struct{} // batches under way
	pace     *pace
}

// Patience is how long a publisher waits.
type Patience struct {
	Acknowledgement time.Duration // for one answer; default 5 s
	Outage          time.Duration // for a stream that is away or full to be well again; zero: not at all
}

// How a publisher behaves towards the broker.
const (
	maxBatch     = 1000               // the broker's limit for one batch
	maxInflight  = 16                 // of the 50 batches that a stream takes at once
	maxSingles   = 256                // unanswered at once
	maxBody      = MaxMessage - 1<<10 // room for the headers of a batch
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

// NewPublisher is a publisher on a connection that Connect gave.
func NewPublisher(js jetstream.JetStream, patience Patience) *Publisher {
	patience.Acknowledgement = cmp.Or(patience.Acknowledgement, requestTimeout)
	return &Publisher{conn: js.Conn(), js: js, patience: patience, inflight: make(chan struct{}, maxInflight), pace: newPace()}
}

// Publish stores one message; nil means that the stream has it. An error's code is
// `publish_unavailable` (the broker did not answer: it may or may not have it),
// `stream_full`, `no_stream` (all three fault.Unavailable) or `body_too_large`
// (fault.Invalid).
func (p *Publisher) Publish(ctx context.Context, message Message) error {
	return p.PublishBatch(ctx, []Message{message}, nil)[0]
}

// Results says of each message of a batch, by its index, what became of it: nil if
// the stream has it, else the error that Publish would give.
type Results []error

// Err is the first error of a batch, nil if the stream has all of it.
func (r Results) Err() error {
	failed, first := 0, error(nil)
	for _, err := range r {
		if err != nil {
			failed++
			first = cmp.Or(first, err)
		}
	}
	if failed == 0 || len(r) == 1 {
		return first
	}
	return fault.Of(first).Errorf("%d of %d messages were not stored: %w", failed, len(r), first)
}

// PublishBatch stores any number of messages in their order, up to 1,000 at a time: in
// atomic batches, or one by one where the broker was seen to be quicker that way. With
// one that syncs every write, a large batch is ten times as fast as single messages,
// and a few messages are stored before a batch is opened. Where the broker refuses a
// batch, its messages are sent one by one. progress, if there is one, is told after
// each thousand how many messages the stream has so far.
func (p *Publisher) PublishBatch(ctx context.Context, messages []Message, progress func(stored int)) Results {
	results := make(Results, len(messages))
	stored := 0
	for from := 0; from < len(messages); from += maxBatch {
		to := min(from+maxBatch, len(messages))
		p.publish(ctx, messages[from:to], results[from:to])
		for _, err := range results[from:to] {
			if err == nil {
				stored++
			}
		}
		if progress != nil {
			progress(stored)
		}
	}
	return results
}

// publish stores one batch at most, and tries again what may succeed later, for as
// long as its patience lasts.
func (p *Publisher) publish(ctx context.Context, messages []Message, results Results) {
	var waiting []int
	for i, message := range messages {
		if len(message.Body) > maxBody {
			results[i] = fault.Invalid.With("body_too_large", "", "an event of %d bytes: the stream takes %d", len(message.Body), maxBody)
			continue
		}
		waiting = append(waiting, i)
	}
	giveUp := time.Now().Add(p.patience.Outage)
	for pause := firstPause; len(waiting) > 0; pause = min(2*pause, longestPause) {
		p.attempt(ctx, messages, waiting, results)
		waiting = unavailable(waiting, results)
		if len(waiting) == 0 || !time.Now().Add(pause).Before(giveUp) || !wait(ctx, pause) {
			return
		}
	}
}

// attempt sends the messages that are still waiting, once.
func (p *Publisher) attempt(ctx context.Context, messages []Message, waiting []int, results Results) {
	began := time.Now()
	if p.pace.oneByOne(len(waiting)) {
		if p.singles(ctx, messages, waiting, results) {
			p.pace.sentOneByOne(len(waiting), time.Since(began))
		}
		return
	}
	err := p.batch(ctx, messages, waiting)
	if err == nil {
		p.pace.sentAsBatch(len(waiting), time.Since(began))
	}
	if fault.Of(err) == fault.Internal {
		p.singles(ctx, messages, waiting, results) // refused as a batch
		return
	}
	for _, i := range waiting {
		results[i] = err
	}
}

// singles sends messages one by one, in their order, many unanswered at once, and says
// whether the broker answered. Where it does not, the others are not sent: they would
// take as long to fail.
func (p *Publisher) singles(ctx context.Context, messages []Message, chosen []int, results Results) (answered bool) {
	var away error
	for window := range slices.Chunk(chosen, maxSingles) {
		if away == nil {
			p.window(ctx, messages, window, results)
			for _, i := range window {
				if fault.Of(results[i]) == fault.Unavailable {
					away = results[i]
				}
			}
			continue
		}
		for _, i := range window {
			results[i] = away
		}
	}
	return away == nil
}

// window sends a few messages, and waits until each has its acknowledgement.
func (p *Publisher) window(ctx context.Context, messages []Message, chosen []int, results Results) {
	ctx, cancel := context.WithTimeout(ctx, p.patience.Acknowledgement)
	defer cancel()
	parent := parentOf(ctx)
	answers := make([]jetstream.PubAckFuture, len(chosen))
	for n, i := range chosen {
		message := &nats.Msg{Subject: messages[i].Subject, Data: messages[i].Body, Header: say(nil, parent)}
		answers[n], results[i] = p.js.PublishMsgAsync(message, jetstream.WithRetryAttempts(0)) // who publishes tries again
	}
	for n, i := range chosen {
		if results[i] == nil {
			results[i] = acknowledgement(ctx, answers[n])
		}
		results[i] = p.fault(results[i])
	}
}

// acknowledgement waits for the stream's answer to a message.
func acknowledgement(ctx context.Context, answer jetstream.PubAckFuture) error {
	select {
	case ack := <-answer.Ok():
		if ack.Stream != Name {
			return fmt.Errorf("stream %q has the message", ack.Stream)
		}
		return nil
	case err := <-answer.Err():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unavailable is those that may succeed later.
func unavailable(sent []int, results Results) []int {
	var waiting []int
	for _, i := range sent {
		if fault.Of(results[i]) == fault.Unavailable {
			waiting = append(waiting, i)
		}
	}
	return waiting
}

// What the broker answers, by its error_code.
const (
	codeStorageExceeded  = 10047 // the server's limit
	codeAccountExceeded  = 10002 // the account's
	codeNoResources      = 10023 // the server's disk
	codeStoreFailed      = 10077 // the stream's: "maximum bytes exceeded"
	codeStreamNotFound   = 10059
	codeMessageTooLarge  = 10054
	codeStreamOffline    = 10118
	codeStreamNotMatched = 10060
)

// fault sorts why a message was not acknowledged.
func (p *Publisher) fault(err error) error {
	if err == nil {
		return nil
	}
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch {
		case api.ErrorCode == codeStoreFailed, api.ErrorCode == codeNoResources,
			api.ErrorCode == codeStorageExceeded, api.ErrorCode == codeAccountExceeded:
			return fault.Unavailable.With("stream_full", "", "publishing: %w", err)
		case api.ErrorCode == codeStreamNotFound, api.ErrorCode == codeStreamNotMatched:
			return fault.Unavailable.With("no_stream", "", "publishing: %w", err)
		case api.ErrorCode == codeMessageTooLarge:
			return fault.Invalid.With("body_too_large", "", "publishing: %w", err)
		case api.Code < 500 && api.ErrorCode != codeStreamOffline:
			return fault.Internal.Errorf("publishing: %w", err)
		}
	}
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) {
		return fault.Unavailable.With("no_stream", "", "publishing: no stream takes this subject: %w", err)
	}
	return fault.Unavailable.With("publish_unavailable", "", "publishing: %w", silence(p.conn, err))
}

// wait pauses; false if the context ended meanwhile.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
