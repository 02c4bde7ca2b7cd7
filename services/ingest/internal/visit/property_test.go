package visit

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// tick is how finely the oracle looks at a day.
const tick = 5 * minute

// days is a day of 23, 24 or 25 hours with a stay that may be short or longer
// than the day.
func days() *rapid.Generator[Day] {
	return rapid.Custom(func(t *rapid.T) Day {
		start := rapid.Int64Range(0, 1000).Draw(t, "start") * 15 * minute
		return Day{
			Start:       start,
			End:         start + rapid.SampledFrom([]int64{23, 24, 25}).Draw(t, "hours")*hour,
			DefaultStay: rapid.SampledFrom([]int64{1, 3, 12, 48, 60, 300}).Draw(t, "stay") * tick,
		}
	})
}

// told is a day's events on whole ticks, sorted, often crowded.
func told(day Day) *rapid.Generator[[]Event] {
	return rapid.Custom(func(t *rapid.T) []Event {
		lastTick := (day.End-day.Start)/tick - 1
		crowded := rapid.Int64Range(1, lastTick).Draw(t, "crowded")
		n := rapid.IntRange(0, 14).Draw(t, "events")
		var events []Event
		for i := range n {
			e := Event{
				Time: day.Start + rapid.Int64Range(0, crowded).Draw(t, "tick")*tick,
				Kind: rapid.SampledFrom([]Kind{Arrival, Arrival, Touch, Departure}).Draw(t, "kind"),
				Key:  Key{rapid.Byte().Draw(t, "key"), byte(i)},
			}
			if e.Kind == Arrival {
				e.Party = rapid.Int32Range(1, 5).Draw(t, "party")
				e.Zone = rapid.Int32Range(0, 3).Draw(t, "zone")
			}
			e.Method = rapid.Int32Range(0, 3).Draw(t, "method")
			events = append(events, e)
		}
		Sort(events)
		return events
	})
}

func TestAnyOrderOfArrivalFoldsAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := days().Draw(t, "day")
		events := told(day).Draw(t, "events")
		want := Fold(day, events)

		shuffled := slices.Clone(events)
		shuffle := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "shuffle"), 0))
		shuffle.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })

		var oneByOne []Event
		for _, event := range shuffled {
			oneByOne = Insert(oneByOne, event)
		}
		if diff := cmp.Diff(want, Fold(day, oneByOne)); diff != "" {
			t.Errorf("inserted one by one (-want +got):\n%s", diff)
		}
		cut := rapid.IntRange(0, len(shuffled)).Draw(t, "cut")
		first := slices.Clone(shuffled[:cut])
		Sort(first)
		if diff := cmp.Diff(want, Fold(day, Insert(first, shuffled[cut:]...))); diff != "" {
			t.Errorf("in two batches (-want +got):\n%s", diff)
		}
		Sort(shuffled)
		if diff := cmp.Diff(want, Fold(day, shuffled)); diff != "" {
			t.Errorf("sorted (-want +got):\n%s", diff)
		}
	})
}

func TestWhatIsTakenBackLeavesNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := days().Draw(t, "day")
		events := told(day).Draw(t, "events")
		extra := Event{Key: Key{0, 255}, Kind: Departure, Time: day.Start + rapid.Int64Range(0, 250).Draw(t, "tick")*tick}
		without := Remove(Insert(slices.Clone(events), extra), extra.Key)
		if diff := cmp.Diff(Fold(day, events), Fold(day, without)); diff != "" {
			t.Errorf("(-never told +taken back):\n%s", diff)
		}
	})
}

func TestEveryFoldIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := days().Draw(t, "day")
		events := told(day).Draw(t, "events")
		if wrong := unsound(day, events, Fold(day, events)); wrong != "" {
			t.Error(wrong)
		}
	})
}

// unsound is what no unit may be, whatever was told.
func unsound(day Day, events []Event, u Unit) string {
	var arrivals, touches, departures, checkins, closed int
	for _, e := range events {
		switch e.Kind {
		case Arrival:
			arrivals++
		case Touch:
			touches++
		case Departure:
			departures++
		}
	}
	end := day.Start
	for i, v := range u.Visits {
		switch {
		case v.In < end:
			return "visits overlap, or begin before the day"
		case v.Out < v.In || v.Out > day.End:
			return "a visit ends before it begins, or after the day"
		case v.Dwell() < 0:
			return "a visit is shorter than nothing"
		case v.LastTouch < v.In || v.LastTouch > v.Out:
			return "a visit is touched outside of it"
		case v.End == Timeout && v.Out != v.LastTouch+day.DefaultStay:
			return "a visit times out at another time than its last touch says"
		case (v.End == Cutoff) != (v.End != Explicit && v.LastTouch+day.DefaultStay >= day.End):
			return "a visit is cut off that need not be, or the other way round"
		case v.End == Cutoff && i < len(u.Visits)-1:
			return "a visit comes after the day's end"
		}
		from := v.In
		for _, gap := range v.Gaps {
			if gap.From < from || gap.To <= gap.From || gap.To > v.Out || gap.To-gap.From > reentryGap {
				return "a gap is empty, too long, out of order or outside the visit"
			}
			from = gap.To
		}
		if v.End == Explicit {
			closed++
		}
		closed += len(v.Gaps)
		checkins += int(v.Checkins)
		end = v.Out
	}
	switch {
	case checkins != arrivals || u.Checkins != arrivals:
		return "a check-in is lost"
	case u.Presences != touches:
		return "a presence is lost"
	case u.Orphans+closed > departures:
		return "a check-out counts twice" // fewer where out and in again is the same instant
	case arrivals > 0 && len(u.Visits) == 0:
		return "check-ins without a visit"
	case arrivals == 0 && u.Orphans != departures:
		return "a check-out closed a visit that nobody opened"
	}
	return ""
}

// The oracle looks at the day tick by tick and colours the ticks in which
// somebody is inside, instead of keeping intervals; it reads intervals off the
// colours in the end.
func TestTheFoldAgreesWithAnOracleThatWalksThroughTheDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := days().Draw(t, "day")
		events := told(day).Draw(t, "events")
		folded := Fold(day, events)
		for i := range folded.Visits {
			folded.Visits[i].Gaps = joined(folded.Visits[i].Gaps)
		}
		if diff := cmp.Diff(walk(day, events), folded); diff != "" {
			t.Errorf("(-walked +folded):\n%s", diff)
		}
	})
}

// joined is gaps without the instants between them in which somebody came in and
// left at once: those have no colour.
func joined(gaps []Gap) []Gap {
	var all []Gap
	for _, gap := range gaps {
		if last := len(all) - 1; last >= 0 && all[last].To == gap.From {
			all[last].To = gap.To
		} else {
			all = append(all, gap)
		}
	}
	return all
}

// stay is a visit while the oracle walks.
type stay struct {
	opened     Event
	checkins   int32
	inside     map[int64]bool // the ticks
	supposed   map[int64]bool // since the estimated end: inside, if a check-out comes
	checkedOut int64          // -1: not, or come back since
	touched    int64
	over       bool // the estimated end has passed
}

func walk(day Day, events []Event) Unit {
	var (
		unit  Unit
		stays []*stay
		now   *stay
	)
	for at := day.Start; at < day.End; at += tick {
		if now != nil && now.checkedOut < 0 && at == now.touched+day.DefaultStay {
			now.over = true
		}
		for _, e := range events {
			if e.Time != at {
				continue
			}
			present := now != nil && now.checkedOut < 0 && !now.over
			switch {
			case e.Kind == Arrival && present:
				unit.Checkins++
				now.checkins++
				now.touched = at
			case e.Kind == Arrival && now != nil && now.checkedOut >= 0 && at <= now.checkedOut+60*minute:
				unit.Checkins++
				now.checkins++
				now.touched = at
				now.checkedOut, now.over = -1, false
			case e.Kind == Arrival:
				unit.Checkins++
				now = &stay{opened: e, checkins: 1, checkedOut: -1, touched: at, inside: map[int64]bool{}, supposed: map[int64]bool{}}
				stays = append(stays, now)
			case e.Kind == Touch:
				unit.Presences++
				if present {
					now.touched = at
				}
			case now == nil || now.checkedOut >= 0:
				unit.Orphans++
			default:
				for supposed := range now.supposed {
					now.inside[supposed] = true
				}
				clear(now.supposed)
				now.checkedOut, now.over = at, false
			}
		}
		if now != nil && now.checkedOut < 0 {
			if now.over {
				now.supposed[at] = true
			} else {
				now.inside[at] = true
			}
		}
	}
	for _, s := range stays {
		unit.Visits = append(unit.Visits, s.readOff(day))
	}
	return unit
}

// readOff is the visit that a stay's colours show.
func (s *stay) readOff(day Day) Visit {
	v := Visit{
		In: s.opened.Time, Out: s.opened.Time,
		Checkins: s.checkins, LastTouch: s.touched,
		Party: s.opened.Party, Method: s.opened.Method, Zone: s.opened.Zone, Plan: s.opened.Plan, Team: s.opened.Team,
	}
	for at := v.In; at < day.End; at += tick {
		if s.inside[at] {
			if at > v.Out {
				v.Gaps = append(v.Gaps, Gap{From: v.Out, To: at})
			}
			v.Out = at + tick
		}
	}
	switch {
	case s.checkedOut >= 0:
		v.End = Explicit
		if s.checkedOut > v.Out { // came back and left within the same instant
			v.Gaps = append(v.Gaps, Gap{From: v.Out, To: s.checkedOut})
			v.Out = s.checkedOut
		}
	case v.Out == day.End:
		v.End = Cutoff
	default:
		v.End = Timeout
	}
	return v
}
