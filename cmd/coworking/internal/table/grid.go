package table

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// manyHours is how many rows of hours are still read one by one.
const manyHours = 48

// grid is a figure by two axes, as shades.
type grid struct {
	title   string
	down    []string // names of its lines
	running string   // the line that is not over yet
	over    []string // names of its columns
	cells   map[place]any
	wide    int // of a cell
	most    float64
	unit    int // decimals
}

// place is a line and a column.
type place struct{ down, over string }

// grids draws hours by their days, or by the days of the week: one grid for each
// group. false where rows are no such thing, or the terminal is too narrow.
func (s *sheet) grids(figure *column, room int) ([]*grid, bool) {
	placed, keys := s.placing()
	if placed == nil || figure == nil {
		return nil, false
	}
	var all []*grid
	byGroup := map[string]*grid{}
	for row := range s.rows {
		var group []string
		for _, c := range s.columns[:keys] {
			group = append(group, c.show(c.cells[row], s.meta.zone, 0))
		}
		title := strings.Join(append([]string{figure.name}, group...), ", ")
		g := byGroup[title]
		if g == nil {
			g = &grid{title: title, cells: map[place]any{}, unit: figure.decimals()}
			byGroup[title] = g
			all = append(all, g)
		}
		at := placed(row)
		if s.running[row] {
			g.running = at.down
		}
		g.put(at, figure.cells[row])
	}
	most := 0.0 // one scale for all groups
	for _, g := range all {
		most = max(most, g.most)
	}
	for _, g := range all {
		g.most = most
		if !g.fits(room) {
			return nil, false
		}
	}
	return all, true
}

// placing says where in a grid a row belongs, and how many columns before those are
// the group's; nil if nowhere.
func (s *sheet) placing() (func(row int) place, int) {
	weekday, hour, local := s.named("weekday"), s.named("hour"), s.named("local")
	switch {
	case weekday != nil && hour != nil:
		return func(row int) place {
			return place{weekdayName(weekday.cells[row]), hourName(hour.cells[row])}
		}, slices.Index(s.columns, weekday)
	case local != nil && local.kind == clock && s.rows > manyHours:
		return func(row int) place {
			at, isClock := clockOf(local.cells[row])
			if !isClock {
				return place{}
			}
			return place{at.Format("2006-01-02 Mon"), at.Format("15:04")}
		}, slices.Index(s.columns, local)
	default:
		return nil, 0
	}
}

// weekdayName is the short name of a day of the week, where it is given as a number
// of ISO 8601.
func weekdayName(v any) string {
	if n, isNumber := v.(json.Number); isNumber && amount(n) >= 1 && amount(n) <= 7 {
		return time.Weekday(int(amount(n)) % 7).String()[:3]
	}
	return fmt.Sprint(v)
}

func hourName(v any) string {
	if n, isNumber := v.(json.Number); isNumber {
		return fmt.Sprintf("%02d:00", int(amount(n)))
	}
	return fmt.Sprint(v)
}

// put sets a cell. Of an hour that clocks repeated, the greater figure shows.
func (g *grid) put(at place, v any) {
	if !slices.Contains(g.down, at.down) {
		g.down = append(g.down, at.down)
	}
	if i, has := slices.BinarySearch(g.over, at.over); !has {
		g.over = slices.Insert(g.over, i, at.over)
	}
	if before, has := g.cells[at]; !has || before == nil || v != nil && amount(v) > amount(before) {
		g.cells[at] = v
	}
	g.most = max(g.most, amount(v))
}

// fits chooses how wide a cell is; false if there is no room.
func (g *grid) fits(most int) bool {
	for _, wide := range []int{2, 1} {
		g.wide = wide
		if most == 0 || g.margin()+wide*len(g.over) <= most {
			return true
		}
	}
	return false
}

// margin is how much room the names of the lines take.
func (g *grid) margin() int {
	most := 0
	for _, name := range g.down {
		most = max(most, width(name))
	}
	if g.running != "" {
		most += width(" *")
	}
	return most + gap
}

func (g *grid) lines() []string {
	lines := []string{g.title, strings.Repeat(" ", g.margin()) + g.scale()}
	for _, down := range g.down {
		var drawn strings.Builder
		name := down
		if down == g.running {
			name += " *"
		}
		drawn.WriteString(pad(name, g.margin(), false))
		for _, over := range g.over {
			drawn.WriteString(strings.Repeat(string(step(g.cells[place{down, over}], g.most, shades)), g.wide))
		}
		lines = append(lines, drawn.String())
	}
	return append(lines, g.legend(), "")
}

// scale is the names of the columns, as many as there is room for.
func (g *grid) scale() string {
	every := slices.IndexFunc(g.over, func(name string) bool { return name != g.over[0] && strings.HasSuffix(name, ":00") })
	for every > 0 && every*g.wide < 4 {
		every *= 2
	}
	var names strings.Builder
	for i, name := range g.over {
		if every > 0 && i%every == 0 {
			short, _, _ := strings.Cut(name, ":")
			names.WriteString(pad(short, every*g.wide, false))
		}
	}
	return names.String()
}

// legend says what the shades stand for: of whole figures, only those that occur.
func (g *grid) legend() string {
	parts := []string{"· none"}
	before := "0"
	for i, shade := range shades {
		upTo := g.most * float64(i+1) / float64(len(shades))
		if g.unit == 0 {
			upTo = math.Floor(upTo)
		}
		text := shown(json.Number(strconv.FormatFloat(upTo, 'f', -1, 64)), g.unit)
		if text != before {
			parts = append(parts, fmt.Sprintf("%c up to %s", shade, text))
		}
		before = text
	}
	return strings.Join(parts, "  ")
}
