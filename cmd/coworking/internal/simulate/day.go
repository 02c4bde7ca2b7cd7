package simulate

import (
	"fmt"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
)

// lastLeave is when even a space that never closes has nobody left at work.
const lastLeave = 23*time.Hour + 30*time.Minute

// day is everything that happens in a space on a date, and when it is sent.
func (w *World) day(s *space, date calendar.Date) []sending {
	r := w.random(s.name, "|", int(date))
	events := w.news(r, s, date)
	from, to, open := s.open(date)
	if open {
		for _, m := range s.members {
			if m.is(date) && r.chance(m.comes[date.Weekday()]) {
				events = append(events, visit(r, m, s, date, from, to)...)
			}
		}
		events = append(events, w.travellers(r, s, date, from, to)...)
		events = append(events, guests(r, s, date, from, to)...)
		events = append(events, heartbeats(r, s, from, to)...)
		events = append(events, slips(r, s, date, from, to)...)
	}
	events = append(events, refusals(r, s, date, open)...)
	return send(r, s, date, events)
}

// visit is what is seen of one member on one day.
func visit(r *random, m *member, s *space, date calendar.Date, opens, closes time.Time) []event.Event {
	in := latest(s.at(date, r.around(m.arrives, m.spread)), opens.Add(r.between(0, 10*time.Minute)))
	out := earliest(in.Add(max(20*time.Minute, r.around(m.stays, 50*time.Minute))), earliest(closes, s.at(date, lastLeave)))
	if out.Sub(in) < 15*time.Minute {
		return nil
	}
	v := &stay{r: r, m: m, s: s, zone: pick(r, zones)}
	v.enter(in)
	v.stayAbout(date, in, out)
	if r.chance(m.checkout) {
		v.leave(out)
	}
	return v.seen
}

// stay is a visit in the making.
type stay struct {
	r    *random
	m    *member
	s    *space
	zone string
	seen []event.Event
}

// add notes an event at the member's door.
func (v *stay) add(kind event.Kind, at time.Time) *event.Event {
	e := v.r.event(kind, at, v.s.name+"/"+v.m.door.device, v.s.name, v.m.id)
	if kind != event.TokenIssued {
		e.Data.Method, e.Data.Device = v.m.door.method, v.m.door.device
	}
	v.seen = append(v.seen, e)
	return &v.seen[len(v.seen)-1]
}

// enter opens the door, mostly at the first try.
func (v *stay) enter(at time.Time) {
	if v.r.chance(0.015) {
		refused := v.add(event.CheckInFailed, at.Add(-40*time.Second))
		refused.Data.Reason = pick(v.r, []string{"no_valid_pass", "token_expired", "other"})
	}
	if v.m.door.method != "token" {
		v.add(event.CheckIn, at).Data.Zone = v.zone
		return
	}
	token := fmt.Sprintf("%016x", v.r.Uint64())
	asked := at.Add(-v.r.between(20*time.Second, 4*time.Minute))
	expires := asked.Add(15 * time.Minute).UTC().Truncate(time.Millisecond)
	issued := v.add(event.TokenIssued, asked)
	issued.Data.TokenID, issued.Data.ExpiresAt = token, &expires
	used := v.add(event.TokenUsed, at)
	used.Data.TokenID, used.Data.Zone = token, v.zone
	if v.r.chance(0.02) { // a friend tries it again
		again := v.add(event.CheckInFailed, at.Add(time.Minute))
		again.Data.Reason, again.Data.TokenID, again.Member = "token_reused", token, ""
	}
}

// stayAbout is what is seen of somebody between coming and going.
func (v *stay) stayAbout(date calendar.Date, in, out time.Time) {
	noon := v.s.at(date, v.r.around(12*time.Hour+30*time.Minute, 25*time.Minute))
	back := noon.Add(v.r.around(40*time.Minute, 12*time.Minute))
	if noon.After(in.Add(time.Hour)) && back.Before(out.Add(-time.Hour)) && back.After(noon) && v.r.chance(v.m.lunch) {
		if v.r.chance(v.m.checkout) {
			v.leave(noon)
		}
		v.add(event.CheckIn, back).Data.Zone = v.zone
	}
	if v.m.door.method == "door" { // doors open many times a day
		for range v.r.count(0.8) {
			v.add(event.CheckIn, in.Add(v.r.between(0, out.Sub(in)))).Data.Zone = v.zone
		}
	}
	if !v.m.wifi {
		return
	}
	for at := in.Add(v.r.between(time.Minute, 20*time.Minute)); at.Before(out); at = at.Add(v.r.between(70*time.Minute, 150*time.Minute)) {
		e := v.r.event(event.Presence, at, v.s.name+"/wifi", v.s.name, v.m.id)
		e.Data.Method, e.Data.Zone = "wifi", v.zone
		v.seen = append(v.seen, e)
	}
}

func (v *stay) leave(at time.Time) { v.add(event.CheckOut, at) }

// travellers are members of another space who work here today.
func (w *World) travellers(r *random, s *space, date calendar.Date, opens, closes time.Time) []event.Event {
	var events []event.Event
	for _, m := range w.members {
		if m.travels && m.home != s && m.is(date-1) && r.chance(0.08*s.kind.busy[date.Weekday()]) {
			events = append(events, visit(r, m, s, date, opens, closes)...)
		}
	}
	return events
}

// guests come without a name, some of them with friends.
func guests(r *random, s *space, date calendar.Date, opens, closes time.Time) []event.Event {
	var events []event.Event
	for range r.count(float64(s.kind.capacity) / 14 * s.kind.busy[date.Weekday()]) {
		at := s.at(date, r.around(13*time.Hour, 150*time.Minute))
		if at.Before(opens) || !at.Before(closes) {
			continue
		}
		e := r.event(event.CheckIn, at, s.name+"/kiosk-1", s.name, "")
		e.Data.Method, e.Data.Device, e.Data.Zone, e.Data.Plan = "kiosk", "kiosk-1", "lounge", "day-pass"
		e.Data.PartySize = 1 + r.weighted(0.62, 0.2, 0.09, 0.05, 0.02, 0.02)
		events = append(events, e)
		if r.chance(0.2) {
			gone := r.event(event.CheckOut, at.Add(r.between(30*time.Minute, 4*time.Hour)), s.name+"/kiosk-1", s.name, "")
			gone.Data.Method, gone.Data.Device = "kiosk", "kiosk-1"
			events = append(events, gone)
		}
	}
	return events
}

// refusals are people at the door who may not come in.
func refusals(r *random, s *space, date calendar.Date, open bool) []event.Event {
	var events []event.Event
	for range r.count(0.6) {
		e := r.event(event.CheckInFailed, s.at(date, r.between(6*time.Hour, 23*time.Hour)), s.name+"/door-1", s.name, "")
		e.Data.Method, e.Data.Device, e.Data.Reason = "door", "door-1", pick(r, []string{"unknown_member", "no_valid_pass"})
		if !open {
			e.Data.Reason = "outside_hours"
		}
		events = append(events, e)
	}
	return events
}

// heartbeats say that the devices are alive.
func heartbeats(r *random, s *space, opens, closes time.Time) []event.Event {
	var events []event.Event
	for _, device := range []string{"door-1", "kiosk-1"} {
		for at := opens.Add(r.between(0, time.Hour)); at.Before(closes); at = at.Add(2 * time.Hour) {
			events = append(events, r.event(event.Heartbeat, at, s.name+"/"+device, s.name, ""))
		}
	}
	return events
}

// slips are check-ins of the wrong person, and the desk taking them back.
func slips(r *random, s *space, date calendar.Date, opens, closes time.Time) []event.Event {
	if len(s.members) == 0 || !r.chance(0.25) {
		return nil
	}
	wrong := pick(r, s.members)
	if !wrong.is(date) {
		return nil
	}
	at := earliest(latest(s.at(date, r.around(10*time.Hour, time.Hour)), opens), closes.Add(-time.Hour))
	slip := r.event(event.CheckIn, at, s.name+"/desk", s.name, wrong.id)
	slip.Data.Method = "manual"
	taken := r.event(event.EventVoided, at.Add(r.between(2*time.Minute, 40*time.Minute)), s.name+"/desk", s.name, "")
	taken.Data.VoidSource, taken.Data.VoidID, taken.Data.VoidReason = slip.Source, slip.ID, "wrong person"
	return []event.Event{slip, taken}
}

// send says when each event reaches the stream: nearly at once, hours later where
// a device was offline, and now and then twice.
func send(r *random, s *space, date calendar.Date, events []event.Event) []sending {
	var offline string
	var from, to time.Time
	if r.chance(0.04) {
		offline = s.name + "/" + pick(r, doors).device
		from = s.at(date, r.between(7*time.Hour, 18*time.Hour))
		to = from.Add(r.between(30*time.Minute, 5*time.Hour))
	}
	sent := make([]sending, 0, len(events))
	for _, e := range events {
		at := e.Time.Add(r.between(20*time.Millisecond, 2*time.Second))
		switch {
		case e.Source == offline && e.Time.After(from) && e.Time.Before(to):
			at = to.Add(r.between(0, time.Minute))
		case e.Source != office && r.chance(0.003):
			at = at.Add(r.between(16*time.Minute, 9*time.Hour))
		}
		sent = append(sent, sending{event: e, at: at})
		if r.chance(0.004) { // nobody heard the acknowledgement
			sent = append(sent, sending{event: e, at: at.Add(r.between(time.Second, time.Minute))})
		}
	}
	return sent
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
