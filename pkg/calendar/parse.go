package calendar

import (
	"encoding/json"
	"time"

	"coworking/pkg/fault"
)

// ParseChange reads the `data` of a space_upserted event that was accepted,
// said at t by source under id. Fields that are no settings are ignored, and a
// zone is not looked up: New passes over one that it does not know, so that no
// accepted word can stop a calendar from being made. Other data that is not as
// the event contract says is fault.Invalid with the field's pointer.
func ParseChange(t time.Time, source, id string, data []byte) (Change, error) {
	var said struct {
		Name          *string               `json:"name"`
		TimeZone      *string               `json:"time_zone"`
		Capacity      *int                  `json:"capacity"`
		DayStart      *string               `json:"day_start"`
		DefaultStay   *string               `json:"default_stay"`
		OpeningHours  *map[string][2]string `json:"opening_hours"`
		Closures      *[]Date               `json:"closures"`
		EffectiveFrom *Date                 `json:"effective_from"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return Change{}, fault.Invalid.With("invalid_field", "/data", "settings of a space: %w", err)
	}
	change := Change{
		Time: t, Source: source, ID: id,
		EffectiveFrom: said.EffectiveFrom,
		Name:          said.Name,
		TimeZone:      said.TimeZone,
		Capacity:      said.Capacity,
		Closures:      said.Closures,
	}
	if said.DayStart != nil {
		start, err := ParseClock(*said.DayStart)
		if err != nil || start%slot != 0 || start == 24*time.Hour {
			return Change{}, fault.Invalid.With("invalid_field", "/data/day_start", "%q is not a quarter of an hour like 05:00", *said.DayStart)
		}
		change.DayStart = &start
	}
	if said.DefaultStay != nil {
		stay, err := time.ParseDuration(*said.DefaultStay)
		if err != nil || stay <= 0 || stay > 24*time.Hour {
			return Change{}, fault.Invalid.With("invalid_field", "/data/default_stay", "%q is not a time of up to a day, like 4h", *said.DefaultStay)
		}
		change.DefaultStay = &stay
	}
	if said.OpeningHours != nil {
		hours, err := parseHours(*said.OpeningHours)
		if err != nil {
			return Change{}, err
		}
		change.OpeningHours = &hours
	}
	return change, nil
}

// ParseClock reads a time of day like 05:00, also 24:00, as the time after midnight.
func ParseClock(s string) (time.Duration, error) {
	if s == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fault.Invalid.With("invalid_value", "", "%q is not a time of day like 05:00", s)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// parseHours reads opening hours: {"mon": ["08:00", "22:00"], …}.
func parseHours(said map[string][2]string) (Hours, error) {
	hours := Hours{}
	for name, clocks := range said {
		pointer := "/data/opening_hours/" + name
		day, known := weekdays[name]
		if !known {
			return nil, fault.Invalid.With("invalid_field", pointer, "%q is not a weekday like mon", name)
		}
		from, err := ParseClock(clocks[0])
		if err != nil {
			return nil, fault.Invalid.With("invalid_field", pointer+"/0", "%w", err)
		}
		to, err := ParseClock(clocks[1])
		if err != nil {
			return nil, fault.Invalid.With("invalid_field", pointer+"/1", "%w", err)
		}
		hours[day] = [2]time.Duration{from, to}
	}
	return hours, nil
}

// weekdays is the days of the week by the names an event gives them.
var weekdays = map[string]time.Weekday{
	"mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday,
	"fri": time.Friday, "sat": time.Saturday, "sun": time.Sunday,
}
