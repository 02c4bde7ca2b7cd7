package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"coworking/cmd/coworking/internal/legacy"
	"coworking/cmd/coworking/internal/progress"
	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"go.uber.org/zap"
)

// importCmd is `coworking import`.
type importCmd struct {
	Legacy importLegacyCmd `cmd:"" help:"Tokens and users of the system before this one."`
	CSV    importCSVCmd    `cmd:"" name:"csv" help:"What a door system exported, as a table of any columns."`
}

// importLegacyCmd is `coworking import legacy`.
type importLegacyCmd struct {
	broker

	SQL       []string `name:"sql" sep:"none" type:"existingfile" placeholder:"FILE" help:"A dump of the old database; several in the order in which they are to be loaded."`
	DSN       pg.URL   `name:"dsn" placeholder:"URL" help:"The old database itself; it is only read."`
	Space     string   `default:"main" help:"The space that the old system's door belongs to (${default})."`
	LegacyTZ  zone     `name:"legacy-tz" default:"UTC" env:"LEGACY_TZ" placeholder:"ZONE" help:"The time zone of the old system's timestamps (${default}); 'query run' must be told the same."`
	UsersAsOf *instant `placeholder:"TIME" help:"Only where users changed since an earlier import: the time from which on they are as they are now."`

	following
}

// Help is kong's: what the verb's flags do not say.
func (importLegacyCmd) Help() string {
	return `Publishes each row of tokens and of users as events. Can be run again at any time: the same rows give the same ` +
		`events, so nothing counts twice, and new rows come in. A dump is loaded into a Postgres of its own, which is ` +
		`thrown away afterwards. Ends with 0 only if everything was stored.

With --follow it goes on after that, and looks every 5 seconds (--every) for what changed: new users and tokens, tokens that were used, ` +
		`users who are called otherwise or left, rows that were deleted or changed in any other way. No transaction is ` +
		`missed, in whatever order they commit. It ends with Ctrl-C, or when nothing has changed for as long as --until-idle says, ` +
		`and waits for whichever side goes away. The session of the old database is read-only, and its user needs no more than ` +
		`SELECT on users and tokens. Killed, it can be started again: it begins with everything, and counts nothing twice. Only a token that was ` +
		`deleted or rewritten while none ran is not noticed: 'coworking compare legacy' shows it. docs/migration.md has the whole way.

Examples:

    coworking import legacy --nats-url "$NATS_URL" --sql schema.sql --sql users.sql --sql tokens.sql

    coworking import legacy --nats-url "$NATS_URL" --sql pg_dump.sql --space berlin-mitte --legacy-tz Europe/Berlin

    coworking import legacy --nats-url "$NATS_URL" --dsn postgres://reader@old-db/coworking

    coworking import legacy --nats-url "$NATS_URL" --dsn postgres://reader@old-db/coworking --follow

    coworking import legacy --nats-url "$NATS_URL" --dsn postgres://reader@old-db/coworking --follow --every 1s --until-idle 30s
`
}

// Run imports.
func (c *importLegacyCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) (err error) {
	switch {
	case (len(c.SQL) == 0) == (c.DSN == ""):
		return fault.Invalid.Errorf("where is the old data? give --sql FILE, or --dsn URL")
	case !event.ValidSpace(c.Space) || c.Space == event.NoSpace:
		return fault.Invalid.Errorf("--space %q is not the name of a space: a-z, 0-9, _ and -, up to 63", c.Space)
	}
	if err := c.checkFollow(); err != nil {
		return err
	}
	js, disconnect, err := c.connect(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disconnect()) }()

	if c.Follow {
		return c.follow(ctx, js, out)
	}
	database := c.DSN
	if len(c.SQL) > 0 {
		say("loading the dump into a Postgres of its own")
		scratch, err := legacy.NewScratch(ctx, os.Stderr)
		if err != nil {
			return err
		}
		defer scratch.Close()
		if err := load(ctx, scratch, c.SQL); err != nil {
			return err
		}
		database = scratch.URL()
	}
	reader, err := legacy.Read(ctx, database, c.LegacyTZ.Location)
	if err != nil {
		return err
	}
	defer reader.Close(context.WithoutCancel(ctx))
	users, tokens, err := reader.Count(ctx)
	if err != nil {
		return err
	}
	say(progress.Grouped(users) + " users, " + progress.Grouped(tokens) + " tokens")

	bar := progress.New(os.Stderr, "importing", users+tokens)
	job := legacy.Import{Space: c.Space, UsersAsOf: (*time.Time)(c.UsersAsOf), Now: time.Now(), Account: upload.New(publisher(js)), Tell: bar.Set}
	stopped := job.Run(ctx, reader)
	bar.Done()
	job.Account.Report(out)
	if stopped != nil {
		return stopped
	}
	return job.Account.Err()
}

// shownNotes is how many of the statements that were passed over are named.
const shownNotes = 3

// load loads the dumps one after the other.
func load(ctx context.Context, scratch *legacy.Scratch, files []string) error {
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return fault.Invalid.Errorf("reading a dump: %w", err)
		}
		notes, err := scratch.Load(ctx, filepath.Base(name), file)
		_ = file.Close() // it was read
		for _, note := range notes[:min(len(notes), shownNotes)] {
			say(note)
		}
		if more := len(notes) - shownNotes; more > 0 {
			say(fmt.Sprintf("%s: passed over %d more like these", filepath.Base(name), more))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// zone is a time zone, given by its IANA name.
type zone struct{ *time.Location }

// UnmarshalText reads the name of a zone.
func (z *zone) UnmarshalText(text []byte) error {
	location, err := calendar.LoadZone(string(text))
	z.Location = location
	return err
}
