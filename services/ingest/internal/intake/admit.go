package intake

import (
	"strings"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/key"

	"github.com/labstack/echo/v4"
)

// local is who comes to a door that only this machine can reach.
var local = key.Grant{Holder: "local", Name: "this machine", Scopes: []key.Scope{key.Admin}}

const grantKey = "grant"

// grantOf is what the one who asks may do.
func grantOf(c echo.Context) key.Grant {
	grant, _ := c.Get(grantKey).(key.Grant)
	return grant
}

// admit turns away who has no key with a scope.
func (s *server) admit(scope key.Scope) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			grant := local
			if !s.Open {
				var err error
				if grant, err = s.identify(c); err != nil {
					return err
				}
			}
			if !grant.May(scope) {
				return fault.Invalid.With("missing_scope", string(scope), "this needs the scope %s, which this key has not", scope)
			}
			c.Set(grantKey, grant)
			return next(c)
		}
	}
}

// identify is what the request's key opens.
func (s *server) identify(c echo.Context) (key.Grant, error) {
	scheme, credentials, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") || credentials == "" {
		return key.Grant{}, fault.Invalid.With("unauthenticated", "", "this address needs a key: Authorization: Bearer cw_…")
	}
	return s.Authority.Grant(c.Request().Context(), strings.TrimSpace(credentials))
}

// seated lets so many bodies into memory at a time. One more waits a moment, then it
// is turned away before it is read.
func (s *server) seated(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		patience := time.NewTimer(s.Patience)
		defer patience.Stop()
		select {
		case s.seats <- struct{}{}:
		case <-c.Request().Context().Done():
			return fault.Unavailable.Errorf("gone while waiting: %w", c.Request().Context().Err())
		case <-patience.C:
			s.meter.turnedAway.Inc()
			return fault.Unavailable.With("overloaded", "", "too many requests at once; send the same again")
		}
		defer func() { <-s.seats }()
		return next(c)
	}
}
