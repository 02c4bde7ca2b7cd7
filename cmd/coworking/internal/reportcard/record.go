package reportcard

import (
	"encoding/json"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
)

// Record is what a check needs to know of an event. What could not be read is zero.
type Record struct {
	Space, Source, ID string
	Kind              event.Kind
	Person            string // the member, else the token; "" for somebody anonymous
	Time              time.Time
	Offset            *time.Duration // from UTC as it is written; nil: it could not be read
	Received          time.Time      // when the stream stored it; zero: it never was there
	Content           int64          // a hash of what it says
	Telling           int64          // the same without its time
	Place             string         // what people find it by: line 7, message 4711
	Refused           error          // why it is not taken; nil: it is
}

// read is the record of an event that is judged as received at a time.
func read(body []byte, o event.Options, now time.Time, place string) Record {
	e, err := event.Decode(body, o)
	if err == nil {
		err = e.CheckFuture(now)
	}
	r := Record{
		Space: e.Space, Source: e.Source, ID: e.ID, Kind: e.Kind, Person: e.Member, Time: e.Time,
		Place: place, Refused: err,
	}
	if r.Person == "" && e.Data.TokenID != "" {
		r.Person = "token " + e.Data.TokenID
	}
	if r.legible() {
		r.Offset = offset(body)
		r.Content = e.Content()
		e.Time = time.Time{}
		r.Telling = e.Content()
	}
	return r
}

// offset is that of the event's time as it is written, which decoding does away with.
func offset(body []byte) *time.Duration {
	var written struct {
		Time string `json:"time"`
	}
	if json.Unmarshal(body, &written) != nil {
		return nil
	}
	t, err := time.Parse(time.RFC3339, written.Time)
	if err != nil {
		return nil
	}
	_, seconds := t.Zone()
	d := time.Duration(seconds) * time.Second
	return &d
}

// ahead is by how much the event's time is after it was received; below zero it is
// late. ok is false where nobody knows.
func (r *Record) ahead() (d time.Duration, ok bool) {
	return r.Time.Sub(r.Received), r.legible() && !r.Received.IsZero()
}

// legible says whether the event is whole: it is taken, or only its time is too early.
func (r *Record) legible() bool { return r.Refused == nil || fault.Code(r.Refused) == "future" }

// identity is what tells events apart.
type identity struct{ space, source, id string }

func (r *Record) identity() identity { return identity{r.Space, r.Source, r.ID} }
