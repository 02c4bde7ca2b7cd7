// Package event is the contract: what a check-in event is, how it is read and
// written, and what is refused. It knows no broker and no database.
//
// An event is a CloudEvent 1.0 (https://github.com/cloudevents/spec) in structured
// JSON mode, with one of the types of Kinds.
package event

import (
	"time"

	"coworking/pkg/fault"
)

// Kind is what an event tells: the last token of its type and of its subject.
type Kind string

// TypePrefix is what every type begins with.
const TypePrefix = "coworking.v1."

// SubjectPrefix is what every subject that is published to begins with.
const SubjectPrefix = "checkins.v1."

// NoSpace is the space of events that are about no single one: members.
const NoSpace = "_"

// futureTolerance is how far a device's clock may be ahead of the stream's.
const futureTolerance = 5 * time.Minute

// Event is one thing that happened, as told by a source. (Space, Source, ID) is
// its identity. Time is in UTC, in whole microseconds. Member is the CloudEvents
// subject, "" for somebody anonymous.
type Event struct {
	ID     string
	Source string
	Kind   Kind
	Time   time.Time
	Member string
	Space  string
	Data   Data
}

// Data is the known fields of every kind beside `space`; which a kind may carry is
// in its own file. It is flat, so that reading an event allocates nothing. An
// absent text is "", other absent values are nil or zero.
type Data struct {
	Method    string
	Zone      string
	Device    string
	Plan      string
	Team      string
	PartySize int // 1 where the kind has it and the event does not say
	TokenID   string
	ExpiresAt *time.Time
	Reason    string

	// Of event_voided: the event that it takes back.
	VoidSource string
	VoidID     string
	VoidReason string

	// Of member_upserted: nil is "not said", which changes nothing.
	JoinedAt   *time.Time
	Active     *bool
	MemberName *string

	// Of space_upserted; nil for other kinds.
	Settings *Settings
}

// Type is the CloudEvents type.
func (e *Event) Type() string { return TypePrefix + string(e.Kind) }

// Subject is the NATS subject that the event is published to.
func (e *Event) Subject() string { return SubjectPrefix + e.Space + "." + string(e.Kind) }

// CheckFuture judges the event's time by when the stream stored it, never by a
// worker's clock, so that a replay years later gives the same answer. The error is
// fault.Invalid with the code `future`.
func (e *Event) CheckFuture(received time.Time) error {
	if ahead := e.Time.Sub(received); ahead > futureTolerance {
		return fault.Invalid.With("future", "/time", "time is %s after it was received: the source's clock or its zone is wrong", ahead.Round(time.Second))
	}
	return nil
}
