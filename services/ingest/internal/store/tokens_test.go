package store_test

import (
	"testing"

	"coworking/pkg/event"
)

// token is a token_issued or a token_used of token t.
func token(id string, kind event.Kind, clock, member string) event.Event {
	e := tell(id, kind, clock, member)
	e.Data.TokenID = "t"
	return e
}

func TestAnEarlierIssueThatComesLateLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	w.write(token("1", event.TokenIssued, "10:00", "ada"), token("2", event.TokenUsed, "11:00", ""))
	w.write(token("3", event.TokenIssued, "09:00", "bob"))
	w.want("select string_agg(to_char(slot, 'HH24:MI') || ' ' || used, ',' order by slot) from legacy_usage", "09:00 1")
	w.want("select string_agg(m.member || ' ' || visits, ',' order by m.member) from legacy_visits l join members m on m.id = l.member", "bob 1")
	w.same()
}
