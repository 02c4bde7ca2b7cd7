package main

import (
	"context"
	"io"
	"time"

	"coworking/pkg/boot"
)

// healthCmd is `query health`, for where probes are commands and the image has no
// shell to write one in.
type healthCmd struct {
	Addr    address       `name:"addr" aliases:"query-addr" env:"QUERY_ADDR" placeholder:"HOST:PORT" help:"Where 'query run' listens; of an address that is every address of this machine, the loopback one is asked; 127.0.0.1 and --app-port if not given."`
	AppPort uint16        `default:"5153" env:"APP_PORT" help:"The port, where no address is given."`
	Timeout time.Duration `default:"5s" help:"How long to wait for the answer."`
}

// Help goes below the flags.
func (healthCmd) Help() string {
	return `Asks /readyz, prints what it says, and fails unless all is well.

Example:

    query health && echo "reports are answered"`
}

// Run asks.
func (c *healthCmd) Run(ctx context.Context, out io.Writer) error {
	return boot.Asking{
		Service: "query", Addr: (&runCmd{Addr: c.Addr, AppPort: c.AppPort}).listen(), Flag: "--addr (QUERY_ADDR)", Timeout: c.Timeout,
	}.Ready(ctx, out)
}
