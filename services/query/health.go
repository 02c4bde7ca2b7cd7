package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"coworking/pkg/fault"
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
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	addr := (&runCmd{Addr: c.Addr, AppPort: c.AppPort}).listen()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return fault.Invalid.Errorf("--addr (QUERY_ADDR) is no host and port, like 127.0.0.1:5153")
	}
	// Its own way there: what the environment says of proxies is for other addresses.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return fault.Unavailable.Errorf("query does not answer: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return fault.Unavailable.Errorf("query broke off its answer: %w", err)
	}
	fmt.Fprintf(out, "%s\n", bytes.TrimSpace(said))
	if answer.StatusCode != http.StatusOK {
		return fault.Unavailable.Errorf("query is not ready: %s", answer.Status)
	}
	return nil
}
