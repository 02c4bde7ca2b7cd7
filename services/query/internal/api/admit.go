package api

import (
	"slices"
	"strings"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/services/query/internal/access"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

// admission is who may ask each address: holders of one of its scopes, or anybody.
// What is not in it, nobody may.
var admission = map[string][]key.Scope{
	"/":        anybody, // links only
	"/livez":   anybody, // for probes
	"/readyz":  anybody,
	"/metrics": anybody, // nothing about a person or a space; a network policy guards it

	"/openapi.json":         anybody, // words, no numbers
	"/docs":                 anybody,
	"/docs/api":             anybody,
	"/docs/reports/:report": anybody,
	"/docs/style.css":       anybody,

	"/health_check":            anybody, // as in the system before
	"/readiness_check":         anybody,
	"/api/reports/daily_usage": anybody,
	"/api/reports/user_visits": {key.ReadMembers}, // unless LegacyOpen

	"/api/v1/reports":         {key.ReadReports, key.ReadMembers},
	"/api/v1/reports/:report": {key.ReadReports, key.ReadMembers}, // which one depends on the report
}

// anybody is a list of scopes that asks for none.
var anybody = []key.Scope{}

// local is who asks a server that only this machine can reach.
var local = key.Grant{Holder: "local", Name: "this machine", Scopes: []key.Scope{key.Admin}}

// grantKey is where a request's grant is.
const grantKey = "grant"

// grantOf is what the one who asks may do.
func grantOf(c echo.Context) key.Grant {
	grant, _ := c.Get(grantKey).(key.Grant)
	return grant
}

// admit turns away who may not ask an address.
func (s *server) admit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		scopes, known := admission[c.Path()]
		switch {
		case !known && strings.HasPrefix(c.Request().URL.Path, "/api/v1"):
			scopes = key.Scopes() // not even that there is nothing is told to anybody
		case !known || len(scopes) == 0:
			return next(c)
		case s.open(c.Path()):
			c.Set(grantKey, local)
			return next(c)
		}
		grant, err := s.identify(c)
		if err != nil {
			return err
		}
		c.Set(grantKey, grant)
		if err := s.allow(c, grant); err != nil {
			return err
		}
		if !slices.ContainsFunc(scopes, grant.May) {
			return lacks(scopes[0])
		}
		return next(c)
	}
}

// open says whether nobody has to say who they are at an address.
func (s *server) open(path string) bool {
	if strings.HasPrefix(path, "/api/reports/") {
		return s.LegacyOpen
	}
	return s.Open
}

// identify is what the request's credentials open.
func (s *server) identify(c echo.Context) (key.Grant, error) {
	scheme, credentials, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") || credentials == "" {
		return key.Grant{}, fault.Invalid.With("unauthenticated", "", "this address needs a key: Authorization: Bearer cw_…")
	}
	grant, err := s.Authority.Grant(c.Request().Context(), strings.TrimSpace(credentials))
	if reason := access.Reason(err); reason != "" {
		s.Log.Info("turned away", zap.String("reason", reason), zap.String("remote", c.RealIP()))
	}
	return grant, err
}

// need says whether the one who asks has a scope.
func need(c echo.Context, scope key.Scope) error {
	if grantOf(c).May(scope) {
		return nil
	}
	return lacks(scope)
}

// lacks is the fault of a holder without a scope, which its pointer names.
func lacks(scope key.Scope) error {
	return fault.Invalid.With("missing_scope", string(scope), "this needs the scope %s, which this key has not", scope)
}
