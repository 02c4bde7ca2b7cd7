package api

import (
	"context"
	"time"

	"coworking/pkg/fault"

	"github.com/labstack/echo/v4"
)

// seated lets so many questions reach the database at a time that its connections
// never run out. One more waits a moment, then it is turned away while it is
// still cheap to do so.
func (s *server) seated(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.sit(c.Request().Context()); err != nil {
			return err
		}
		defer func() { <-s.seats }()

		request := c.Request()
		ctx, cancel := context.WithTimeout(request.Context(), s.Timeout)
		defer cancel()
		defer c.SetRequest(request) // whoever comes after must not take our end for the client's
		c.SetRequest(request.WithContext(ctx))
		return next(c)
	}
}

// sit takes a seat, which the caller gives back. A fault is Unavailable.
func (s *server) sit(ctx context.Context) error {
	select {
	case s.seats <- struct{}{}:
		return nil
	default:
	}
	patience := time.NewTimer(s.Patience)
	defer patience.Stop()
	select {
	case s.seats <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.Unavailable.Errorf("gone while waiting: %w", ctx.Err())
	case <-patience.C:
		s.meter.turnedAway.Inc()
		return fault.Unavailable.With("overloaded", "", "too many questions at once")
	}
}
