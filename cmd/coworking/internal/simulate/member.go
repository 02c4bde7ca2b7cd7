package simulate

import (
	"fmt"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
)

// member is somebody with habits.
type member struct {
	id, name, plan, team string

	home     *space
	joined   calendar.Date // on the home's calendar
	left     calendar.Date // 0: still there
	newPlan  string        // "": the plan never changes
	changes  calendar.Date
	comes    [7]float64    // how likely on each weekday, Sunday first
	arrives  time.Duration // by the clock
	spread   time.Duration
	stays    time.Duration
	lunch    float64 // how often they go out for it
	checkout float64 // how often they think of it
	door     door
	wifi     bool
	travels  bool // is seen in other spaces, too
}

// office is the source of what is said of members and spaces.
const office = "office"

// door is a way in.
type door struct{ method, device string }

var (
	doors = []door{{"door", "door-1"}, {"door", "door-2"}, {"kiosk", "kiosk-1"}, {"app", "app"}, {"token", "door-1"}}
	zones = []string{"open-space", "quiet-room", "lounge", "studio"}
	teams = []string{"acme", "brightside", "cartographers", "dunkel-und-sohn", "everest-tech", "fjord", "granite", "hummingbird"}

	firstNames = []string{
		"Ada", "Bishal", "Chloé", "Deepa", "Emre", "Fatima", "Grace", "Hana", "Ibrahim", "Jürgen", "Kwame", "Lakshmi",
		"Mateo", "Nora", "Olu", "Priya", "Quentin", "Rosa", "Søren", "Tashi", "Uma", "Viktor", "Wei", "Ximena", "Yuki", "Zoë",
	}
	lastNames = []string{
		"Adhikari", "Berg", "Costa", "Dahl", "Eriksen", "Fischer", "Gurung", "Haddad", "Ito", "Jansen", "Kowalski",
		"López", "Maharjan", "Nguyen", "O'Brien", "Popescu", "Quispe", "Rossi", "Shrestha", "Tamang", "Ünal", "Vance", "Weiß", "Yılmaz", "Zhang",
	}
)

// plans is what people pay for, how often it brings them, and how long they stay.
var plans = []struct {
	name  string
	share float64
	comes float64
	stays time.Duration
	team  float64
}{
	{"full", 0.32, 0.74, 450 * time.Minute, 0.25},
	{"team", 0.18, 0.62, 430 * time.Minute, 1},
	{"flex", 0.30, 0.40, 300 * time.Minute, 0.1},
	{"flex-10", 0.20, 0.22, 260 * time.Minute, 0},
}

// populate makes the members.
func (w *World) populate() {
	r := w.random("members")
	days := int(w.config.To.Sub(w.config.From)/(24*time.Hour)) + 1
	sizes := make([]float64, len(w.spaces))
	for i, s := range w.spaces {
		sizes[i] = s.size
	}
	for i := range w.config.Members {
		m := &member{id: fmt.Sprintf("%d", 1001+i), name: pick(r, firstNames) + " " + pick(r, lastNames), home: w.spaces[r.weighted(sizes...)]}
		first := dateOf(w.config.From.In(m.home.zone))
		m.joined = first - 1 - calendar.Date(r.IntN(900))
		if r.chance(0.25) { // the house grows
			m.joined = first + calendar.Date(r.IntN(days))
		}
		if r.chance(0.06) {
			m.left = max(m.joined, first) + 14 + calendar.Date(r.IntN(days))
		}
		m.habits(r)
		if r.chance(0.04) {
			m.changes, m.newPlan = max(m.joined, first)+7+calendar.Date(r.IntN(days)), "full"
			if m.plan == m.newPlan {
				m.newPlan = "flex"
			}
		}
		w.members = append(w.members, m)
		m.home.members = append(m.home.members, m)
	}
}

// habits makes up when and how somebody comes.
func (m *member) habits(r *random) {
	shares := make([]float64, len(plans))
	for i, p := range plans {
		shares[i] = p.share
	}
	plan := plans[r.weighted(shares...)]
	m.plan = plan.name
	if r.chance(plan.team) {
		m.team = pick(r, teams)
	}
	for day := range m.comes {
		m.comes[day] = min(0.97, plan.comes*m.home.kind.busy[day]*(0.5+r.Float64()))
	}
	switch r.weighted(0.2, 0.5, 0.2, 0.1) {
	case 0: // early
		m.arrives, m.spread = 8*time.Hour, 20*time.Minute
	case 1:
		m.arrives, m.spread = r.around(9*time.Hour+10*time.Minute, 20*time.Minute), 25*time.Minute
	case 2: // late
		m.arrives, m.spread = 10*time.Hour+45*time.Minute, 50*time.Minute
	default: // after work
		m.arrives, m.spread, plan.stays = 16*time.Hour, 90*time.Minute, 3*time.Hour
	}
	m.stays = max(time.Hour, r.around(plan.stays, 45*time.Minute))
	m.lunch = r.Float64() * 0.8
	m.checkout = min(1, 0.55+r.Float64()*0.5)
	m.door = doors[r.weighted(0.4, 0.2, 0.15, 0.15, 0.1)]
	m.wifi = r.chance(0.45)
	m.travels = r.chance(0.03)
}

// is says whether somebody is a member on a date.
func (m *member) is(date calendar.Date) bool {
	return m.joined <= date && (m.left == 0 || date < m.left)
}

// joins says who somebody is, as the day begins on which they joined.
func (m *member) joins(r *random) event.Event {
	active, joined := true, m.home.at(m.joined, 0).UTC()
	e := r.event(event.MemberUpserted, joined, office, event.NoSpace, m.id)
	e.Data.JoinedAt, e.Data.Active, e.Data.MemberName = &joined, &active, &m.name
	e.Data.Plan, e.Data.Team = m.plan, m.team
	return e
}

// news is what is said of the members whose home a space is on a date.
func (w *World) news(r *random, s *space, date calendar.Date) []event.Event {
	var said []event.Event
	for _, m := range s.members {
		switch date {
		case m.joined:
			if e := m.joins(r); !e.Time.Before(w.config.From) { // the others were there at the beginning
				said = append(said, e)
			}
		case m.left:
			active := false
			e := r.event(event.MemberUpserted, s.at(date, 10*time.Hour), office, event.NoSpace, m.id)
			e.Data.Active = &active
			said = append(said, e)
		case m.changes:
			e := r.event(event.MemberUpserted, s.at(date, 10*time.Hour), office, event.NoSpace, m.id)
			e.Data.Plan = m.newPlan
			said = append(said, e)
		}
	}
	return said
}
