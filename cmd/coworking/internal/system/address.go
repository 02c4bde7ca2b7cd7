package system

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"

	"coworking/pkg/fault"
)

// place is an address that a part will listen on, and the flag that says so.
type place struct {
	flag string
	addr *string
}

// reserve makes sure that nobody listens on the addresses yet, and gives a port to
// those that ask for any. Where a system was killed, its parts may still be on
// their way out: then it waits a little for them to go.
func reserve(ctx context.Context, patience time.Duration, places ...place) error {
	giveUp := time.NewTimer(patience)
	defer giveUp.Stop()
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for {
		err := probe(ctx, places)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
		select {
		case <-giveUp.C:
			return err
		case <-ctx.Done():
			return err
		case <-retry.C:
		}
	}
}

// probe listens on all of the addresses at once, for a moment.
func probe(ctx context.Context, places []place) error {
	for _, p := range places {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *p.addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			return fault.Invalid.Errorf("%s is taken: stop who listens there, or give another address by %s: %w", *p.addr, p.flag, syscall.EADDRINUSE)
		}
		if err != nil {
			return fault.Invalid.Errorf("%s %s: %w", p.flag, *p.addr, err)
		}
		defer listener.Close()
		host, port, err := net.SplitHostPort(*p.addr)
		if err != nil {
			return fault.Invalid.Errorf("%s %s: %w", p.flag, *p.addr, err)
		}
		if port == "0" {
			_, port, _ = net.SplitHostPort(listener.Addr().String()) // a listener's address has a port
			*p.addr = net.JoinHostPort(host, port)
		}
	}
	return nil
}

// loopback says whether only this machine can reach an address.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// dialable is an address that can be connected to from this machine, where addr may
// be all of its addresses.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
