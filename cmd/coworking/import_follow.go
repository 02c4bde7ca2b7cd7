package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"coworking/cmd/coworking/internal/legacy"
	"coworking/cmd/coworking/internal/progress"
	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/nats-io/nats.go/jetstream"
)

// following is the flags of an import that goes on.
type following struct {
	Follow     bool          `help:"Go on after everything was imported, and keep up with a database that is still being written, until Ctrl-C."`
	Every      time.Duration `default:"5s" placeholder:"DURATION" help:"With --follow: how often to look for changes (${default})."`
	UntilIdle  time.Duration `placeholder:"DURATION" help:"With --follow: end when nothing has changed for so long, such as 30s."`
	MaxDeleted int           `default:"1000" placeholder:"ROWS" help:"With --follow: end with an error if more rows than that are gone at once (${default}), since then it is rather another database."`
}

// brokerPatience is how long a round waits for the broker before it is given up; the
// next one tries again.
const brokerPatience = 5 * time.Second

// checkFollow refuses flags that make no sense together.
func (c *importLegacyCmd) checkFollow() error {
	switch {
	case !c.Follow && c.UntilIdle != 0:
		return fault.Invalid.Errorf("--until-idle is for --follow")
	case c.Follow && len(c.SQL) > 0:
		return fault.Invalid.Errorf("a dump does not change: --follow is for --dsn")
	case c.Follow && c.UsersAsOf != nil:
		return fault.Invalid.Errorf("--users-as-of is for a single import: --follow tells of users as they are whenever it looks")
	case c.Every <= 0 || c.UntilIdle < 0 || c.MaxDeleted < 0:
		return fault.Invalid.Errorf("--every, --until-idle and --max-deleted are greater than nothing")
	}
	return nil
}

// follow imports, and keeps up.
func (c *importLegacyCmd) follow(ctx context.Context, js jetstream.JetStream, out io.Writer) error {
	shown := newFollowLine(os.Stderr, time.Now())
	follower := legacy.Follower{
		Database: c.DSN, Zone: c.LegacyTZ.Location, Space: c.Space,
		Every: c.Every, UntilIdle: c.UntilIdle, MaxDeleted: c.MaxDeleted,
		Publisher: stream.NewPublisher(js, stream.Patience{Outage: brokerPatience}), Account: upload.New(nil),
		Tell: func(s legacy.Status) { shown.tell(s, time.Now()) },
	}
	stopped := follower.Run(ctx)
	shown.end(out, time.Now())
	follower.Account.Report(out)
	if stopped != nil {
		return stopped
	}
	return follower.Account.Err()
}

// quietly is how often a line says that there is nothing new, where there is no
// terminal.
const quietly = time.Minute

// followLine tells how far a follower is: one line that changes on a terminal, a line
// now and then elsewhere.
type followLine struct {
	out      io.Writer
	terminal bool
	began    time.Time
	told     time.Time
	changed  time.Time // as last told
	rounds   int
	last     legacy.Status
}

func newFollowLine(out io.Writer, now time.Time) *followLine {
	return &followLine{out: out, terminal: progress.Terminal(out), began: now, told: now}
}

// tellRead is how often a line is told in the middle of a round.
const tellRead = 2 * time.Second

// tell shows a status. Where there is no terminal, that is one of a round with changes,
// of an outage, and now and then another.
func (l *followLine) tell(s legacy.Status, now time.Time) {
	l.last = s
	since := now.Sub(l.told)
	complete := s.Rounds > l.rounds
	l.rounds = s.Rounds
	switch {
	case s.Away != nil, complete && !s.Changed.Equal(l.changed), complete && since >= quietly, !complete && since >= tellRead:
	case l.terminal && (complete || since >= 100*time.Millisecond):
	default:
		return
	}
	l.told, l.changed = now, s.Changed
	switch {
	case s.Away != nil && l.terminal: // it stays
		fmt.Fprintf(l.out, "\r\x1b[K%s\n", followed(s, now))
	case l.terminal:
		fmt.Fprintf(l.out, "\r\x1b[K%s", followed(s, now))
	default:
		fmt.Fprintln(l.out, followed(s, now))
	}
}

// followed is a status in words.
func followed(s legacy.Status, now time.Time) string {
	lag := "nothing complete yet"
	if !s.Fresh.IsZero() {
		lag = "lag " + now.Sub(s.Fresh).Round(10*time.Millisecond).String()
	}
	if s.Away != nil {
		return fmt.Sprintf("%v; trying again in %v; %s rows behind, %s", s.Away, s.Again.Round(100*time.Millisecond), progress.Grouped(s.Behind), lag)
	}
	changed := "no change yet"
	if !s.Changed.IsZero() {
		changed = "last change " + s.Changed.Format(time.TimeOnly)
	}
	return fmt.Sprintf("round %s, %s rows behind, %s, %s", progress.Grouped(int64(s.Rounds)), progress.Grouped(s.Behind), changed, lag)
}

// end is the summary.
func (l *followLine) end(out io.Writer, now time.Time) {
	if l.terminal {
		fmt.Fprint(l.out, "\r\x1b[K")
	}
	fmt.Fprintf(out, "followed for %v, %s rounds\n", now.Sub(l.began).Round(time.Second), progress.Grouped(int64(l.last.Rounds)))
	var counts []string
	for _, kind := range legacy.Kinds {
		if count := l.last.Total[kind]; count > 0 {
			counts = append(counts, progress.Grouped(count)+" "+kind)
		}
	}
	if len(counts) > 0 {
		fmt.Fprintln(out, strings.Join(counts, ", "))
	}
	if !l.last.Fresh.IsZero() {
		fmt.Fprintf(out, "everything is stored that the old database had at %s\n", l.last.Fresh.Format(time.RFC3339))
	}
}
