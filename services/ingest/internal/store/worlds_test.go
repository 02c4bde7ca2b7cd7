package store_test

import (
	_ "embed"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/slots"
	"coworking/services/ingest/internal/store"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed testdata/rows.sql
var allRows string

// chance makes random worlds: few people and few days, so that everything that can
// get into each other's way does.
type chance struct{ *rand.Rand }

func newChance(seed uint64, world int) chance {
	return chance{rand.New(rand.NewPCG(seed, uint64(world)))}
}

func (c chance) one(in int) bool { return c.IntN(in) == 0 }

func pick[T any](c chance, from ...T) T { return from[c.IntN(len(from))] }

// The days around which clocks change somewhere, and one on which none does.
var turningPoints = []string{"2026-03-08", "2026-03-29", "2026-06-10", "2026-10-25", "2026-11-01"}

var zones = []string{
	"Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe",
}

// world is the messages of a random world, each once, in the order they were sent.
func (c chance) world() []store.Incoming {
	middle, _ := time.Parse(time.DateOnly, pick(c, turningPoints...))
	spaces := []string{"berlin", "york", "kathmandu"}[:1+c.IntN(3)]
	var events []event.Event
	for i := range 30 + c.IntN(60) {
		e := event.Event{
			ID: fmt.Sprint(i), Source: pick(c, "door", "kiosk"), Space: pick(c, spaces...),
			Time: c.instant(middle), Member: pick(c, "ada", "bob", "cleo", "ada"),
		}
		if c.one(8) { // such ids have keys of another make
			e.ID, _ = event.NewID(e.Time, strings.NewReader(fmt.Sprintf("%10d", i)))
		}
		c.tell(&e, middle, events)
		events = append(events, e)
	}
	var messages []store.Incoming
	for i, e := range events {
		received := e.Time.Add(time.Duration(c.IntN(1200)) * time.Second)
		if c.one(4) {
			received = received.Add(time.Duration(c.IntN(50)) * time.Hour)
		}
		messages = append(messages, message(e, uint64(i+1), received))
	}
	if c.one(3) {
		poison := store.Incoming{
			Fault: fault.Invalid.With("invalid_json", "", "not JSON"), Subject: "checkins.v1.0.berlin.checkin", Body: []byte("{"),
			Stream: created, Sequence: 4711, Received: middle,
		}
		messages = append(messages, poison)
	}
	return messages
}

// message is an event as the stream hands it over.
func message(e event.Event, sequence uint64, received time.Time) store.Incoming {
	body := e.Encode(nil)
	decoded, err := event.Decode(body, event.Options{})
	return store.Incoming{
		Event: decoded, Fault: err, Subject: "checkins.v1.0." + e.Space + "." + string(e.Kind), Body: body,
		Stream: created, Sequence: sequence, Received: received,
	}
}

// instant is a time in the four days around midnight of the middle: often on a
// slot's border, and often the same one again.
func (c chance) instant(middle time.Time) time.Time {
	t := middle.Add(-48 * time.Hour)
	switch c.IntN(4) {
	case 0:
		return t.Add(time.Duration(c.IntN(4*24*60*60*1e6)) * time.Microsecond)
	case 1:
		return middle.Add(time.Duration(c.IntN(24*4)) * 15 * time.Minute)
	default:
		return t.Add(time.Duration(c.IntN(4*24*12)) * 5 * time.Minute)
	}
}

// tell gives the event a kind, and what goes with it. Earlier events are what it
// may take back.
func (c chance) tell(e *event.Event, middle time.Time, earlier []event.Event) {
	d := &e.Data
	switch n := c.IntN(100); {
	case n < 33:
		e.Kind, d.PartySize = event.CheckIn, 1
		d.Method, d.Zone = pick(c, "", "door", "app"), pick(c, "", "loft")
		d.Plan, d.Team, d.Device = pick(c, "", "flex"), pick(c, "", "acme"), pick(c, "", "lock-7")
		if c.one(4) {
			e.Member, d.PartySize = "", 1+c.IntN(4)
		}
	case n < 50:
		e.Kind, d.Method = event.CheckOut, pick(c, "", "door")
		if c.one(8) {
			e.Member = ""
		}
	case n < 57:
		e.Kind = event.Presence
		if c.one(6) {
			e.Member = ""
		}
	case n < 62:
		e.Kind, e.Member = event.CheckInFailed, pick(c, "", "ada")
		d.Method, d.Reason = pick(c, "", "door"), pick(c, "", "no_valid_pass", "other")
	case n < 69:
		e.Kind, d.TokenID, e.Member = event.TokenIssued, pick(c, "t1", "t2", "t3"), pick(c, "", "ada", "bob")
		if c.one(2) {
			expires := e.Time.Add(time.Hour)
			d.ExpiresAt = &expires
		}
	case n < 75:
		e.Kind, d.TokenID, d.PartySize = event.TokenUsed, pick(c, "t1", "t2", "t3"), 1
		d.Method, e.Member = pick(c, "", "token"), pick(c, "", "ada", "dan")
	case n < 81:
		e.Kind, e.Space = event.MemberUpserted, event.NoSpace
		c.tellMember(e)
	case n < 88:
		e.Kind, e.Member = event.SpaceUpserted, ""
		c.tellSpace(e, middle)
	case n < 98:
		e.Kind, e.Member = event.EventVoided, ""
		d.VoidSource, d.VoidID = "door", "never sent"
		if len(earlier) > 0 && !c.one(8) {
			target := pick(c, earlier...)
			d.VoidSource, d.VoidID = target.Source, target.ID
			if !c.one(8) { // else it may be another space's, and reach nothing
				e.Space = target.Space
			}
		}
	default:
		e.Kind, e.Member = event.Heartbeat, ""
	}
}

func (c chance) tellMember(e *event.Event) {
	d := &e.Data
	d.Plan, d.Team = pick(c, "", "flex", "desk"), pick(c, "", "acme", "zeta")
	if c.one(2) {
		name := pick(c, "Ada L.", "Bob", "Änne")
		d.MemberName = &name
	}
	if c.one(2) {
		active := c.one(2)
		d.Active = &active
	}
	if c.one(3) {
		joined := e.Time.AddDate(0, -c.IntN(20), 0)
		d.JoinedAt = &joined
	}
}

func (c chance) tellSpace(e *event.Event, middle time.Time) {
	s := &event.Settings{}
	e.Data.Settings = s
	if c.one(2) {
		zone := pick(c, zones...)
		s.TimeZone = &zone
	}
	if c.one(3) {
		start := pick(c, "00:00", "05:00", "03:30")
		s.DayStart = &start
	}
	if c.one(3) {
		stay := pick(c, "1h", "4h", "7h30m", "24h")
		s.DefaultStay = &stay
	}
	if c.one(4) {
		seats := c.IntN(50)
		s.Capacity = &seats
	}
	if c.one(2) {
		from := middle.AddDate(0, 0, c.IntN(6)-3).Format(time.DateOnly)
		s.EffectiveFrom = &from
	}
}

// rows is every row of the database as the oracle writes it, sorted.
func rows(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	found, err := pool.Query(t.Context(), allRows)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range lines {
		if strings.HasPrefix(line, "space_day|") {
			lines[i] = unpacked(t, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// unpacked is a line of space_day with its slots, the last column, spelled out.
func unpacked(t *testing.T, line string) string {
	t.Helper()
	at := strings.LastIndex(line, "|") + 1
	packed, err := hex.DecodeString(line[at:])
	if err != nil {
		t.Fatal(err)
	}
	day, err := slots.Decode(packed)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, c := range []struct {
		name  string
		slots []int64
	}{
		{"checkins", day.Checkins},
		{"failed", day.Failed},
		{"arrivals", day.Arrivals},
		{"anonymous", day.Anonymous},
		{"explicit", day.DeparturesExplicit},
		{"estimated", day.DeparturesEstimated},
		{"presence", day.Presence},
	} {
		for slot, n := range c.slots {
			if n != 0 {
				texts = append(texts, fmt.Sprintf("%s[%d]=%d", c.name, slot, n))
			}
		}
	}
	return line[:at] + strings.Join(texts, " ")
}
