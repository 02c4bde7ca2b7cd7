package boot

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"coworking/pkg/fault"
)

// How long one request may take, in its parts. An answer that streams extends its
// own write deadline by http.ResponseController.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 64 << 10
	shutdownTimeout   = 15 * time.Second
)

// Serve answers HTTP on an address until the context ends, then finishes the
// requests it has; one that is still running 15 seconds later is cut, and an error.
func Serve(ctx context.Context, addr string, handler http.Handler, options ...ServeOption) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fault.Internal.Errorf("listening on %s: %w", addr, err)
	}
	return ServeOn(ctx, listener, handler, options...)
}

// ServeOption changes how Serve stops.
type ServeOption func(*serving)

type serving struct {
	health *Health
	notice time.Duration
	parts  atomic.Bool
}

// Announce makes /readyz say "stopping" as soon as the context ends, and goes on
// answering for as long as notice lasts: balancers look away before the door
// closes. Each answer in that time is the last on its connection, and says so:
// a client that asks more often than that finds none closed while it asks.
func Announce(health *Health, notice time.Duration) ServeOption {
	return func(s *serving) { s.health, s.notice = health, notice }
}

// ServeOn is Serve on a listener, which it closes.
func ServeOn(ctx context.Context, listener net.Listener, handler http.Handler, options ...ServeOption) error {
	var s serving
	for _, option := range options {
		option(&s)
	}
	server := &http.Server{
		Handler:           s.parting(handler),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fault.Internal.Errorf("serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	s.announce(failed)
	err := shutdown(ctx, server)
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fault.Internal.Errorf("serving on %s: %w", listener.Addr(), served))
	}
	return err
}

// parting ends each connection with its next answer, once the notice is given.
func (s *serving) parting(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.parts.Load() {
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})
}

// announce flips readiness and waits, unless the server is gone already.
func (s *serving) announce(failed chan error) {
	s.parts.Store(true)
	if s.health != nil {
		s.health.Stopping()
	}
	timer := time.NewTimer(s.notice)
	defer timer.Stop()
	select {
	case <-timer.C:
	case err := <-failed:
		failed <- err
	}
}

// shutdown finishes what was begun; what takes too long is cut.
func shutdown(ctx context.Context, server *http.Server) error {
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(finishing)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(fault.Internal.Errorf("requests were still running %v after the stop, and were cut", shutdownTimeout), server.Close())
	}
	return err
}
