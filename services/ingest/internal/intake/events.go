package intake

import (
	"cmp"
	"net/http"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/stream"

	"github.com/labstack/echo/v4"
)

// outcome is what became of one event.
type outcome struct {
	Index   int    `json:"index"`            // in the batch, from 0
	ID      string `json:"id,omitempty"`     // as far as it could be read
	Source  string `json:"source,omitempty"` // likewise
	Status  string `json:"status"`           // stored or refused
	Code    string `json:"code,omitempty"`   // why it was refused
	Pointer string `json:"pointer,omitempty"`
	Detail  string `json:"detail,omitempty"`

	err error
}

// taken is the answer to a request of which something was stored: all of it (202),
// or a part (207, as in RFC 4918: look at each).
type taken struct {
	Stored  int       `json:"stored"`
	Refused int       `json:"refused"`
	Events  []outcome `json:"events"`
}

// events answers POST /v1/events: it says of each event what became of it, once the
// stream has stored those that are good. What it did not say 202 or 207 to may be
// sent again, with the same ids: an event counts once.
func (s *server) events(c echo.Context) error {
	bodies, batch, err := read(c.Request().Header, bodyOf(c))
	if err != nil {
		s.meter.events.WithLabelValues(fault.Code(err)).Inc()
		return err
	}
	outcomes, messages, of := s.judge(bodies, grantOf(c))
	results := s.Publisher.PublishBatch(c.Request().Context(), messages, nil)
	for i, err := range results {
		if err != nil {
			outcomes[of[i]].refuse(err)
		}
	}
	return s.answer(c, outcomes, batch)
}

// judge decodes events, and makes messages of the good ones; of tells which event
// each message is.
func (s *server) judge(bodies [][]byte, grant key.Grant) (outcomes []outcome, messages []stream.Message, of []int) {
	outcomes = make([]outcome, len(bodies))
	for i, body := range bodies {
		e, err := s.decode(body, grant)
		outcomes[i] = outcome{Index: i, ID: e.ID, Source: e.Source, Status: "stored"}
		if err != nil {
			outcomes[i].refuse(err)
			continue
		}
		messages = append(messages, stream.Message{Subject: e.Subject(), Body: e.Encode(nil)})
		of = append(of, i)
	}
	return outcomes, messages, of
}

// decode reads one event, which must be of a space that the key may write. A key of
// one space need not say which.
func (s *server) decode(body []byte, grant key.Grant) (event.Event, error) {
	options := event.Options{Strict: true}
	if len(grant.Spaces) == 1 {
		options.SubjectSpace = grant.Spaces[0]
	}
	e, err := event.Decode(body, options)
	if fault.Code(err) == "space_mismatch" || err == nil && !grant.Sees(e.Space) {
		return e, fault.Invalid.With("space_forbidden", "/data/space", "this key may not write events of this space")
	}
	if err != nil {
		return e, err
	}
	return e, e.CheckFuture(s.Now())
}

func (o *outcome) refuse(err error) {
	o.err, o.Status = err, "refused"
	p := problemOf(err)
	o.Code, o.Pointer, o.Detail = p.Code, p.Pointer, p.Detail
}

// answer says what became of the events. Where the stream could not take some of
// them that is said first: the sender has to come again. Else, where none is good,
// the first one's fault is the answer's.
func (s *server) answer(c echo.Context, outcomes []outcome, batch bool) error {
	t := taken{Events: outcomes}
	var unavailable, refused error
	for _, o := range outcomes {
		switch {
		case o.err == nil:
			t.Stored++
			s.meter.events.WithLabelValues("stored").Inc()
			continue
		case fault.Of(o.err) == fault.Invalid:
			refused = cmp.Or(refused, o.err)
		default:
			unavailable = cmp.Or(unavailable, o.err)
		}
		t.Refused++
		s.meter.events.WithLabelValues(o.Code).Inc()
	}
	switch {
	case unavailable != nil:
		return s.refuse(c, unavailable, t, batch)
	case t.Stored == 0 && refused != nil:
		return s.refuse(c, refused, t, batch)
	case t.Refused > 0:
		return c.JSON(http.StatusMultiStatus, t)
	default:
		return c.JSON(http.StatusAccepted, t)
	}
}
