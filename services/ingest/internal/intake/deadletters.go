package intake

import (
	"context"
	"net/http"
	"strconv"

	"coworking/pkg/fault"
	"coworking/services/ingest/internal/store"

	"github.com/labstack/echo/v4"
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

// listLetters answers GET /v1/dead-letters, with state, code, limit and cursor. Dead
// letters hold what people sent, personal data included.
func (s *server) listLetters(c echo.Context) error {
	filter, err := letterFilter(c.Request())
	if err != nil {
		return err
	}
	found, err := s.Letters.DeadLetters(c.Request().Context(), filter)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, page(found, filter.Limit))
}

// showLetter answers GET /v1/dead-letters/:id.
func (s *server) showLetter(c echo.Context) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return fault.NotFound.With("dead_letter_not_found", "", "no dead letter has the id %q", c.Param("id"))
	}
	letter, err := s.Letters.DeadLetter(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, letter)
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
