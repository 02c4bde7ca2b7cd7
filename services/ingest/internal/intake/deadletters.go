// Package intake is what ingest answers over HTTP, besides its probes.
package intake

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"coworking/pkg/fault"
	"coworking/services/ingest/internal/store"

	"go.uber.org/zap"
)

// Letters is where dead letters are read.
type Letters interface {
	DeadLetters(ctx context.Context, f store.LetterFilter) ([]store.DeadLetter, error)
	DeadLetter(ctx context.Context, id int64) (store.DeadLetter, error)
}

// Pages of a list.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// DeadLetters answers GET /v1/dead-letters (with state, code, limit and cursor) and
// GET /v1/dead-letters/{id}. They hold what people sent, personal data included, so
// without keys they are answered on a loopback address only.
func DeadLetters(mux *http.ServeMux, letters Letters, open bool, log *zap.Logger) {
	handle := func(pattern string, answer func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := any(nil), fault.Invalid.With("unauthenticated", "", "dead letters are answered on a loopback address only")
			if open {
				body, err = answer(r)
			}
			if err != nil {
				problem(w, err, log)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(body) // whoever asked is gone
		})
	}
	handle("GET /v1/dead-letters", func(r *http.Request) (any, error) {
		filter, err := letterFilter(r)
		if err != nil {
			return nil, err
		}
		found, err := letters.DeadLetters(r.Context(), filter)
		if err != nil {
			return nil, err
		}
		return page(found, filter.Limit), nil
	})
	handle("GET /v1/dead-letters/{id}", func(r *http.Request) (any, error) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			return nil, fault.NotFound.With("dead_letter_not_found", "", "no dead letter has the id %q", r.PathValue("id"))
		}
		return letters.DeadLetter(r.Context(), id)
	})
}

// list is a page of dead letters, newest first; NextCursor is nil on the last.
type list struct {
	Data       []store.DeadLetter `json:"data"`
	NextCursor *string            `json:"next_cursor"`
}

func page(found []store.DeadLetter, limit int) list {
	l := list{Data: found}
	if found == nil {
		l.Data = []store.DeadLetter{}
	}
	if len(found) == limit {
		cursor := strconv.FormatInt(found[len(found)-1].ID, 10)
		l.NextCursor = &cursor
	}
	return l
}

func letterFilter(r *http.Request) (store.LetterFilter, error) {
	filter := store.LetterFilter{State: "open", Limit: defaultLimit}
	for name, values := range r.URL.Query() {
		value := values[len(values)-1]
		var err error
		switch name {
		case "state":
			switch value {
			case "open", "retried", "dropped":
				filter.State = value
			case "all":
				filter.State = ""
			default:
				err = fault.Invalid.With("invalid_value", "", "state %q is none of open, retried, dropped, all", value)
			}
		case "code":
			filter.Code = value
		case "limit":
			if filter.Limit, err = strconv.Atoi(value); err != nil || filter.Limit < 1 || filter.Limit > maxLimit {
				err = fault.Invalid.With("invalid_limit", "", "limit %q is not a number from 1 to %d", value, maxLimit)
			}
		case "cursor":
			if filter.Before, err = strconv.ParseInt(value, 10, 64); err != nil || filter.Before < 1 {
				err = fault.Invalid.With("invalid_cursor", "", "cursor %q is none of ours", value)
			}
		default:
			err = fault.Invalid.With("unknown_parameter", "", "there is no parameter %q", name)
		}
		if err != nil {
			return filter, err
		}
	}
	return filter, nil
}

// problem answers with a problem document (RFC 9457). What is nobody's fault but
// ours is logged, and not told.
func problem(w http.ResponseWriter, err error, log *zap.Logger) {
	status, code, detail := http.StatusInternalServerError, fault.Code(err), err.Error()
	switch fault.Of(err) {
	case fault.Invalid:
		status = http.StatusBadRequest
		if code == "unauthenticated" {
			status = http.StatusUnauthorized
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
	case fault.NotFound:
		status = http.StatusNotFound
	case fault.Unavailable:
		status, code, detail = http.StatusServiceUnavailable, "unavailable", "the database cannot be asked now"
		w.Header().Set("Retry-After", "1")
	default:
		code, detail = "internal", "something is wrong on our side; the log says what"
	}
	if status >= http.StatusInternalServerError {
		log.Error("answering", zap.Error(err))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // whoever asked is gone
		"type": "about:blank", "title": http.StatusText(status), "status": status, "code": code, "detail": detail,
	})
}
