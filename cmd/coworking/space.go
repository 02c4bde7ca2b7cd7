package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"coworking/cmd/coworking/internal/settings"
	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"go.uber.org/zap"
)

// spaceCmd is `coworking space`.
type spaceCmd struct {
	Set  spaceSetCmd  `cmd:"" help:"Say what a space is like: only what is given changes."`
	List spaceListCmd `cmd:"" help:"See what was said of the spaces."`
}

// spaceSetCmd is `coworking space set`.
type spaceSetCmd struct {
	broker

	Space        string         `arg:"" help:"The space, such as berlin-mitte."`
	Name         *string        `help:"What people call it."`
	TimeZone     *string        `aliases:"zone" placeholder:"ZONE" help:"Its time zone by its IANA name, such as Europe/Berlin. Also --zone."`
	Capacity     *int           `placeholder:"SEATS" help:"How many seats it has."`
	DayStart     *string        `placeholder:"HH:MM" help:"When its day begins by the clock; 05:00 suits a space that never closes."`
	DefaultStay  *string        `placeholder:"4h" help:"How long somebody is taken to stay who does not check out."`
	OpeningHours settings.Hours `placeholder:"HOURS" help:"When it is open: 'mon-fri 08:00-18:00, sat 10:00-16:00', or 'daily 00:00-24:00'. Days that are not named are closed."`
	Closed       []string       `placeholder:"DATE" help:"A date on which it is closed; give all of them, they replace those said before."`
	From         *string        `aliases:"effective-from" placeholder:"DATE" help:"The first day that this holds for. If not given: today, or ever since if nothing was said before."`
}

// Help is kong's: what the verb's flags do not say.
func (spaceSetCmd) Help() string {
	return `What holds for a space holds from a day on; days before it keep what was said before. Reports follow: days ` +
		`whose bounds move are counted anew.

Examples:

    coworking space set berlin-mitte --time-zone Europe/Berlin --capacity 40

    coworking space set berlin-mitte --opening-hours 'mon-fri 08:00-20:00, sat 10:00-16:00' --closed 2026-12-25 --closed 2026-12-26

    coworking space set berlin-mitte --capacity 60 --from 2026-09-01
`
}

// Run publishes what was said.
func (c *spaceSetCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) (err error) {
	e, err := c.event(time.Now())
	if err != nil {
		return err
	}
	js, disconnect, err := c.connect(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disconnect()) }()
	if err := publisher(js).Publish(ctx, stream.Message{Subject: e.Subject(), Body: e.Encode(nil)}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "stored: %s %s\n", e.Space, e.EncodeData(nil))
	return err
}

// event is what the flags say.
func (c *spaceSetCmd) event(now time.Time) (event.Event, error) {
	id, err := event.NewID(now, rand.Reader)
	if err != nil {
		return event.Event{}, fault.Internal.Errorf("an id: %w", err)
	}
	said := event.Settings{
		Name: c.Name, TimeZone: c.TimeZone, Capacity: c.Capacity, DayStart: c.DayStart, DefaultStay: c.DefaultStay, EffectiveFrom: c.From,
	}
	if c.OpeningHours != nil {
		said.OpeningHours = (*map[string][2]string)(&c.OpeningHours)
	}
	if c.Closed != nil {
		said.Closures = &c.Closed
	}
	if said == (event.Settings{EffectiveFrom: c.From}) {
		return event.Event{}, fault.Invalid.Errorf("what about %s? say at least one thing, such as --time-zone", c.Space)
	}
	e := event.Event{
		ID: id, Source: "operator", Kind: event.SpaceUpserted, Time: now.UTC().Truncate(time.Microsecond), Space: c.Space,
		Data: event.Data{Settings: &said},
	}
	return event.Decode(e.Encode(nil), event.Options{Strict: true})
}

// spaceListCmd is `coworking space list`.
type spaceListCmd struct {
	broker
}

// Help is kong's: what the verb's flags do not say.
func (spaceListCmd) Help() string {
	return `Shows what holds today of all that was said of the spaces in the last 14 days: so far back reaches the stream.

Examples:

    coworking space list --nats-url "$NATS_URL"
`
}

// Run prints a line a space.
func (c *spaceListCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) (err error) {
	js, disconnect, err := c.connect(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disconnect()) }()
	said, err := settings.Read(ctx, js)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SPACE\tNAME\tTIME ZONE\tSEATS\tDAY STARTS\tSTAY\tOPEN")
	for _, space := range said {
		today := space.Calendar.On(space.Calendar.Day(time.Now()))
		seats := "?"
		if today.Capacity > 0 {
			seats = fmt.Sprint(today.Capacity)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", space.Name, cmp.Or(today.Name, "?"), today.Zone, seats,
			clock(today.DayStart), strings.TrimSuffix(today.DefaultStay.String(), "0s"), hours(today))
	}
	return table.Flush()
}

// hours is opening hours as --opening-hours takes them.
func hours(s calendar.Settings) string {
	if s.OpeningHours == nil {
		return "always"
	}
	return settings.Format(s.OpeningHours)
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}
