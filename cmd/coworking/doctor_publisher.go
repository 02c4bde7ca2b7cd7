package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"coworking/cmd/coworking/internal/progress"
	"coworking/cmd/coworking/internal/reportcard"
	"coworking/cmd/coworking/internal/settings"
	"coworking/cmd/coworking/internal/system"
	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"go.uber.org/zap"
)

// mostRead is how much of a file is judged, in bytes.
const mostRead = 256 << 20

// doctorPublisherCmd is `coworking doctor publisher`.
type doctorPublisherCmd struct {
	dataFolder

	Space  string `arg:"" optional:"" help:"The space, such as berlin-mitte."`
	Source string `arg:"" optional:"" help:"The source, as the events say it, such as front-door. If not given, all of the space."`

	Last  int           `default:"1000" placeholder:"EVENTS" help:"How many stored events to judge, the last ones (${default})."`
	Watch time.Duration `placeholder:"1m" help:"Go on watching for so long what comes; Ctrl-C ends it sooner."`
	File  string        `placeholder:"FILE" help:"Judge events from a file instead, before they are sent: one a line, or a JSON array; - reads standard input."`
	JSON  bool          `name:"json" help:"The card as JSON."`

	NATSURL     string             `name:"nats-url" env:"NATS_URL" placeholder:"URL" help:"The broker, such as nats://127.0.0.1:4222. If not given: that of the system that runs on this machine."`
	Credentials stream.Credentials `embed:""`
}

// Help is kong's: what the verb's flags do not say.
func (doctorPublisherCmd) Help() string {
	return `For whoever has just connected a door: looks at the last events that the stream has of a space and says whether ` +
		`they are taken, whether ids hold at retries, whether clock and zone are right, how much is sent twice, whether people ` +
		`are seen to leave, and whether the space is known. Each check is good, to look at, bad, or had nothing to be judged ` +
		`by, and says what to do. It only reads, and nobody notices.

What the HTTP door refused is not in the stream: judge it from a file, which needs no system at all. Nobody knows there ` +
		`when events were received, so clock and zone need the stream.

Ends with 0 if nothing is bad, with 1 if something is, and with 2 if there is no card: no events, no broker, or a question ` +
		`that makes no sense.

Examples:

    coworking doctor publisher berlin-mitte front-door --watch 1m

    coworking doctor publisher --file events.ndjson
`
}

// Run shows a card.
func (c *doctorPublisherCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	if err := c.check(); err != nil {
		return noCardError{err}
	}
	seen, err := c.seen(ctx, log)
	if err != nil {
		return noCardError{err}
	}
	if len(seen.Records) == 0 {
		return noCardError{c.nothing()}
	}
	card := reportcard.Judge(seen)
	write := card.Write
	if c.JSON {
		write = card.WriteJSON
	}
	if err := write(out); err != nil {
		return noCardError{fault.Unavailable.Errorf("writing the card: %w", err)}
	}
	if card.Verdict == reportcard.Bad {
		return fault.Invalid.Errorf("%s", card.Sentence())
	}
	return nil
}

// noCardError is that there is nothing to judge, so that a script can tell it from a bad
// card.
type noCardError struct{ error }

// ExitCode is boot.ExitCode's.
func (noCardError) ExitCode() int { return 2 }

func (n noCardError) Unwrap() error { return n.error }

// check says what makes no sense together.
func (c *doctorPublisherCmd) check() error {
	switch {
	case c.File != "" && (c.Space != "" || c.Watch != 0):
		return fault.Invalid.Errorf("--file judges a whole file: without a space, a source or --watch")
	case c.File != "":
		return nil
	case c.Space == "":
		return fault.Invalid.Errorf("which space? name one, and its source, or give --file")
	case !event.ValidSpace(c.Space):
		return fault.Invalid.Errorf("%q is not the name of a space: a-z, 0-9, _ and -, up to 63", c.Space)
	case c.Last < 1 || c.Last > 1_000_000:
		return fault.Invalid.Errorf("--last %d: 1 to 1000000 events", c.Last)
	case c.Watch < 0:
		return fault.Invalid.Errorf("--watch %v: how long is that?", c.Watch)
	}
	return nil
}

// seen is what the publisher is judged by.
func (c *doctorPublisherCmd) seen(ctx context.Context, log *zap.Logger) (reportcard.Seen, error) {
	if c.File == "" {
		return c.stream(ctx, log)
	}
	in, _, err := (&publishCmd{File: c.File}).open()
	if err != nil {
		return reportcard.Seen{}, err
	}
	defer in.Close()
	body, err := io.ReadAll(io.LimitReader(in, mostRead+1))
	if err != nil {
		return reportcard.Seen{}, fault.Unavailable.Errorf("reading events: %w", err)
	}
	if len(body) > mostRead {
		return reportcard.Seen{}, fault.Invalid.Errorf("%s holds more than %d MB: give a part of it", c.File, mostRead>>20)
	}
	return reportcard.Seen{Records: reportcard.File(body, time.Now())}, nil
}

// stream reads what is stored, and watches what comes.
func (c *doctorPublisherCmd) stream(ctx context.Context, log *zap.Logger) (seen reportcard.Seen, err error) {
	address, err := c.broker()
	if err != nil {
		return seen, err
	}
	js, disconnect, err := address.connect(ctx, log)
	if err != nil {
		return seen, err
	}
	defer func() { err = errors.Join(err, disconnect()) }()

	seen = reportcard.Seen{Space: c.Space, Source: c.Source, Spaces: map[string]*calendar.Calendar{}}
	said, err := settings.Read(ctx, js)
	if err != nil {
		return seen, err
	}
	for _, space := range said {
		seen.Spaces[space.Name] = space.Calendar
	}
	tail, err := reportcard.NewTail(ctx, js, c.Space, c.Source)
	if err != nil {
		return seen, err
	}
	if seen.Records, err = tail.Stored(ctx, c.Last); err != nil || c.Watch == 0 {
		return seen, err
	}
	live, err := c.watch(ctx, tail, len(seen.Records))
	seen.Records = append(seen.Records, live...)
	return seen, err
}

// broker is the one that was given, else that of the system on this machine.
func (c *doctorPublisherCmd) broker() (broker, error) {
	if c.NATSURL != "" {
		return broker{NATSURL: c.NATSURL, Credentials: c.Credentials}, nil
	}
	dir, err := c.folder()
	if err != nil {
		return broker{}, err
	}
	running, err := system.Look(dir)
	if err != nil {
		return broker{}, fault.Of(err).Errorf("%w, or say by --nats-url where the broker is", err)
	}
	return broker{NATSURL: running.NATSURL, Credentials: c.Credentials}, nil
}

// watch waits for what comes, and says so.
func (c *doctorPublisherCmd) watch(ctx context.Context, tail *reportcard.Tail, stored int) ([]reportcard.Record, error) {
	say(fmt.Sprintf("%s stored; watching what comes for %v, Ctrl-C shows the card sooner", progress.Grouped(int64(stored)), c.Watch))
	ctx, stop := context.WithTimeout(ctx, c.Watch)
	defer stop()
	bar := progress.New(os.Stderr, "came", 0)
	defer bar.Done()
	return tail.Live(ctx, func(events int) { bar.Set(int64(events)) })
}

// nothing says that there is nothing to judge.
func (c *doctorPublisherCmd) nothing() error {
	switch {
	case c.File != "":
		return fault.NotFound.Errorf("no events in %s", c.File)
	case c.Source != "":
		return fault.NotFound.Errorf("no events of %s by source %q in the stream; without the source, see who speaks for %s", c.Space, c.Source, c.Space)
	default:
		return fault.NotFound.Errorf("no events of %s in the stream; is that how the events write it?", c.Space)
	}
}
