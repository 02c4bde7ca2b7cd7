package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"time"

	"coworking/cmd/coworking/internal/progress"
	"coworking/cmd/coworking/internal/simulate"
	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/event"
	"coworking/pkg/fault"

	"go.uber.org/zap"
)

// simulateCmd is `coworking simulate`.
type simulateCmd struct {
	Seed    uint64  `default:"1" help:"The same seed and the same span give the same events (${default})."`
	Spaces  int     `default:"3" help:"How many spaces, in different time zones (${default})."`
	Members int     `default:"1000" help:"How many members, in all spaces together (${default})."`
	Span    span    `default:"13w" help:"How long: 13w, 90d, 36h (${default}). Ends at --to, or begins at --from."`
	From    instant `placeholder:"TIME" help:"The first instant: a date, or a time such as 2026-03-01T00:00:00Z."`
	To      instant `placeholder:"TIME" help:"The instant after the last. If neither is given: now."`
	Live    bool    `help:"Go on after that with events that happen now, until stopped."`
	Rate    float64 `help:"Events a second. If not given: as many as possible, and 2 with --live for those that happen now."`
	NATSURL string  `name:"nats-url" placeholder:"URL" help:"Publish to this broker, instead of writing the events to standard output, one a line."` // not from the environment: it is piped into publish
}

// Help is kong's: what the verb's flags do not say.
func (simulateCmd) Help() string {
	return `Makes up members with habits, guests, busy Tuesdays, empty weekends, public holidays, forgotten check-outs, ` +
		`refusals at the door, devices that were offline, and events that are sent twice. What is known of spaces and ` +
		`members comes first.

Examples:

    coworking simulate --span 7d > week.ndjson

    coworking simulate --from 2026-01-01 --to 2026-04-01 --spaces 8 --members 3000 --seed 7 > quarter.ndjson

    coworking simulate --nats-url "$NATS_URL" --span 30d --live --rate 20
`
}

// Run writes or publishes the events.
func (c *simulateCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	from, to := c.bounds(time.Now())
	world, err := simulate.New(simulate.Config{Seed: c.Seed, Spaces: c.Spaces, Members: c.Members, From: from, To: to})
	if err != nil {
		return err
	}
	if c.Rate < 0 {
		return fault.Invalid.Errorf("--rate %v: a rate is more than 0", c.Rate)
	}
	if c.NATSURL != "" {
		return c.publish(ctx, log, out, world)
	}
	return c.write(ctx, out, world)
}

// bounds is the span from its flags: whichever two were given.
func (c *simulateCmd) bounds(now time.Time) (from, to time.Time) {
	from, to = time.Time(c.From), time.Time(c.To)
	switch {
	case from.IsZero() && to.IsZero():
		to = now
		from = to.Add(-time.Duration(c.Span))
	case from.IsZero():
		from = to.Add(-time.Duration(c.Span))
	case to.IsZero():
		to = from.Add(time.Duration(c.Span))
		if to.After(now) {
			to = now // nobody knows the future
		}
	}
	return from, to
}

// write puts events on standard output.
func (c *simulateCmd) write(ctx context.Context, out io.Writer, world *simulate.World) error {
	buffered := bufio.NewWriterSize(out, 256<<10)
	var line []byte
	put := func(e event.Event) error {
		line = append(e.Encode(line[:0]), '\n')
		if _, err := buffered.Write(line); err != nil {
			return fault.Unavailable.Errorf("writing events: %w", err)
		}
		return nil
	}
	err := inTime(ctx, world.History(), c.Rate, put, buffered.Flush)
	if err == nil && c.Live {
		err = inTime(ctx, goingOn(world), c.liveRate(), put, buffered.Flush)
	}
	return errors.Join(stopped(ctx, err), buffered.Flush())
}

// publish sends events to the stream.
func (c *simulateCmd) publish(ctx context.Context, log *zap.Logger, out io.Writer, world *simulate.World) (err error) {
	js, disconnect, err := broker{NATSURL: c.NATSURL}.connect(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disconnect()) }()
	bar := progress.New(os.Stderr, "publishing", 0)
	account := upload.New(publisher(js))
	put := func(e event.Event) error {
		bar.Add(1)
		return account.Event(ctx, "event "+e.ID, &e)
	}
	flush := func() error { return account.Flush(context.WithoutCancel(ctx)) } // what happened is stored, stopped or not
	err = errors.Join(inTime(ctx, world.History(), c.Rate, put, flush), flush())
	bar.Done()
	account.Report(out)
	if err == nil && c.Live {
		say("going on, until Ctrl-C")
		err = inTime(ctx, goingOn(world), c.liveRate(), put, flush)
	}
	if err := stopped(ctx, err); err != nil {
		return err
	}
	return account.Err()
}

func (c *simulateCmd) liveRate() float64 {
	if c.Rate == 0 {
		return 2
	}
	return c.Rate
}

// goingOn is what happens now, for as long as somebody asks.
func goingOn(world *simulate.World) iter.Seq[event.Event] {
	return func(yield func(event.Event) bool) {
		live := world.Live()
		for yield(live.Next(time.Now())) {
			continue
		}
	}
}

// flushEvery is how long an event may wait for others, where events come slowly.
const flushEvery = 100 * time.Millisecond

// inTime puts so many events a second, 0 for as many as possible. An event is asked
// for when its time has come. The error is the context's if that ended.
func inTime(ctx context.Context, events iter.Seq[event.Event], rate float64, put func(event.Event) error, flush func() error) error {
	began, flushed := time.Now(), time.Now()
	var n float64
	for e := range events {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := put(e); err != nil {
			return err
		}
		n++
		if rate == 0 {
			continue
		}
		pause := time.Until(began.Add(time.Duration(n / rate * float64(time.Second))))
		if pause <= 0 {
			continue
		}
		if pause >= flushEvery || time.Since(flushed) >= flushEvery {
			if err := flush(); err != nil {
				return err
			}
			flushed = time.Now()
		}
		due := time.NewTimer(pause)
		select {
		case <-due.C:
		case <-ctx.Done():
			due.Stop()
			return ctx.Err()
		}
	}
	return nil
}

// stopped is the error, unless it is only that somebody stopped us.
func stopped(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// span is a length of time that people think in.
type span time.Duration

// UnmarshalText reads 13w, 90d or 36h.
func (s *span) UnmarshalText(text []byte) error {
	said := string(text)
	for unit, length := range map[string]time.Duration{"w": 7 * 24 * time.Hour, "d": 24 * time.Hour} {
		if number, ok := strings.CutSuffix(said, unit); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil || n == 0 {
				return fault.Invalid.Errorf("%q is no span of time like 13w, 90d or 36h", said)
			}
			*s = span(time.Duration(n) * length)
			return nil
		}
	}
	length, err := time.ParseDuration(said)
	if err != nil || length <= 0 {
		return fault.Invalid.Errorf("%q is no span of time like 13w, 90d or 36h", said)
	}
	*s = span(length)
	return nil
}

// instant is a point in time that people type.
type instant time.Time

// UnmarshalText reads a date, which begins at midnight in UTC, or a time with its
// offset.
func (i *instant) UnmarshalText(text []byte) error {
	for _, shape := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(shape, string(text)); err == nil {
			*i = instant(t)
			return nil
		}
	}
	return fault.Invalid.Errorf("%q is neither a date like 2026-03-01 nor a time like 2026-03-01T00:00:00Z", text)
}
