package event

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// generate is a sound event of a kind, that says some of what it can.
func generate(random *rand.Rand, kind Kind) Event {
	text := func(longest int) string {
		letters := []rune("abcXYZ 019-_./:\"\\é€😀\u2028<&>'")
		var b strings.Builder
		for n := 1 + random.IntN(12); n > 0 && b.Len() < longest-4; n-- {
			b.WriteRune(letters[random.IntN(len(letters))])
		}
		return b.String()
	}
	moment := func() time.Time {
		first := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
		last := time.Date(lastYear, 12, 31, 23, 59, 59, 0, time.UTC).UnixMicro()
		return time.UnixMicro(first + random.Int64N(last-first)).UTC().Truncate(time.Duration([]int{1e3, 1e6, 1e9}[random.IntN(3)]))
	}
	e := Event{ID: text(maxID), Source: text(maxID), Kind: kind, Time: moment(), Space: "mitte-" + fmt.Sprint(random.IntN(9))}
	if kind == MemberUpserted {
		e.Space = NoSpace
	}
	if kind == MemberUpserted || random.IntN(4) > 0 {
		e.Member = text(maxID)
	}
	if kind == SpaceUpserted {
		e.Data.Settings = &Settings{}
	}
	info := kinds.byName[string(kind)]
	for i := range info.Fields {
		f := &info.Fields[i]
		f.assume(&e.Data)
		if !f.Required && random.IntN(3) == 0 {
			continue
		}
		switch f.holds {
		case aText:
			*e.Data.text(f.kept) = text(f.longest)
		case aWord:
			*e.Data.text(f.kept) = f.words[random.IntN(len(f.words))]
		case aTime:
			*e.Data.time(f.kept) = new(moment())
		case aParty:
			e.Data.PartySize = 1 + random.IntN(maxParty)
		case aFlag:
			e.Data.Active = new(random.IntN(2) == 0)
		case aName:
			e.Data.MemberName = new(text(f.longest))
		case aSetting:
			value, _ := json.Marshal(generateSetting(random, f.Name, text))
			if err := f.setting.read(e.Data.Settings, value); err != nil {
				panic(fmt.Sprintf("%s: %s: %v", f.Name, value, err))
			}
		}
	}
	return e
}

func generateSetting(random *rand.Rand, name string, text func(int) string) any {
	clock := func() string { return fmt.Sprintf("%02d:%02d", random.IntN(24), random.IntN(60)) }
	date := func() string { return time.Unix(random.Int64N(1e10), 0).UTC().Format(time.DateOnly) }
	switch name {
	case "name":
		return text(maxName)
	case "time_zone":
		names := strings.Fields(zoneNames)
		return names[random.IntN(len(names))]
	case "capacity":
		return random.IntN(maxSeats + 1)
	case "day_start":
		return fmt.Sprintf("%02d:%02d", random.IntN(24), 15*random.IntN(4))
	case "default_stay":
		return fmt.Sprintf([]string{"%dh", "%dm", "0h%dm", "%dh59m"}[random.IntN(4)], 1+random.IntN(23))
	case "opening_hours":
		hours := map[string][2]string{}
		for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}[random.IntN(8):] {
			hours[day] = [2]string{clock(), []string{clock(), "24:00"}[random.IntN(2)]}
		}
		return hours
	case "closures":
		dates := []string{}
		for range random.IntN(3) {
			dates = append(dates, date())
		}
		return dates
	case "effective_from":
		return date()
	}
	panic("no idea what a " + name + " may be")
}
