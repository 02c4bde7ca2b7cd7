package intake

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
// for machines, the rest for people. A batch adds what became of each event.
type Problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
	Pointer string `json:"pointer,omitempty"` // the JSON pointer of the field at fault
	*taken
}

// statuses is the status of every code that is not 422, what an event that can be
// read and is wrong gets.
var statuses = map[string]int{
	"empty_body":        http.StatusBadRequest,
	"not_an_object":     http.StatusBadRequest,
	"not_an_array":      http.StatusBadRequest,
	"invalid_json":      http.StatusBadRequest,
	"trailing_data":     http.StatusBadRequest,
	"duplicate_key":     http.StatusBadRequest,
	"invalid_value":     http.StatusBadRequest,
	"invalid_limit":     http.StatusBadRequest,
	"invalid_cursor":    http.StatusBadRequest,
	"unknown_parameter": http.StatusBadRequest,

	"unauthenticated": http.StatusUnauthorized,
	"missing_scope":   http.StatusForbidden,
	"space_forbidden": http.StatusForbidden,

	"not_found":             http.StatusNotFound,
	"dead_letter_not_found": http.StatusNotFound,
	"method_not_allowed":    http.StatusMethodNotAllowed,
	"too_slow":              http.StatusRequestTimeout,

	"body_too_large":         http.StatusRequestEntityTooLarge,
	"too_many_events":        http.StatusRequestEntityTooLarge,
	"unsupported_media_type": http.StatusUnsupportedMediaType,

	"publish_unavailable": http.StatusServiceUnavailable,
	"stream_full":         http.StatusServiceUnavailable,
	"no_stream":           http.StatusServiceUnavailable,
	"overloaded":          http.StatusServiceUnavailable,
}

// words is what is said of what is nobody's fault but ours: the reason is logged.
var words = map[string]string{
	"publish_unavailable": "the stream does not answer; send the same again",
	"stream_full":         "the stream is full; send the same again later",
	"no_stream":           "there is no stream yet; send the same again later",
}

// problemOf finds the words for an error.
func problemOf(err error) Problem {
	p := Problem{Type: "about:blank", Code: fault.Code(err), Detail: err.Error(), Pointer: fault.Pointer(err)}
	kind := fault.Of(err)
	var routed *echo.HTTPError
	switch {
	case errors.As(err, &routed) && routed.Code == http.StatusNotFound:
		p.Code, p.Detail = "not_found", "there is nothing at this address"
	case errors.As(err, &routed) && routed.Code == http.StatusMethodNotAllowed:
		p.Code, p.Detail = "method_not_allowed", "this address does not take that method; Allow says which it takes"
	case kind == fault.Invalid || kind == fault.NotFound:
	case kind == fault.Unavailable && (p.Code == "overloaded" || p.Code == "too_slow"):
	case kind == fault.Unavailable && words[p.Code] != "":
		p.Detail = words[p.Code]
	case kind == fault.Unavailable:
		p.Code, p.Detail = "unavailable", "this cannot be answered at the moment; ask again"
	default:
		p.Code, p.Detail = "internal", "something went wrong on our side; it is logged"
	}
	p.Status = statuses[p.Code]
	switch {
	case p.Status != 0:
	case kind == fault.Invalid:
		p.Status = http.StatusUnprocessableEntity
	case kind == fault.Unavailable:
		p.Status = http.StatusServiceUnavailable
	default:
		p.Status = http.StatusInternalServerError
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// problem answers an error: the one place where errors of the door stop.
func (s *server) problem(err error, c echo.Context) {
	s.write(c, problemOf(err), err)
}

// refuse answers that nothing could be taken, or not all; a batch is told of each.
func (s *server) refuse(c echo.Context, err error, t taken, batch bool) error {
	p := problemOf(err)
	if batch {
		p.taken = &t
		p.Detail = strconv.Itoa(t.Refused) + " of " + strconv.Itoa(len(t.Events)) + " events were not stored; one of them: " + p.Detail
		p.Pointer = ""
	}
	s.write(c, p, err)
	return nil
}

func (s *server) write(c echo.Context, p Problem, err error) {
	if p.Status >= http.StatusInternalServerError && p.Code != "overloaded" && c.Request().Context().Err() == nil {
		s.Log.Error("not taken", zap.String("path", c.Request().URL.Path), zap.String("code", p.Code), zap.Error(err), boot.TraceID(c.Request().Context()))
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
	header.Set(echo.HeaderCacheControl, "no-store")
	body, err := json.Marshal(p)
	if err != nil {
		s.Log.Error("not taken", zap.Error(err))
		return
	}
	if err := c.Blob(p.Status, "application/problem+json", append(body, '\n')); err != nil {
		s.Log.Debug("the client is gone", zap.Error(err))
	}
}
