package intake_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/services/ingest/internal/intake"
	"coworking/services/ingest/internal/store"
)

// shelf is two dead letters.
type shelf struct{}

func (shelf) DeadLetters(_ context.Context, f store.LetterFilter) ([]store.DeadLetter, error) {
	if f.Code == "down" {
		return nil, fault.Unavailable.Errorf("dial tcp 10.0.0.1: no")
	}
	letters := []store.DeadLetter{{ID: 8, Code: "future", State: "open"}, {ID: 7, Code: "future", State: "open"}}
	return letters[:min(f.Limit, 2)], nil
}

func (shelf) DeadLetter(_ context.Context, id int64) (store.DeadLetter, error) {
	if id != 7 {
		return store.DeadLetter{}, fault.NotFound.With("dead_letter_not_found", "", "no dead letter has the id %d", id)
	}
	return store.DeadLetter{ID: 7, Body: []byte("{"), Received: time.Unix(0, 0).UTC()}, nil
}

func TestDeadLettersOverHTTP(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		closed bool
		status int
		holds  string
	}{
		"the list":                  {path: "/v1/dead-letters", status: 200, holds: `"next_cursor":null`},
		"a page":                    {path: "/v1/dead-letters?limit=1", status: 200, holds: `"next_cursor":"8"`},
		"one of them":               {path: "/v1/dead-letters/7", status: 200, holds: `"body":"ew=="`},
		"one that is not there":     {path: "/v1/dead-letters/9", status: 404, holds: `"code":"dead_letter_not_found"`},
		"an id that is none":        {path: "/v1/dead-letters/x", status: 404, holds: `"code":"dead_letter_not_found"`},
		"a limit of nothing":        {path: "/v1/dead-letters?limit=0", status: 400, holds: `"code":"invalid_limit"`},
		"a cursor of somebody else": {path: "/v1/dead-letters?cursor=x", status: 400, holds: `"code":"invalid_cursor"`},
		"a state that is none":      {path: "/v1/dead-letters?state=lost", status: 400, holds: `"code":"invalid_value"`},
		"a parameter that is none":  {path: "/v1/dead-letters?stat=open", status: 400, holds: `"code":"unknown_parameter"`},
		"a database that is away":   {path: "/v1/dead-letters?code=down", status: 503, holds: `"code":"unavailable"`},
		"not on a loopback address": {path: "/v1/dead-letters", closed: true, status: 401, holds: `"code":"unauthenticated"`},
	} {
		t.Run(name, func(t *testing.T) {
			door := open(func(config *intake.Config) { config.Open = !c.closed })
			answer := httptest.NewRecorder()
			door.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, c.path, nil))
			body := answer.Body.String()
			if answer.Code != c.status || !strings.Contains(body, c.holds) || strings.Contains(body, "10.0.0.1") {
				t.Errorf("%d %s", answer.Code, body)
			}
		})
	}
}
