package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"coworking/cmd/coworking/internal/progress"
	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"go.uber.org/zap"
)

// importCSVCmd is `coworking import csv`.
type importCSVCmd struct {
	File    string `arg:"" help:"What a door system exported, with a line of column names; - reads standard input."`
	Map     string `required:"" type:"existingfile" placeholder:"FILE" help:"Which column is what, as JSON."`
	DryRun  bool   `help:"Only say what would happen."`
	NATSURL string `name:"nats-url" env:"NATS_URL" placeholder:"URL" help:"The broker, such as nats://127.0.0.1:4222; not needed for a dry run."`

	Credentials stream.Credentials `embed:""`
}

// Help is kong's: what the verb's flags do not say.
func (importCSVCmd) Help() string {
	return `Publishes each row as an event. The same row gives the same event, so a file, or two that overlap, can be ` +
		`imported any number of times and nothing counts twice. Ends with 0 only if every row is, or would be, stored.

The mapping says where things are. Fields are kind, time, space, member, id, and those of the data of events. columns ` +
		`names the column of a field, several are put together with a blank; constants are the same in each row; values and ` +
		`kinds say what the words of a column mean, and "ignored" is a kind that is passed over:

    {"source": "turnstiles",
     "separator": ";",
     "columns": {"time": ["Datum", "Zeit"], "member": "Ausweis", "device": "Tor", "space": "Haus", "kind": "Richtung"},
     "constants": {"method": "door"},
     "values": {"space": {"Torstr. 1": "berlin-mitte"}},
     "kinds": {"Kommen": "checkin", "Gehen": "checkout", "Alarm": "ignored"},
     "times": ["02.01.2006 15:04:05"], "zone": "Europe/Berlin"}

Times are written as in Go: 2 January 2006, 15:04:05, the way the file has it; or rfc3339, unix, unix_ms.

Examples:

    coworking import csv --map turnstiles.json --dry-run 2025.csv

    coworking import csv --map turnstiles.json --nats-url "$NATS_URL" 2025.csv
`
}

// Run imports, or says what importing would do.
func (c *importCSVCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) (err error) {
	written, err := os.ReadFile(c.Map)
	if err != nil {
		return fault.Invalid.Errorf("reading the mapping: %w", err)
	}
	mapping, err := readCSVMapping(written)
	if err != nil {
		return fault.Invalid.Errorf("%s: %w", c.Map, err)
	}
	if !c.DryRun && c.NATSURL == "" {
		return fault.Invalid.Errorf("where is it to go? give --nats-url, or --dry-run to see what it would be")
	}
	in, size, err := (&publishCmd{File: c.File}).open()
	if err != nil {
		return err
	}
	defer in.Close()
	if c.DryRun {
		return c.dryRun(mapping, in, size, out)
	}
	js, disconnect, err := broker{NATSURL: c.NATSURL, Credentials: c.Credentials}.connect(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disconnect()) }()

	bar := progress.NewBytes(os.Stderr, "importing", size)
	account := upload.New(publisher(js))
	passed, stopped := importRows(ctx, mapping, in, time.Now(), account, bar.Set)
	bar.Done()
	account.Report(out)
	passed.report(out)
	if stopped != nil {
		return stopped
	}
	return account.Err()
}

func (c *importCSVCmd) dryRun(mapping *csvMapping, in io.Reader, size int64, out io.Writer) error {
	bar := progress.NewBytes(os.Stderr, "reading", size)
	p, err := previewRows(mapping, in, time.Now(), bar.Set)
	bar.Done()
	if err != nil {
		return err
	}
	p.report(out)
	if p.refused > 0 {
		return fault.Invalid.Errorf("%s of %s rows would not be stored", progress.Grouped(int64(p.refused)), progress.Grouped(int64(p.rows)))
	}
	return nil
}

// passedOver is the rows that are no event, and no mistake either.
type passedOver struct {
	ignored    int // of a kind that is not wanted
	duplicates int // that say what an earlier row said
}

func (p passedOver) report(out io.Writer) {
	fmt.Fprintf(out, "passed over %s that say the same as an earlier row, and %s of a kind that is ignored\n",
		progress.Grouped(int64(p.duplicates)), progress.Grouped(int64(p.ignored)))
}

// importRows publishes the rows of a file. What is wrong with a row is in the
// account; the error says that reading or the stream failed in the middle.
func importRows(ctx context.Context, mapping *csvMapping, in io.Reader, now time.Time, account *upload.Upload, tell func(bytes int64)) (passedOver, error) {
	var passed passedOver
	rows, err := mapping.open(in)
	if err != nil {
		return passed, err
	}
	for row, err := range rows.all(now) {
		if err != nil {
			return passed, errors.Join(err, account.Flush(ctx))
		}
		place := fmt.Sprintf("line %d", row.line)
		switch row.fate {
		case refusedRow:
			account.Refuse(place, row.reason)
		case ignoredRow:
			passed.ignored++
		case duplicateRow:
			passed.duplicates++
		case eventRow:
			if away := account.Event(ctx, place, &row.event); away != nil {
				return passed, fault.Unavailable.Errorf("stopped at line %d; import the whole again once this is mended, nothing counts twice: %w", row.line, away)
			}
		}
		if rows.count%1000 == 0 {
			tell(rows.offset())
		}
	}
	tell(rows.offset())
	return passed, account.Flush(ctx)
}

// shownRefusals is how many of the rows that are refused are named.
const shownRefusals = 20

// preview is what importing a file would do.
type preview struct {
	passedOver

	rows, events int
	kinds        map[event.Kind]int
	members      map[string]struct{}
	spaces       map[string]int
	first, last  time.Time
	refused      int
	refusals     []csvRow // the first ones
}

// previewRows reads a file as importRows does, and publishes nothing.
func previewRows(mapping *csvMapping, in io.Reader, now time.Time, tell func(bytes int64)) (*preview, error) {
	p := &preview{kinds: map[event.Kind]int{}, members: map[string]struct{}{}, spaces: map[string]int{}}
	rows, err := mapping.open(in)
	if err != nil {
		return nil, err
	}
	for row, err := range rows.all(now) {
		if err != nil {
			return nil, err
		}
		p.add(row)
		if rows.count%1000 == 0 {
			tell(rows.offset())
		}
	}
	tell(rows.offset())
	return p, nil
}

func (p *preview) add(row csvRow) {
	p.rows++
	switch row.fate {
	case refusedRow:
		if p.refused++; len(p.refusals) < shownRefusals {
			p.refusals = append(p.refusals, row)
		}
		return
	case ignoredRow:
		p.ignored++
		return
	case duplicateRow:
		p.duplicates++
		return
	}
	e := &row.event
	p.events++
	p.kinds[e.Kind]++
	p.spaces[e.Space]++
	if e.Member != "" {
		p.members[strings.Clone(e.Member)] = struct{}{} // a part of the row, which need not stay
	}
	if p.first.IsZero() || e.Time.Before(p.first) {
		p.first = e.Time
	}
	if e.Time.After(p.last) {
		p.last = e.Time
	}
}

func (p *preview) report(out io.Writer) {
	line := func(what string, n int) { fmt.Fprintf(out, "%-16s %s\n", what, progress.Grouped(int64(n))) }
	line("rows", p.rows)
	line("events", p.events)
	for _, kind := range event.Kinds() {
		if n := p.kinds[kind.Kind]; n > 0 {
			line("  "+string(kind.Kind), n)
		}
	}
	line("members", len(p.members))
	line("spaces", len(p.spaces))
	for _, space := range sortedKeys(p.spaces) {
		line("  "+space, p.spaces[space])
	}
	if p.events > 0 {
		fmt.Fprintf(out, "%-16s %s\n%-16s %s\n", "first", p.first.Format(time.RFC3339), "last", p.last.Format(time.RFC3339))
	}
	line("duplicates", p.duplicates)
	line("ignored", p.ignored)
	line("refused", p.refused)
	for _, row := range p.refusals {
		fmt.Fprintf(out, "  line %d: %v\n", row.line, row.reason)
	}
	if more := p.refused - len(p.refusals); more > 0 {
		fmt.Fprintf(out, "  and %s more\n", progress.Grouped(int64(more)))
	}
}
