package api

import (
	"context"
	"net/http"
	"strconv"

	"coworking/pkg/fault"

	"github.com/labstack/echo/v4"
)

// allowed is the methods that the old addresses take.
const allowed = "GET, HEAD, OPTIONS"

// legacyRoutes are the addresses of the old system, which its clients go on using.
func (s *server) legacyRoutes(e *echo.Echo) {
	s.old(e, "/health_check", s.healthCheck)
	s.old(e, "/readiness_check", s.readinessCheck)
	s.old(e, "/api/reports/daily_usage", s.legacyReport(s.Legacy.DailyUsage), s.seated)
	s.old(e, "/api/reports/user_visits", s.legacyReport(s.Legacy.UserVisits), s.knowsPersons, s.seated)
}

// old routes an address with the methods that the old system took.
func (s *server) old(e *echo.Echo, path string, handler echo.HandlerFunc, before ...echo.MiddlewareFunc) {
	e.GET(path, handler, before...)
	e.HEAD(path, handler, before...)
	e.OPTIONS(path, func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderAllow, allowed)
		return plain(c, http.StatusOK, "")
	})
	e.Match([]string{
		http.MethodConnect, http.MethodDelete, http.MethodPatch, http.MethodPost, http.MethodPut, http.MethodTrace,
	}, path, func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderAllow, allowed)
		return echo.ErrMethodNotAllowed
	})
}

// healthCheck says that the process answers; it never touches the database.
func (s *server) healthCheck(c echo.Context) error { return plain(c, http.StatusOK, "ok") }

// readinessCheck says whether the data can be read.
func (s *server) readinessCheck(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), s.Timeout)
	defer cancel()
	if err := s.Legacy.Readable(ctx); err != nil {
		return plain(c, http.StatusInternalServerError, "failed")
	}
	return plain(c, http.StatusOK, "ok")
}

// knowsPersons guards the report on persons: it is of all spaces, and it is written
// down who read it.
func (s *server) knowsPersons(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		grant := grantOf(c)
		if s.LegacyOpen {
			return next(c) // nobody said who they are
		}
		if grant.Spaces != nil {
			return fault.Invalid.With("space_forbidden", "", "this report is of all spaces, and this key is not")
		}
		if err := s.Audit.PersonalRead(c.Request().Context(), grant.Holder, "legacy/user_visits", "", 0); err != nil {
			return err
		}
		return next(c)
	}
}

// legacyReport answers with the bytes of the old system.
func (s *server) legacyReport(read func(context.Context) ([]byte, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		body, err := read(c.Request().Context())
		if err != nil {
			return err
		}
		c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(len(body)))
		return c.Blob(http.StatusOK, "application/json", body)
	}
}

// plain answers in the old system's media type for words.
func plain(c echo.Context, status int, text string) error {
	c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(len(text)))
	return c.Blob(status, "text/html; charset=utf-8", []byte(text))
}
