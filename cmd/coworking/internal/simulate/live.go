package simulate

import (
	"time"

	"coworking/pkg/event"
)

// Live is the same world, going on: its events happen now.
type Live struct {
	world  *World
	r      *random
	inside map[*space][]*stay
	last   time.Time
}

// Live goes on where the history ends.
func (w *World) Live() *Live {
	return &Live{world: w, r: w.random("live"), inside: map[*space][]*stay{}}
}

// Next is something that happens at an instant. People come and go as the hour has
// it in each space; no two events are of the same instant.
func (l *Live) Next(now time.Time) event.Event {
	now = now.UTC().Truncate(time.Millisecond)
	if !now.After(l.last) {
		now = l.last.Add(time.Millisecond)
	}
	l.last = now
	s := l.busiest(now)
	inside := l.inside[s]
	switch full := float64(len(inside)) / float64(s.kind.capacity); {
	case l.r.chance(0.03):
		e := l.r.event(event.CheckInFailed, now, s.name+"/door-1", s.name, "")
		e.Data.Method, e.Data.Device, e.Data.Reason = "door", "door-1", "unknown_member"
		return e
	case l.r.chance(0.06) || len(s.members) == 0:
		e := l.r.event(event.CheckIn, now, s.name+"/kiosk-1", s.name, "")
		e.Data.Method, e.Data.Device, e.Data.Plan, e.Data.PartySize = "kiosk", "kiosk-1", "day-pass", 1+l.r.IntN(3)
		return e
	case len(inside) > 0 && l.r.chance(0.25):
		v := pick(l.r, inside)
		e := l.r.event(event.Presence, now, s.name+"/wifi", s.name, v.m.id)
		e.Data.Method, e.Data.Zone = "wifi", v.zone
		return e
	case len(inside) > 0 && l.r.chance(full):
		return l.leave(s, now)
	default:
		return l.enter(s, now)
	}
}

// busiest is one of the spaces, the more likely the busier its hour is.
func (l *Live) busiest(now time.Time) *space {
	weights := make([]float64, len(l.world.spaces))
	for i, s := range l.world.spaces {
		local := now.In(s.zone)
		from, to, open := s.open(dateOf(local))
		weights[i] = 0.02 * s.size
		if open && !now.Before(from) && now.Before(to) && local.Hour() >= 7 && local.Hour() < 22 {
			weights[i] = s.size * max(0.1, s.kind.busy[local.Weekday()])
		}
	}
	return l.world.spaces[l.r.weighted(weights...)]
}

func (l *Live) enter(s *space, now time.Time) event.Event {
	v := &stay{r: l.r, m: pick(l.r, s.members), s: s, zone: pick(l.r, zones)}
	if v.m.door.method == "token" { // needs two events; here one happens at a time
		other := *v.m
		other.door = doors[0]
		v.m = &other
	}
	l.inside[s] = append(l.inside[s], v)
	e := v.add(event.CheckIn, now)
	e.Data.Zone = v.zone
	return *e
}

func (l *Live) leave(s *space, now time.Time) event.Event {
	inside := l.inside[s]
	at := l.r.IntN(len(inside))
	v := inside[at]
	l.inside[s] = append(inside[:at], inside[at+1:]...)
	return *v.add(event.CheckOut, now)
}
