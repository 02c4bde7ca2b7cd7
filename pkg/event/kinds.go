package event

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

// table panics on a kind or a field that is listed twice, so that the first test
// finds it.
func table(list ...KindInfo) kindTable {
	t := kindTable{list: list, byName: map[string]*KindInfo{}}
	for i := range list {
		kind := &list[i]
		if t.byName[string(kind.Kind)] != nil {
			panic("event: kind " + string(kind.Kind) + " is listed twice")
		}
		t.byName[string(kind.Kind)] = kind
		seen := map[string]bool{"space": true}
		for _, f := range kind.Fields {
			if seen[f.Name] {
				panic("event: field " + f.Name + " of " + string(kind.Kind) + " is listed twice")
			}
			seen[f.Name] = true
		}
		if len(kind.Fields) > maxFields {
			panic("event: kind " + string(kind.Kind) + " has too many fields")
		}
	}
	return t
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
