package legacy

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"coworking/pkg/event"
	"coworking/pkg/fault"
)

// Source is the source of every event that comes from the old system.
const Source = "legacy"

// maxName is how many bytes a member's name may have.
const maxName = 256

// longAgo is when a member is taken to be known who joined at no time that an event
// may have.
var longAgo = time.Date(1973, 1, 1, 0, 0, 0, 0, time.UTC)

// Events of a token: that it was issued, and, if it was, that it was used. Their
// ids are the row's, so that they are the same events in every import.
func (t Token) Events(space string) ([]event.Event, error) {
	if t.Issued == nil {
		return nil, fault.Invalid.With("invalid_time", "", "created_at is null")
	}
	issued := event.Event{
		ID: "token/" + t.ID + "/issued", Source: Source, Kind: event.TokenIssued, Time: *t.Issued, Member: t.User, Space: space,
		Data: event.Data{TokenID: t.tokenID()},
	}
	if t.Used == nil {
		return []event.Event{issued}, nil
	}
	used := event.Event{
		ID: "token/" + t.ID + "/used", Source: Source, Kind: event.TokenUsed, Time: *t.Used, Member: t.User, Space: space,
		Data: event.Data{Method: "token", TokenID: t.tokenID(), PartySize: 1},
	}
	return []event.Event{issued, used}, nil
}

// tokenID is apart from every id that a newer system gives a token of the space.
func (t Token) tokenID() string { return Source + "/" + t.ID }

// Event says who a user is.
//
// Its time is the one at which they joined, so that it is the same event in every
// import, and so that whatever the new system says of them is later and holds. asOf
// is for users who changed since an earlier import: it is the time of those who
// joined before it, and nil otherwise.
//
// Its id holds a hash of the content: a row that changed is another event, not a
// conflict. Of two events of one time the greater id holds, and "inactive" is
// greater than "active": who left stays so, whatever the order of imports.
func (u User) Event(asOf *time.Time, now time.Time) event.Event {
	e := event.Event{Source: Source, Kind: event.MemberUpserted, Time: longAgo, Member: u.ID, Space: event.NoSpace}
	e.Data.JoinedAt, e.Data.Active = u.Joined, u.Active
	if u.Joined != nil && u.Joined.After(longAgo) && !u.Joined.After(now) {
		e.Time = *u.Joined
	}
	if asOf != nil && e.Time.Before(*asOf) {
		e.Time = asOf.UTC()
	}
	if name := nameOf(u.Name); name != "" {
		e.Data.MemberName = &name
	}
	state := "active"
	if u.Active != nil && !*u.Active {
		state = "inactive"
	}
	e.ID = fmt.Sprintf("user/%s/%s/%016x", u.ID, state, e.Content())
	return e
}

// nameOf is a name as an event may hold it: without control characters, and no
// longer than it may be.
func nameOf(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, name)
	for len(name) > maxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return strings.TrimSpace(name)
}
