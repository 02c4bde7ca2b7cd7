package boot

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"coworking/pkg/fault"
)

// maxSaid is how much of an answer is printed, in bytes.
const maxSaid = 64 << 10

// Asking is which service is asked how it is, and how long its answer may take.
type Asking struct {
	Service string        // its name
	Addr    string        // where it listens; of every address of this machine, the loopback one is asked
	Flag    string        // what says so, such as --addr (ADDR)
	Timeout time.Duration // for the whole of the answer
}

// Ready asks /readyz, prints what it says, and fails with Unavailable unless all is
// well, with Invalid if the address is none.
func (a Asking) Ready(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.Addr+"/readyz", nil)
	if err != nil {
		return fault.Invalid.Errorf("%s is no host and port, like 127.0.0.1:8080", a.Flag)
	}
	// Its own way there: what the environment says of proxies is for other addresses.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return fault.Unavailable.Errorf("%s does not answer: %w", a.Service, err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, maxSaid))
	if err != nil {
		return fault.Unavailable.Errorf("%s broke off its answer: %w", a.Service, err)
	}
	fmt.Fprintf(out, "%s\n", bytes.TrimSpace(said))
	if answer.StatusCode != http.StatusOK {
		return fault.Unavailable.Errorf("%s is not ready: %s", a.Service, answer.Status)
	}
	return nil
}
