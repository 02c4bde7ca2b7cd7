package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"coworking/pkg/boot"
	"coworking/pkg/fault"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

// Problem is what an answer that is none says (RFC 9457). Code is stable and meant
// for machines, the rest for people.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Parameter string `json:"parameter,omitempty"` // the query parameter at fault
}

// statuses is the status of every code that this service answers with.
var statuses = map[string]int{
	"invalid_range":     http.StatusBadRequest,
	"range_too_large":   http.StatusBadRequest,
	"invalid_limit":     http.StatusBadRequest,
	"invalid_cursor":    http.StatusBadRequest,
	"invalid_time_zone": http.StatusBadRequest,
	"invalid_value":     http.StatusBadRequest,
	"unknown_parameter": http.StatusBadRequest,

	"unauthenticated":   http.StatusUnauthorized,
	"missing_scope":     http.StatusForbidden,
	"space_forbidden":   http.StatusForbidden,
	"too_many_requests": http.StatusTooManyRequests,

	"space_not_found":  http.StatusNotFound,
	"report_not_found": http.StatusNotFound,
	"not_found":        http.StatusNotFound,

	"method_not_allowed": http.StatusMethodNotAllowed,

	"internal":    http.StatusInternalServerError,
	"overloaded":  http.StatusServiceUnavailable,
	"unavailable": http.StatusServiceUnavailable,
}

// problem answers an error: the one place where errors of this service stop. What
// went wrong on our side is logged, never told.
func (s *server) problem(err error, c echo.Context) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError && p.Code != "overloaded" && c.Request().Context().Err() == nil {
		s.Log.Error("no answer", zap.String("path", c.Request().URL.Path), zap.String("code", p.Code), zap.Error(err), boot.TraceID(c.Request().Context()))
	}
	if c.Response().Committed {
		return
	}
	header := c.Response().Header()
	switch p.Status {
	case http.StatusUnauthorized:
		header.Set(echo.HeaderWWWAuthenticate, `Bearer realm="coworking"`)
	case http.StatusForbidden: // RFC 6750, 3
		header.Set(echo.HeaderWWWAuthenticate, `Bearer realm="coworking", error="insufficient_scope"`)
	case http.StatusServiceUnavailable:
		header.Set(echo.HeaderRetryAfter, "1")
	}
	body, err := json.Marshal(p)
	if err != nil {
		s.Log.Error("no answer", zap.Error(err))
		return
	}
	body = append(body, '\n')
	header.Set(echo.HeaderContentLength, strconv.Itoa(len(body)))
	header.Set(echo.HeaderCacheControl, "no-store")
	if err := c.Blob(p.Status, "application/problem+json", body); err != nil {
		s.Log.Debug("the client is gone", zap.Error(err))
	}
}

// problemOf finds the words for an error.
func problemOf(err error) Problem {
	code, detail, parameter := "internal", "something went wrong on our side; it is logged", ""
	kind, said := fault.Of(err), fault.Code(err)
	var routed *echo.HTTPError
	switch {
	case errors.As(err, &routed):
		code, detail = routing(routed.Code)
	case kind == fault.Internal:
	case statuses[said] != 0:
		code, detail, parameter = said, err.Error(), fault.Pointer(err)
	case kind == fault.Unavailable:
		code, detail = "unavailable", "the numbers cannot be read at the moment; ask again"
	}
	return Problem{
		Type: "about:blank", Title: http.StatusText(statuses[code]), Status: statuses[code],
		Code: code, Detail: detail, Parameter: parameter,
	}
}

// routing is the words for what the router found, or did not.
func routing(status int) (code, detail string) {
	switch status {
	case http.StatusNotFound:
		return "not_found", "there is nothing at this address"
	case http.StatusMethodNotAllowed:
		return "method_not_allowed", "this address does not take that method; Allow says which it takes"
	default:
		return "internal", "something went wrong on our side; it is logged"
	}
}
