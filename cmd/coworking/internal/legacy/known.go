package legacy

import (
	"math"
	"strconv"
	"time"
	"unique"

	"coworking/pkg/event"
)

// never is a time that is not there.
const never = math.MinInt64

// knownToken is a row of tokens as the stream was told of it: times in microseconds
// since 1970, or never. There may be millions.
type knownToken struct {
	user         unique.Handle[string]
	issued, used int64
}

// knownUser is a row of users as the stream was told of it.
type knownUser struct {
	name   string
	joined int64
	active string // true, false, or "" where the row does not say
}

// tokenIDs is under which ids the events of a row stand in the stream.
type tokenIDs struct{ issued, used string }

// known is all that the stream was told. It is as large as the old tables are long,
// about 140 bytes a row, and lives as long as its process: whoever begins anew tells
// everything anew, under the same ids.
type known struct {
	users  map[string]knownUser
	tokens map[string]knownToken

	// retold is the rows of which something was taken back. What is taken back stays
	// so, under its id: the row is told under others. Both are "" for a row that was
	// deleted.
	retold map[string]tokenIDs
}

func newKnown() *known {
	return &known{users: map[string]knownUser{}, tokens: map[string]knownToken{}, retold: map[string]tokenIDs{}}
}

// change is one row that has to be told: its events, and what is known once the
// stream has them.
type change struct {
	place  string // tokens row 7
	events []event.Event
	wrong  []error // why some of it is no event
	kind   string  // of Counts
	told   func(*known)
}

// user is what has to be told of a row of users, as of a time that is later than every
// one before it. Nothing in the table says when a user changed; that the row is read
// later than another is as good: the latest time holds.
func (k *known) user(u User, asOf time.Time) (change, bool) {
	now := knownUser{name: u.Name, joined: micros(u.Joined)}
	if u.Active != nil {
		now.active = strconv.FormatBool(*u.Active)
	}
	before, seen := k.users[u.ID]
	if seen && before == now {
		return change{}, false
	}
	c := change{place: "users row " + u.ID, kind: usersNew, told: func(k *known) { k.users[u.ID] = now }}
	if seen {
		c.kind = usersChanged
	}
	c.events = []event.Event{u.Event(&asOf, asOf)}
	return c, true
}

// goneUser is what has to be told of a user whose row is gone: that they are no
// longer active. When they joined stays known, as what they did does.
func (k *known) goneUser(id string, asOf time.Time) change {
	inactive := false
	return change{
		place: "users row " + id, kind: usersDeleted, told: func(k *known) { delete(k.users, id) },
		events: []event.Event{User{ID: id, Active: &inactive}.Event(&asOf, asOf)},
	}
}

// token is what has to be told of a row of tokens; version is the transaction that
// wrote it. Nearly always that is an event more. Where the row no longer says what it
// said, an event is taken back, and told anew under an id that holds the version.
func (k *known) token(t Token, version uint32, space string) (change, bool) {
	now := knownToken{user: unique.Make(t.User), issued: micros(t.Issued), used: micros(t.Used)}
	before, seen := k.tokens[t.ID]
	if !seen {
		before = knownToken{user: now.user, issued: never, used: never}
	} else if before == now {
		return change{}, false
	}
	ids, retold := k.idsOf(t.ID)
	c := change{place: "tokens row " + t.ID, kind: tokensChanged}
	switch {
	case before.issued == never && before.used == never:
		c.kind = tokensNew
	case before.user == now.user && before.issued == now.issued && before.used == never:
		c.kind = tokensUsed
	}
	suffix := "/" + strconv.FormatUint(uint64(version), 10)
	issuedStands := before.issued != never && before.issued == now.issued && before.user == now.user
	usedStands := before.used != never && before.used == now.used && before.user == now.user
	if before.issued != never && !issuedStands {
		c.events = append(c.events, takenBack(ids.issued, before.issued, space, changedReason))
		ids.issued, retold = baseID(t.ID, "issued")+suffix, true
	}
	if before.used != never && !usedStands {
		c.events = append(c.events, takenBack(ids.used, before.used, space, changedReason))
		ids.used, retold = baseID(t.ID, "used")+suffix, true
	}
	if ids.issued == "" { // it was deleted, and is there again
		ids = tokenIDs{baseID(t.ID, "issued") + suffix, baseID(t.ID, "used") + suffix}
	}
	c.told = func(k *known) {
		k.tokens[t.ID] = now
		if retold {
			k.retold[t.ID] = ids
		}
	}
	events, err := t.Events(space)
	if err != nil {
		c.wrong = append(c.wrong, err)
	}
	for _, e := range events {
		switch {
		case e.Kind == event.TokenIssued && !issuedStands:
			e.ID = ids.issued
			c.events = append(c.events, e)
		case e.Kind == event.TokenUsed && !usedStands:
			e.ID = ids.used
			c.events = append(c.events, e)
		}
	}
	return c, true
}

// goneToken is what has to be told of a token whose row is gone: that it never was,
// as the old system's reports have it.
func (k *known) goneToken(id, space string) change {
	before := k.tokens[id]
	ids, _ := k.idsOf(id)
	c := change{place: "tokens row " + id, kind: tokensDeleted, told: func(k *known) {
		delete(k.tokens, id)
		k.retold[id] = tokenIDs{}
	}}
	if before.issued != never {
		c.events = append(c.events, takenBack(ids.issued, before.issued, space, deletedReason))
	}
	if before.used != never {
		c.events = append(c.events, takenBack(ids.used, before.used, space, deletedReason))
	}
	return c
}

// idsOf is under which ids a row's events stand, and whether these are others than
// they would be in every import.
func (k *known) idsOf(id string) (tokenIDs, bool) {
	if ids, retold := k.retold[id]; retold {
		return ids, true
	}
	return tokenIDs{baseID(id, "issued"), baseID(id, "used")}, false
}

// baseID is the id of a row's event in every import.
func baseID(id, what string) string { return "token/" + id + "/" + what }

// Why an event is taken back.
const (
	changedReason = "the row of the old system says something else now"
	deletedReason = "the row of the old system was deleted"
)

// takenBack takes an event back. It has the time of what it takes back: so it is the
// same event whoever takes it back, and whenever.
func takenBack(id string, at int64, space, reason string) event.Event {
	return event.Event{
		ID: id + "/voided", Source: Source, Kind: event.EventVoided, Time: time.UnixMicro(at).UTC(), Space: space,
		Data: event.Data{VoidSource: Source, VoidID: id, VoidReason: reason},
	}
}

func micros(t *time.Time) int64 {
	if t == nil {
		return never
	}
	return t.UnixMicro()
}
