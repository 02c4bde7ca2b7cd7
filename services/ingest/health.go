package main

import (
	"context"
	"io"
	"time"

	"coworking/pkg/boot"
)

// healthCmd is `ingest health`, for where probes are commands and the image has no
// shell to write one in.
type healthCmd struct {
	IntakeAddr string        `default:"127.0.0.1:5154" env:"INTAKE_ADDR" help:"Where 'ingest run' listens; of an address that is every address of this machine, the loopback one is asked."`
	Timeout    time.Duration `default:"5s" help:"How long to wait for the answer."`
}

// Help goes below the flags.
func (healthCmd) Help() string {
	return `Asks /readyz, prints what it says, and fails unless all is well.

Example:

    ingest health && echo "events are stored"`
}

// Run asks.
func (c *healthCmd) Run(ctx context.Context, out io.Writer) error {
	return boot.Asking{
		Service: "ingest", Addr: c.IntakeAddr, Flag: "--intake-addr (INTAKE_ADDR)", Timeout: c.Timeout,
	}.Ready(ctx, out)
}
