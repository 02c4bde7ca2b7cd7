package event

import (
	"encoding/json"
	"strings"
)

// The kinds.
const (
	CheckIn        Kind = "checkin"
	CheckOut       Kind = "checkout"
	Presence       Kind = "presence"
	CheckInFailed  Kind = "checkin_failed"
	TokenIssued    Kind = "token_issued"
	TokenUsed      Kind = "token_used"
	MemberUpserted Kind = "member_upserted"
	SpaceUpserted  Kind = "space_upserted"
	EventVoided    Kind = "event_voided"
	Heartbeat      Kind = "heartbeat"
)

// KindInfo is a kind: what it means, and which fields its data may carry beside
// `space`.
type KindInfo struct {
	Kind   Kind
	Doc    string
	Fields []Field
}

// kinds is every kind of event there is. To add one, write it in a file of its own
// and name it here; the decoder, the subject and the schema follow.
var kinds = table(
	checkIn,
	checkOut,
	presence,
	checkInFailed,
	tokenIssued,
	tokenUsed,
	memberUpserted,
	spaceUpserted,
	eventVoided,
	heartbeat,
)

// Kinds is every kind, in the order of the contract.
func Kinds() []KindInfo { return kinds.list }

type kindTable struct {
	list   []KindInfo
	byName map[string]*KindInfo
}

// table panics on a kind or a field that is listed twice, or has no words or no place,
// so that the first test finds it.
func table(list ...KindInfo) kindTable {
	t := kindTable{list: list, byName: map[string]*KindInfo{}}
	for i := range list {
		kind := &list[i]
		if t.byName[string(kind.Kind)] != nil {
			panic("event: kind " + string(kind.Kind) + " is listed twice")
		}
		t.byName[string(kind.Kind)] = kind
		kind.check()
	}
	return t
}

func (k *KindInfo) check() {
	seen := map[string]bool{"space": true}
	for i := range k.Fields {
		f := &k.Fields[i]
		what := "event: field " + f.Name + " of " + string(k.Kind)
		if seen[f.Name] {
			panic(what + " is listed twice")
		}
		seen[f.Name] = true
		if f.Doc == "" || !json.Valid([]byte(f.Schema)) {
			panic(what + " is not described")
		}
		var d Data
		isText, isTime := f.holds == aText || f.holds == aWord, f.holds == aTime
		if isText && d.text(f.kept) == nil || isTime && d.time(f.kept) == nil {
			panic(what + " has no place in Data")
		}
	}
	if len(k.Fields) > maxFields {
		panic("event: kind " + string(k.Kind) + " has too many fields")
	}
}

// names is every kind's, for who wrote another.
func (t kindTable) names() string {
	var names []string
	for _, kind := range t.list {
		names = append(names, string(kind.Kind))
	}
	return strings.Join(names, ", ")
}

// names is what the kind's data may hold, for who wrote something else.
func (k *KindInfo) names() string {
	names := []string{"space"}
	for _, field := range k.Fields {
		names = append(names, field.Name)
	}
	return strings.Join(names, ", ")
}

// field is the place of a field in the kind's list, or -1.
func (k *KindInfo) field(name []byte) int {
	for i := range k.Fields {
		if string(name) == k.Fields[i].Name {
			return i
		}
	}
	return -1
}
