package visit

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A drawing is a day and what is to become of it; tests read it as we do:
//
//	08  09  10  11  12  13      a column is 15 minutes; the first hour is the first column's
//	i     p         o    x      what was told (two lines where it is told at once)
//	[===============)           the visit that it makes
//
//	i  check-in      [  in                 )  out, measured
//	t  token used    =  inside             >  out, the default stay after the last touch
//	p  presence      .  outside            |  out, cut at the day's end
//	o  check-out that closes a visit
//	x  check-out that is an orphan
//
// Visits that meet or overlap in a column stand on lines of their own.
const column = int64(15 * time.Minute / time.Microsecond)

const (
	minute = int64(time.Minute / time.Microsecond)
	hour   = 60 * minute
)

// plainDay has 24 hours from midnight, and a default stay of four.
var plainDay = Day{Start: 0, End: 24 * hour, DefaultStay: 4 * hour}

// drawn is a drawing taken apart.
type drawn struct {
	events []Event
	visits []Visit // In, Out, End and Gaps alone
	unit   Unit    // the counts alone
}

// expectDrawn folds a drawing's events and compares what comes out with what is
// drawn, and Checkins of the visits with checkins.
func expectDrawn(t *testing.T, day Day, drawing string, checkins ...int32) Unit {
	t.Helper()
	d := parseDrawing(t, drawing)
	got := Fold(day, d.events)
	for i, n := range checkins {
		if i < len(d.visits) {
			d.visits[i].Checkins = n
		}
	}
	want := d.unit
	want.Visits = d.visits
	if diff := cmp.Diff(want, shapeOf(got, len(checkins) > 0)); diff != "" {
		t.Errorf("%s\n(-drawn +folded; microseconds):\n%s", drawing, diff)
	}
	return got
}

// shapeOf is a unit with what a drawing can show of its visits.
func shapeOf(u Unit, checkins bool) Unit {
	shape := u
	shape.Visits = nil
	for _, v := range u.Visits {
		drawn := Visit{In: v.In, Out: v.Out, End: v.End, Gaps: v.Gaps}
		if checkins {
			drawn.Checkins = v.Checkins
		}
		shape.Visits = append(shape.Visits, drawn)
	}
	return shape
}

func parseDrawing(t *testing.T, drawing string) drawn {
	t.Helper()
	lines := strings.Split(strings.Trim(drawing, "\n"), "\n")
	margin := len(lines[0]) - len(strings.TrimLeft(lines[0], "\t "))
	first, err := strconv.ParseInt(lines[0][margin:margin+2], 10, 64)
	if err != nil {
		t.Fatalf("%s\nthe first line names no hour: %v", drawing, err)
	}
	var d drawn
	for _, line := range lines[1:] {
		if len(line) <= margin {
			continue
		}
		if row := line[margin:]; strings.Contains(row, "[") {
			d.visits = append(d.visits, drawnVisits(t, row, first*hour)...)
		} else {
			d.tell(t, row, first*hour)
		}
	}
	Sort(d.events)
	return d
}

// tell reads a line of events. Those told earlier in the drawing have the lower
// keys, so they come first where the time is the same.
func (d *drawn) tell(t *testing.T, row string, start int64) {
	t.Helper()
	for i, sign := range row {
		e := Event{Time: start + int64(i)*column, Key: Key{byte(len(d.events))}}
		switch sign {
		case ' ':
			continue
		case 'i', 't':
			e.Kind, e.Party = Arrival, 1
			d.unit.Checkins++
		case 'p':
			e.Kind = Touch
			d.unit.Presences++
		case 'o':
			e.Kind = Departure
		case 'x':
			e.Kind = Departure
			d.unit.Orphans++
		default:
			t.Fatalf("%q in %q means nothing", sign, row)
		}
		d.events = append(d.events, e)
	}
}

func drawnVisits(t *testing.T, row string, start int64) []Visit {
	t.Helper()
	var (
		visits  []Visit
		v       *Visit
		outside bool
	)
	ends := map[rune]End{')': Explicit, '>': Timeout, '|': Cutoff}
	for i, sign := range row {
		at := start + int64(i)*column
		if outside && sign != '.' {
			v.Gaps[len(v.Gaps)-1].To = at
			outside = false
		}
		switch end, ends := ends[sign]; {
		case sign == ' ', sign == '=':
		case sign == '[':
			visits = append(visits, Visit{In: at})
			v = &visits[len(visits)-1]
		case sign == '.':
			if !outside {
				v.Gaps = append(v.Gaps, Gap{From: at})
				outside = true
			}
		case ends:
			v.Out, v.End = at, end
		default:
			t.Fatalf("%q in %q means nothing", sign, row)
		}
	}
	return visits
}
