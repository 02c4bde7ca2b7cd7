package intake

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/key"

	"github.com/labstack/echo/v4"
)

// local is who comes to a door that only this machine can reach.
var local = key.Grant{Holder: "local", Name: "this machine", Scopes: []key.Scope{key.Admin}}

const (
	grantKey = "grant"
	bodyKey  = "body"
)

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

// received reads the body, before it takes a seat: a sender who is slow, or means to
// be, sits on none. Only a body that is more than a handful needs room of its own, so
// that slow senders of large ones keep out nobody but such as they are.
func (s *server) received(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		request := c.Request()
		if request.ContentLength > maxBody {
			return tooLarge()
		}
		from := http.MaxBytesReader(nil, request.Body, maxBody)
		body, err := io.ReadAll(io.LimitReader(from, handful))
		if err != nil {
			return unreadable(err)
		}
		if len(body) == handful {
			leave, err := s.sit(request.Context(), s.rooms)
			if err != nil {
				return err
			}
			defer leave()
			whole := bytes.NewBuffer(body)
			whole.Grow(int(max(request.ContentLength-handful, 0)) + bytes.MinRead)
			if _, err := whole.ReadFrom(from); err != nil {
				return unreadable(err)
			}
			body = whole.Bytes()
		}
		c.Set(bodyKey, body)
		return next(c)
	}
}

// bodyOf is the body that was received.
func bodyOf(c echo.Context) []byte {
	body, _ := c.Get(bodyKey).([]byte)
	return body
}

// seated lets so many bodies be unpacked, judged and published at a time.
func (s *server) seated(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		leave, err := s.sit(c.Request().Context(), s.seats)
		if err != nil {
			return err
		}
		defer leave()
		return next(c)
	}
}

// sit takes a seat. One request more than there are seats waits a moment, and is then
// turned away.
func (s *server) sit(ctx context.Context, seats chan struct{}) (leave func(), err error) {
	patience := time.NewTimer(s.Patience)
	defer patience.Stop()
	select {
	case seats <- struct{}{}:
		return func() { <-seats }, nil
	case <-ctx.Done():
		return nil, fault.Unavailable.Errorf("gone while waiting: %w", ctx.Err())
	case <-patience.C:
		s.meter.turnedAway.Inc()
		return nil, fault.Unavailable.With("overloaded", "", "too many requests at once; send the same again")
	}
}
