// Package hooks turns what door and booking systems post into events: mappings that
// are data, and the signatures that say who posted. It publishes nothing.
package hooks

import (
	"errors"
	"slices"

	"coworking/pkg/event"
	"coworking/pkg/fault"
)

// Mapping says how the payloads of one vendor become events. It is data: a file in
// vendors, or a part of the hooks file.
type Mapping struct {
	// Documented is the pages that the mapping was made from; nobody reads them here.
	Documented []string `json:"documented"`

	MediaTypes []string `json:"media_types"` // of the body; application/json if none is given
	Signature  *Scheme  `json:"signature"`   // nil: the vendor signs nothing

	Events   Pointer `json:"events"`   // of the list of events, or of the only one; "" is the whole body
	Type     Text    `json:"type"`     // what the vendor calls what happened
	Location Text    `json:"location"` // where, as the vendor numbers its places
	Rules    []Rule  `json:"rules"`    // the first that fits decides; an event that none fits is ignored

	// Fields is id, source, time, member, and the fields of data by their names. What
	// a kind cannot carry is left out of it.
	Fields map[string]Text `json:"fields"`
	// Values is other words for what a field holds, by field and the vendor's word. A
	// word that is not there leaves the field out.
	Values map[string]map[string]string `json:"values"`
	// Identity is what makes an event the one it is where it has no id: the id is then
	// a hash of this. If it is not given, of all that the event says.
	Identity []Text `json:"identity"`
	// Times is how the vendor writes times, tried in this order: rfc3339, unix,
	// unix_ms, or a layout of Go's package time. rfc3339 if none is given.
	Times []Layout `json:"times"`
}

// Rule is what one type of the vendor's events becomes.
type Rule struct {
	Type   string               `json:"type"` // "" is any
	When   map[Pointer][]string `json:"when"` // what else must be there, and be one of these
	Kind   event.Kind           `json:"kind"`
	Fields map[string]Text      `json:"fields"` // on top of the mapping's
}

// ignored is the kind of a rule whose events are not wanted.
const ignored event.Kind = "ignored"

// mappable is the kinds that a vendor can tell of. What is known of a space, and
// corrections, are our own affair.
var mappable = []event.Kind{
	event.CheckIn, event.CheckOut, event.Presence, event.CheckInFailed, event.TokenIssued, event.TokenUsed,
	event.MemberUpserted, event.Heartbeat, ignored,
}

// envelope is the fields that are not of data.
var envelope = []string{"id", "source", "time", "member"}

// carried is the fields of data of each kind that can be mapped.
var carried = func() map[event.Kind][]string {
	fields := map[event.Kind][]string{}
	for _, kind := range event.Kinds() {
		for _, field := range kind.Fields {
			if slices.Contains(mappable, kind.Kind) {
				fields[kind.Kind] = append(fields[kind.Kind], field.Name)
			}
		}
	}
	return fields
}()

// check says all that is wrong with a mapping. zoned tells whether times without an
// offset can be read.
func (m *Mapping) check(zoned bool) error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fault.Invalid.Errorf(format, args...)) }
	if len(m.Rules) == 0 {
		say("a mapping needs rules: which type becomes which kind")
	}
	checkFields := func(fields map[string]Text) {
		for name := range fields {
			if !slices.Contains(envelope, name) && !anyCarries(name) {
				say("no event has a field %q", name)
			}
		}
	}
	checkFields(m.Fields)
	for _, rule := range m.Rules {
		if !slices.Contains(mappable, rule.Kind) {
			say("%q is no kind that a hook can bring", rule.Kind)
		}
		if rule.Type != "" && len(m.Type) == 0 {
			say("a rule asks for the type %q, and nothing says where the type is", rule.Type)
		}
		if rule.Kind != ignored && len(m.Fields["time"]) == 0 && len(rule.Fields["time"]) == 0 {
			say("nothing says where the time of a %s is", rule.Kind)
		}
		checkFields(rule.Fields)
	}
	for _, layout := range m.Times {
		if !zoned && !layout.zoned() {
			say("times as %q have no offset: the hook needs a zone", layout)
		}
	}
	if m.Signature != nil {
		wrong = append(wrong, m.Signature.check())
	}
	return errors.Join(wrong...)
}

func anyCarries(name string) bool {
	for _, fields := range carried {
		if slices.Contains(fields, name) {
			return true
		}
	}
	return false
}

// aboutMembers says whether any of the events, or all of them, are about members,
// which belong to no single space.
func (m *Mapping) aboutMembers() (some, all bool) {
	all = true
	for _, rule := range m.Rules {
		switch rule.Kind {
		case event.MemberUpserted:
			some = true
		case ignored:
		default:
			all = false
		}
	}
	return some, all
}
