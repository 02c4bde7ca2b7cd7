package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"time"

	"coworking/pkg/fault"
)

// server is a program that answers over HTTP.
type server struct {
	*program

	address string // http://host:port
}

// serve runs the service that answers.
func (g *ground) serve(ctx context.Context, database string) (*server, error) {
	return g.listen(ctx, func(host string) *exec.Cmd {
		return exec.Command(g.Query, "run", "--addr", host, "--database-url", g.server.URL(database))
	})
}

// listen starts a program on a free port and waits until it says that it is ready.
func (g *ground) listen(ctx context.Context, command func(host string) *exec.Cmd) (*server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	host := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	running, err := start(command(host))
	if err != nil {
		return nil, err
	}
	s := &server{running, "http://" + host}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for giveUp := time.Now().Add(10 * time.Second); time.Now().Before(giveUp); <-tick.C {
		if _, _, err = get(ctx, s.address+"/readyz"); err == nil {
			return s, nil
		}
	}
	return nil, s.abandon(fmt.Errorf("it is not ready: %w", err))
}

// get asks once, and reads the answer to its end; took is in milliseconds.
func get(ctx context.Context, address string) (took float64, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	took = milliseconds(time.Since(began))
	if err == nil && response.StatusCode != http.StatusOK {
		kind := fault.Internal
		if response.StatusCode == http.StatusServiceUnavailable {
			kind = fault.Unavailable
		}
		err = kind.Errorf("%s: %s: %s", address, response.Status, bytes.TrimSpace(body))
	}
	return took, body, err
}
