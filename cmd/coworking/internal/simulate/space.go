package simulate

import (
	"fmt"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
)

// space is one site.
type space struct {
	name     string
	zone     *time.Location
	kind     *site
	holidays map[calendar.Date]bool
	members  []*member // whose home it is
	size     float64   // compared with the others
}

// site is a kind of space, as they stand around the world.
type site struct {
	name        string
	title       string
	zone        string
	capacity    int
	dayStart    string
	defaultStay string
	open        [7][2]int // hours by weekday, Sunday first; {0, 0} is closed
	busy        [7]float64
	holidays    [][2]int // month and day
	size        float64
}

// How busy the days of a week are, Sunday first.
var (
	mondayToFriday = [7]float64{0.05, 0.85, 1.10, 1.10, 1.05, 0.70, 0.15}
	sundayToFriday = [7]float64{0.90, 1.05, 1.10, 1.05, 1.00, 0.60, 0}
)

// sites is what spaces are made like; those after the last are like the first ones.
var sites = []site{
	{
		"berlin-mitte", "Berlin Mitte", "Europe/Berlin", 140, "00:00", "4h",
		week([2]int{7, 22}, [2]int{9, 18}, [2]int{}),
		mondayToFriday,
		[][2]int{{1, 1}, {5, 1}, {10, 3}, {12, 24}, {12, 25}, {12, 26}, {12, 31}},
		1.2,
	},
	{
		"new-york-soho", "New York SoHo", "America/New_York", 110, "05:00", "4h",
		week([2]int{0, 24}, [2]int{0, 24}, [2]int{0, 24}),
		[7]float64{0.12, 0.85, 1.10, 1.10, 1.05, 0.70, 0.18},
		[][2]int{{1, 1}, {6, 19}, {7, 4}, {11, 11}, {12, 25}},
		1,
	},
	{
		"kathmandu-thamel", "Kathmandu Thamel", "Asia/Kathmandu", 80, "00:00", "3h",
		[7][2]int{{8, 20}, {8, 20}, {8, 20}, {8, 20}, {8, 20}, {8, 18}, {}},
		sundayToFriday,
		[][2]int{{4, 14}, {5, 1}, {5, 29}, {9, 19}},
		0.8,
	},
	{
		"lisboa-alfama", "Lisboa Alfama", "Europe/Lisbon", 60, "00:00", "4h",
		week([2]int{8, 21}, [2]int{10, 16}, [2]int{}),
		mondayToFriday,
		[][2]int{{1, 1}, {4, 25}, {5, 1}, {6, 10}, {12, 8}, {12, 25}},
		0.7,
	},
	{
		"sao-paulo-pinheiros", "São Paulo Pinheiros", "America/Sao_Paulo", 100, "00:00", "4h",
		week([2]int{8, 22}, [2]int{9, 15}, [2]int{}),
		mondayToFriday,
		[][2]int{{1, 1}, {4, 21}, {5, 1}, {9, 7}, {11, 15}, {12, 25}},
		0.9,
	},
	{
		"sydney-surry-hills", "Sydney Surry Hills", "Australia/Sydney", 90, "00:00", "4h",
		week([2]int{7, 20}, [2]int{9, 17}, [2]int{}),
		mondayToFriday,
		[][2]int{{1, 1}, {1, 26}, {4, 25}, {12, 25}, {12, 26}},
		0.9,
	},
	{
		"nairobi-westlands", "Nairobi Westlands", "Africa/Nairobi", 70, "00:00", "4h",
		week([2]int{7, 20}, [2]int{9, 16}, [2]int{}),
		mondayToFriday,
		[][2]int{{1, 1}, {5, 1}, {6, 1}, {10, 20}, {12, 12}, {12, 25}},
		0.7,
	},
	{
		"tokyo-shibuya", "Tōkyō Shibuya", "Asia/Tokyo", 120, "05:00", "3h",
		week([2]int{6, 24}, [2]int{8, 22}, [2]int{10, 20}),
		[7]float64{0.10, 0.95, 1.05, 1.05, 1.05, 0.95, 0.25},
		[][2]int{{1, 1}, {1, 2}, {2, 11}, {4, 29}, {5, 3}, {5, 4}, {5, 5}, {11, 3}},
		1.1,
	},
}

func week(workday, saturday, sunday [2]int) [7][2]int {
	return [7][2]int{sunday, workday, workday, workday, workday, workday, saturday}
}

var weekdayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// furnish makes the spaces.
func (w *World) furnish() error {
	for i := range w.config.Spaces {
		kind := &sites[i%len(sites)]
		zone, err := calendar.LoadZone(kind.zone)
		if err != nil {
			return err
		}
		s := &space{name: kind.name, zone: zone, kind: kind, holidays: map[calendar.Date]bool{}, size: kind.size}
		if i >= len(sites) {
			s.name = fmt.Sprintf("%s-%d", kind.name, i/len(sites)+1)
		}
		for year := w.config.From.Year() - 1; year <= w.config.To.Year()+1; year++ {
			for _, day := range kind.holidays {
				s.holidays[dateOf(time.Date(year, time.Month(day[0]), day[1], 0, 0, 0, 0, time.UTC))] = true
			}
		}
		w.spaces = append(w.spaces, s)
	}
	return nil
}

// settings says what the space is like.
func (s *space) settings(r *random, c Config) event.Event {
	hours := map[string][2]string{}
	for day, open := range s.kind.open {
		if open[1] > open[0] {
			hours[weekdayNames[day]] = [2]string{clock(open[0]), clock(open[1])}
		}
	}
	closures := []string{}
	for date := dateOf(c.From) - 1; date <= dateOf(c.To)+1; date++ {
		if s.holidays[date] {
			closures = append(closures, date.String())
		}
	}
	title, zone, capacity := s.kind.title, s.kind.zone, s.kind.capacity
	dayStart, stay, from := s.kind.dayStart, s.kind.defaultStay, (dateOf(c.From) - 2).String()
	e := r.event(event.SpaceUpserted, c.From.Add(-24*time.Hour), office, s.name, "")
	e.Data.Settings = &event.Settings{
		Name: &title, TimeZone: &zone, Capacity: &capacity, DayStart: &dayStart, DefaultStay: &stay,
		OpeningHours: &hours, Closures: &closures, EffectiveFrom: &from,
	}
	return e
}

// open is when the space opens and closes on a date; false if it does not.
func (s *space) open(date calendar.Date) (from, to time.Time, is bool) {
	hours := s.kind.open[date.Weekday()]
	if hours[1] <= hours[0] || s.holidays[date] {
		return from, to, false
	}
	return s.at(date, time.Duration(hours[0])*time.Hour), s.at(date, time.Duration(hours[1])*time.Hour), true
}

// at is the instant at which the clock on the wall shows a time of day on a date.
func (s *space) at(date calendar.Date, clock time.Duration) time.Time {
	midnight := date.Time()
	return time.Date(midnight.Year(), midnight.Month(), midnight.Day(), 0, 0, 0, int(clock), s.zone)
}

func clock(hour int) string { return fmt.Sprintf("%02d:00", hour) }
