package checkins

import (
	"encoding/json"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"

	"go.uber.org/zap"
)

// Refusal is an event that will never be taken as it is, and why: Code and Pointer are
// those of the contract, such as `space_forbidden` and `/data/space`.
type Refusal struct {
	Event   event.Event
	Code    string
	Pointer string
	Detail  string
	Time    time.Time // when it was refused
}

// refusal is a line of the file. The event is there as it was sent.
type refusal struct {
	Time    time.Time       `json:"time"`
	Code    string          `json:"code"`
	Pointer string          `json:"pointer,omitempty"`
	Detail  string          `json:"detail"`
	Event   json.RawMessage `json:"event"`
}

// refuse sets an event aside. The error is the outbox's: then it is sent again.
func (c *Client) refuse(body []byte, reason error) error {
	r := refusal{
		Time: time.Now().UTC().Truncate(time.Millisecond),
		Code: fault.Code(reason), Pointer: fault.Pointer(reason), Detail: reason.Error(), Event: body,
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fault.Internal.Errorf("writing down what was refused: %w", err)
	}
	if err := c.box.Refuse(line); err != nil {
		return err
	}
	told, err := r.open()
	if err != nil {
		return err
	}
	c.log.Warn("an event was refused and is set aside", zap.String("code", r.Code), zap.String("pointer", r.Pointer),
		zap.String("space", told.Event.Space), zap.String("source", told.Event.Source), zap.String("id", told.Event.ID))
	c.onRefused(told)
	return nil
}

func (r *refusal) open() (Refusal, error) {
	e, err := event.Decode(r.Event, event.Options{})
	if err != nil {
		return Refusal{}, fault.Internal.Errorf("an event that was set aside cannot be read: %w", err)
	}
	return Refusal{Event: e, Code: r.Code, Pointer: r.Pointer, Detail: r.Detail, Time: r.Time}, nil
}

// Refused is every event that was set aside and not forgotten, oldest first, each
// once. They also lie as JSON, one a line, in `refused.ndjson` of the outbox's folder,
// and take of its room.
func (c *Client) Refused() ([]Refusal, error) {
	lines, err := c.box.Refused()
	if err != nil {
		return nil, err
	}
	var all []Refusal
	seen := map[event.Key]bool{}
	for _, line := range lines {
		told, err := readRefusal(line)
		if err != nil {
			return nil, err
		}
		if key := told.Event.Key(); !seen[key] {
			seen[key] = true
			all = append(all, told)
		}
	}
	return all, nil
}

func readRefusal(line []byte) (Refusal, error) {
	var r refusal
	if err := json.Unmarshal(line, &r); err != nil {
		return Refusal{}, fault.Internal.Errorf("what was set aside cannot be read: %w", err)
	}
	return r.open()
}

// Forget drops refusals that somebody has dealt with, for instance by publishing what
// the event should have said.
func (c *Client) Forget(dealt ...Refusal) error {
	keys := map[event.Key]bool{}
	for _, r := range dealt {
		keys[r.Event.Key()] = true
	}
	return c.box.Forget(func(line []byte) bool {
		r, err := readRefusal(line)
		return err == nil && keys[r.Event.Key()]
	})
}
