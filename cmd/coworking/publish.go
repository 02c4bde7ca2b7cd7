package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"coworking/cmd/coworking/internal/progress"
	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/fault"

	"go.uber.org/zap"
)

// publishCmd is `coworking publish`.
type publishCmd struct {
	broker

	File string `arg:"" help:"Events as JSON, one a line; - reads standard input."`
}

// Help is kong's: what the verb's flags do not say.
func (publishCmd) Help() string {
	return `Each line is a CloudEvent. What the system would bury is refused here, with its line and its reason; ` +
		`everything else is stored. Ends with 0 only if all of it was stored. Publishing a file twice changes nothing, ` +
		`so whenever you are not sure, publish it again.

Examples:

    coworking publish --nats-url nats://127.0.0.1:4222 events.ndjson

    zcat export.gz | coworking publish --nats-url "$NATS_URL" -

    coworking simulate --span 7d | coworking publish --nats-url "$NATS_URL" -
`
}

// Run publishes, and writes the account to out.
func (c *publishCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) (err error) {
	in, size, err := c.open()
	if err != nil {
		return err
	}
	defer in.Close()
	js, disconnect, err := c.connect(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disconnect()) }()

	bar := progress.NewBytes(os.Stderr, "publishing", size)
	account := upload.New(publisher(js))
	stopped := account.Lines(ctx, in, time.Now, bar.Set)
	bar.Done()
	account.Report(out)
	if stopped != nil {
		return stopped
	}
	return account.Err()
}

// open is what to read, and how many bytes that is, 0 if nobody knows.
func (c *publishCmd) open() (io.ReadCloser, int64, error) {
	if c.File == "-" {
		return os.Stdin, 0, nil
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, 0, fault.Invalid.Errorf("reading events: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, fault.Invalid.Errorf("reading events: %w", err)
	}
	return file, info.Size(), nil
}
