package store_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/services/ingest/internal/store"
)

// The oracle says what a set of messages amounts to, from the text of the
// specification alone: plain loops over sorted events, its own days, fold, slots,
// tokens and settings. It shares nothing with what it judges but the event's own
// type and key. It is slow, and meant to be read.

// oracle is a set of events, each once, as one line a row of every table.
type oracle struct {
	events []*told // sorted by time, then key
	voids  map[event.Key]bool
	spaces map[string]*diary
	lines  []string
}

// told is an event, and what the oracle finds out about it.
type told struct {
	event.Event
	key      event.Key
	received time.Time
	sequence uint64
	voided   bool
	day      string
}

// judge is the rows that the messages amount to, sorted.
func judge(t *testing.T, messages []store.Incoming) []string {
	t.Helper()
	o := &oracle{voids: map[event.Key]bool{}, spaces: map[string]*diary{}}
	seen := map[event.Key]bool{}
	for _, m := range messages {
		if m.Fault != nil {
			o.line("dead_letters", m.Sequence, fault.Code(m.Fault))
			continue
		}
		key := m.Event.Key()
		if seen[key] {
			continue
		}
		seen[key] = true
		o.events = append(o.events, &told{Event: m.Event, key: key, received: m.Received, sequence: m.Sequence})
	}
	slices.SortFunc(o.events, func(a, b *told) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.key[:], b.key[:]))
	})
	o.takeBack()
	for _, e := range o.events {
		if o.spaces[e.Space] == nil {
			o.spaces[e.Space] = newDiary(t, o.events, e.Space)
		}
	}
	for _, e := range o.events {
		e.day = o.spaces[e.Space].dayOf(e.Time)
	}
	o.tellEvents()
	o.tellSources()
	o.tellSpaces()
	o.tellDays()
	o.tellMembers()
	o.tellTokens()
	slices.Sort(o.lines)
	return o.lines
}

func (o *oracle) line(table string, values ...any) {
	texts := []string{table}
	for _, v := range values {
		switch v := v.(type) {
		case time.Time:
			texts = append(texts, clock(v))
		case *time.Time:
			if v == nil {
				texts = append(texts, "")
			} else {
				texts = append(texts, clock(*v))
			}
		default:
			texts = append(texts, fmt.Sprint(v))
		}
	}
	o.lines = append(o.lines, strings.Join(texts, "|"))
}

// clock is a time as testdata/rows.sql writes it.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") }

// takeBack finds what was voided: in the void's own space, and never a void.
func (o *oracle) takeBack() {
	for _, v := range o.events {
		if v.Kind != event.EventVoided {
			continue
		}
		o.voids[event.KeyOf(v.Space, v.Data.VoidSource, v.Data.VoidID)] = true
		for _, e := range o.events {
			if e.Space == v.Space && e.Source == v.Data.VoidSource && e.ID == v.Data.VoidID && e.Kind != event.EventVoided {
				e.voided = true
			}
		}
	}
}

func (o *oracle) tellEvents() {
	for _, e := range o.events {
		d := e.Data
		party, expires := "", ""
		if d.PartySize > 0 {
			party = fmt.Sprint(d.PartySize)
		}
		if d.ExpiresAt != nil {
			expires = clock(*d.ExpiresAt)
		}
		o.line("events", e.Space, e.Source, e.ID, e.Kind, e.Time, e.received, e.sequence, e.day, e.Content(), e.Member,
			d.Method, d.Zone, d.Device, d.Plan, d.Team, d.Reason, party, d.TokenID, expires, e.voided)
	}
	for key := range o.voids {
		o.line("voids", fmt.Sprintf("%x", key))
	}
}

// tellSources says when each source was last heard of, in each space.
func (o *oracle) tellSources() {
	type source struct{ space, name string }
	last := map[source]time.Time{}
	for _, e := range o.events {
		if k := (source{e.Space, e.Source}); e.Time.After(last[k]) {
			last[k] = e.Time
		}
	}
	for k, at := range last {
		o.line("sources", k.space, k.name, at)
	}
}

// counts says whether an event counts among a day's: corrections do not.
func (e *told) counts() bool { return !e.voided && e.Kind != event.EventVoided }

func (e *told) arrives() bool { return e.Kind == event.CheckIn || e.Kind == event.TokenUsed }

// tellDays folds each day of each space.
func (o *oracle) tellDays() {
	type spaceDay struct{ space, day string }
	days := map[spaceDay][]*told{}
	for _, e := range o.events {
		if e.counts() {
			k := spaceDay{e.Space, e.day}
			days[k] = append(days[k], e)
		}
	}
	for k, events := range days {
		o.tellDay(k.space, k.day, events)
	}
}

// methodCount counts one way to come, or to be refused.
type methodCount struct{ checkins, failed int }

func (o *oracle) tellDay(space, day string, events []*told) {
	var (
		late, checkins, failed, visits, members, anonymous, orphans, estimated int
		dwell, dwellEstimated                                                  time.Duration
		units                                                                  = map[string][]*told{}
		methods                                                                = map[string]*methodCount{}
		diary                                                                  = o.spaces[space]
		begin, end                                                             = diary.start(day), diary.start(nextDay(day))
		slots                                                                  = newTimetable(begin, end)
	)
	for i, e := range events {
		if e.received.Sub(e.Time) > 15*time.Minute {
			late++
		}
		way := strings.Join([]string{e.Data.Method, e.Source, e.Data.Reason}, "|")
		switch {
		case e.arrives():
			checkins++
			slots.count("checkins", e.Time, 1)
			entry(methods, way).checkins++
		case e.Kind == event.CheckInFailed:
			failed++
			slots.count("failed", e.Time, 1)
			entry(methods, way).failed++
		}
		if e.arrives() || e.Kind == event.Presence || e.Kind == event.CheckOut {
			unit := "member " + e.Member
			if e.Member == "" {
				unit = fmt.Sprint("anonymous ", i) // a unit of its own
			}
			units[unit] = append(units[unit], e)
		}
	}
	for _, unit := range units {
		member := unit[0].Member
		stays, alone := foldUnit(unit, diary.stay(day), end)
		orphans += alone
		visits += len(stays)
		if member == "" {
			anonymous += len(stays)
		} else {
			if len(stays) > 0 {
				members++
			}
			inside := 0
			for _, e := range unit {
				if e.arrives() {
					inside++
				}
			}
			o.line("member_day", space, day, member, len(stays), inside, alone)
		}
		for n, s := range stays {
			dwell += s.dwell() * time.Duration(s.party)
			if s.reason != 0 {
				estimated++
				dwellEstimated += s.dwell() * time.Duration(s.party)
			}
			slots.visit(s, member == "")
			d := s.opened.Data
			o.line("visits", space, day, member, n*min(1, len(member)), s.in, s.out, s.reason, s.touches, s.party, s.outside(),
				s.last, d.Method, d.Zone, d.Plan, d.Team)
		}
	}
	for way, n := range methods {
		o.line("method_day", space, day, way, n.checkins, n.failed)
	}
	o.line("space_day", space, day, len(events), late, checkins, failed, visits, members, anonymous, orphans, estimated,
		dwell.Microseconds(), dwellEstimated.Microseconds(), slots)
}

func entry[K comparable, V any](m map[K]*V, k K) *V {
	if m[k] == nil {
		m[k] = new(V)
	}
	return m[k]
}

// stay is a visit.
type stay struct {
	opened    *told
	in, out   time.Time
	reason    int // 0 explicit, 1 timeout, 2 cutoff
	touches   int
	party     int
	away      [][2]time.Time
	last      time.Time
	checkedIn bool // nobody checked out since
}

func (s *stay) dwell() time.Duration {
	d := s.out.Sub(s.in)
	for _, a := range s.away {
		d -= a[1].Sub(a[0])
	}
	return d
}

func (s *stay) outside() string {
	var texts []string
	for _, a := range s.away {
		texts = append(texts, clock(a[0]), clock(a[1]))
	}
	return strings.Join(texts, ",")
}

// estimate is rule 5: the default stay after the last touch, cut at the day's end.
func (s *stay) estimate(stay time.Duration, dayEnd time.Time) (time.Time, int) {
	if out := s.last.Add(stay); out.Before(dayEnd) {
		return out, 1
	}
	return dayEnd, 2
}

// foldUnit is rules 1 to 5 over one member's events of a day, in order.
func foldUnit(events []*told, defaultStay time.Duration, dayEnd time.Time) (stays []*stay, orphans int) {
	for _, e := range events {
		var last *stay
		if len(stays) > 0 {
			last = stays[len(stays)-1]
		}
		open := false
		if last != nil && last.checkedIn {
			end, _ := last.estimate(defaultStay, dayEnd)
			open = e.Time.Before(end)
		}
		switch {
		case e.Kind == event.Presence && open:
			last.last = e.Time // rule 2
		case e.Kind == event.Presence:
		case e.Kind == event.CheckOut && last != nil && last.checkedIn: // rules 3 and 5
			last.out, last.reason, last.checkedIn = e.Time, 0, false
		case e.Kind == event.CheckOut:
			orphans++ // rule 3
		case open: // rule 1
			last.touches++
			last.last = e.Time
		case last != nil && !last.checkedIn && e.Time.Sub(last.out) <= time.Hour: // rule 4
			if e.Time.After(last.out) {
				last.away = append(last.away, [2]time.Time{last.out, e.Time})
			}
			last.touches++
			last.last, last.checkedIn = e.Time, true
		default:
			if last != nil && last.checkedIn {
				last.out, last.reason = last.estimate(defaultStay, dayEnd)
				last.checkedIn = false
			}
			stays = append(stays, &stay{opened: e, in: e.Time, last: e.Time, touches: 1, party: e.Data.PartySize, checkedIn: true})
		}
	}
	if len(stays) > 0 {
		if last := stays[len(stays)-1]; last.checkedIn {
			last.out, last.reason = last.estimate(defaultStay, dayEnd)
		}
	}
	return stays, orphans
}

// timetable is a day's slots: each counter's numbers, by the slot's start.
type timetable struct {
	begin, end time.Time
	counters   map[string]map[int]int64
}

func newTimetable(begin, end time.Time) *timetable {
	return &timetable{begin, end, map[string]map[int]int64{}}
}

func (t *timetable) slot(at time.Time) int {
	n := -1
	for begin := t.begin; begin.Before(t.end) && !begin.After(at); begin = begin.Add(15 * time.Minute) {
		n++
	}
	return n
}

func (t *timetable) count(counter string, at time.Time, n int64) {
	if t.counters[counter] == nil {
		t.counters[counter] = map[int]int64{}
	}
	t.counters[counter][t.slot(at)] += n
}

func (t *timetable) visit(s *stay, anonymous bool) {
	t.count("arrivals", s.in, 1)
	if anonymous {
		t.count("anonymous", s.in, 1)
	}
	if s.reason == 0 {
		t.count("explicit", s.out, 1)
	} else {
		t.count("estimated", s.out, 1)
	}
	for begin := t.begin; begin.Before(t.end); begin = begin.Add(15 * time.Minute) {
		inside := both(s.in, s.out, begin, begin.Add(15*time.Minute))
		for _, a := range s.away {
			inside -= both(a[0], a[1], begin, begin.Add(15*time.Minute))
		}
		t.count("presence", begin, int64(s.party)*inside.Microseconds())
	}
}

// both is how much [a, b) and [c, d) have in common.
func both(a, b, c, d time.Time) time.Duration {
	if c.After(a) {
		a = c
	}
	if d.Before(b) {
		b = d
	}
	return max(0, b.Sub(a))
}

// String is the counters that are not zero.
func (t *timetable) String() string {
	var texts []string
	for _, counter := range []string{"checkins", "failed", "arrivals", "anonymous", "explicit", "estimated", "presence"} {
		var slots []int
		for slot, n := range t.counters[counter] {
			if n != 0 {
				slots = append(slots, slot)
			}
		}
		slices.Sort(slots)
		for _, slot := range slots {
			texts = append(texts, fmt.Sprintf("%s[%d]=%d", counter, slot, t.counters[counter][slot]))
		}
	}
	return strings.Join(texts, " ")
}

// tellMembers is what is known of everybody who was ever named: each field by the
// latest word (events of one instant by source and id).
func (o *oracle) tellMembers() {
	names := map[string]bool{}
	var said []*told
	for _, e := range o.events {
		if e.Member != "" {
			names[e.Member] = true
		}
		if e.Kind == event.MemberUpserted && !e.voided {
			said = append(said, e)
			d := e.Data
			o.line("member_changes", e.Member, e.Time, e.Source, e.ID, d.JoinedAt, d.Plan, d.Team, text(d.Active), text(d.MemberName))
		}
	}
	slices.SortFunc(said, func(a, b *told) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID))
	})
	for name := range names {
		var known event.Data
		for _, e := range said {
			if e.Member != name {
				continue
			}
			if e.Data.JoinedAt != nil {
				known.JoinedAt = e.Data.JoinedAt
			}
			known.Plan, known.Team = cmp.Or(e.Data.Plan, known.Plan), cmp.Or(e.Data.Team, known.Team)
			if e.Data.Active != nil {
				known.Active = e.Data.Active
			}
			if e.Data.MemberName != nil {
				known.MemberName = e.Data.MemberName
			}
		}
		o.line("members", name, known.JoinedAt, known.Plan, known.Team, text(known.Active), text(known.MemberName))
	}
}

func text[T any](p *T) string {
	if p == nil {
		return ""
	}
	return fmt.Sprint(*p)
}

// tellTokens: the earliest issue and the earliest use of each token hold; and with
// them the two reports of the old system.
func (o *oracle) tellTokens() {
	type token struct{ space, id string }
	issues, uses := map[token]*told{}, map[token]*told{}
	all := map[token]bool{}
	for _, e := range o.events { // the earliest first
		k := token{e.Space, e.Data.TokenID}
		switch {
		case e.voided:
		case e.Kind == event.TokenIssued:
			all[k] = true
			if issues[k] == nil {
				issues[k] = e
			}
		case e.Kind == event.TokenUsed:
			all[k] = true
			if uses[k] == nil {
				uses[k] = e
			}
		}
	}
	usage, visits := map[time.Time]int{}, map[string]int{}
	for k := range all {
		var (
			issued, used, expires      *time.Time
			issuedKey, usedKey, member string
		)
		if e := uses[k]; e != nil {
			used, usedKey = &e.Time, fmt.Sprintf("%x", e.key)
		}
		if e := issues[k]; e != nil {
			issued, issuedKey, member, expires = &e.Time, fmt.Sprintf("%x", e.key), e.Member, e.Data.ExpiresAt
			if used != nil {
				usage[e.Time.Truncate(15*time.Minute)]++
			}
			if member != "" {
				visits[member]++
			}
		}
		o.line("tokens", k.space, k.id, issued, issuedKey, member, expires, used, usedKey)
	}
	for slot, n := range usage {
		o.line("legacy_usage", slot, n)
	}
	for member, n := range visits {
		o.line("legacy_visits", member, n)
	}
}

// tellSpaces is every space that was ever named, and what was said of it.
func (o *oracle) tellSpaces() {
	o.spaces[event.NoSpace] = entry(o.spaces, event.NoSpace) // always there
	for name, d := range o.spaces {
		configured := false
		for _, w := range d.words {
			configured = configured || w.said.TimeZone != nil
			s := w.said
			o.line("space_changes", name, w.event.Time, w.event.Source, w.event.ID, text(s.Name), text(s.TimeZone), text(s.Capacity),
				text(s.DayStart), text(s.DefaultStay), text(s.EffectiveFrom))
		}
		o.line("spaces", name, configured)
	}
}
