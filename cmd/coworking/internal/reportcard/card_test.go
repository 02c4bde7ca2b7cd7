package reportcard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the events of these tests happen, a Monday in winter.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// sent is an event as a publisher writes it, received so long after noon.
type sent struct {
	id      string
	kind    string        // checkin if not said
	member  string        // "-": nobody in particular
	at      time.Duration // after noon, by the publisher's clock
	offset  string        // of the written time, Z if not said
	later   time.Duration // than at it was received
	data    string        // besides the space
	space   string        // soho if not said
	source  string        // door if not said
	garbage string        // instead of all that
}

func (s sent) record(n int) Record {
	space, source, kind, offset := or(s.space, "soho"), or(s.source, "door"), or(s.kind, "checkin"), or(s.offset, "Z")
	member := ""
	if s.member != "-" {
		member = `"subject":"` + or(s.member, fmt.Sprint(n)) + `",`
	}
	written, data := noon.Add(s.at), ""
	if offset != "Z" {
		zoned, err := time.Parse("-07:00", offset)
		if err != nil {
			panic(err)
		}
		written = written.In(zoned.Location())
	}
	if s.data != "" {
		data = "," + s.data
	}
	body := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"coworking.v1.%s","time":%q,%s"data":{"space":%q%s}}`,
		or(s.id, fmt.Sprint(n)), source, kind, written.Format("2006-01-02T15:04:05.000000Z07:00"), member, space, data)
	received := noon.Add(s.at).Add(s.later)
	r := read([]byte(or(s.garbage, body)), event.Options{}, received, fmt.Sprintf("message %d", n))
	r.Received = received
	return r
}

func or(said, otherwise string) string {
	if said == "" {
		return otherwise
	}
	return said
}

// many is so many events, a minute apart, each as like says it.
func many(n int, like sent) []sent {
	all := make([]sent, n)
	for i := range all {
		all[i] = like
		all[i].at += time.Duration(i) * time.Minute
	}
	return all
}

// said is the calendars of spaces whose zone was said.
func said(zones map[string]string) map[string]*calendar.Calendar {
	all := map[string]*calendar.Calendar{}
	for space, zone := range zones {
		all[space] = calendar.New([]calendar.Change{{Time: noon, ID: "1", TimeZone: &zone}})
	}
	return all
}

func TestEachCheckKnowsGoodFromBad(t *testing.T) {
	berlin := map[string]string{"soho": "Europe/Berlin"}
	cases := map[string]struct {
		check   func(Seen) Check
		sent    []sent
		source  string
		zones   map[string]string
		verdict Verdict
		seen    string // part of what it says was seen
		do      string // part of what it says to do
	}{
		"no events at all":                   {check: accepted, verdict: NotSeen, seen: "No events", do: "--watch"},
		"all are taken":                      {check: accepted, sent: many(3, sent{}), verdict: Good, seen: "3 events, all of them taken."},
		"one is refused":                     {check: accepted, sent: append(many(3, sent{}), sent{data: `"party_size":"two"`}), verdict: Bad, seen: "1 of 4 events refused.", do: "same ids"},
		"the remedy is the most frequent's":  {check: accepted, sent: append(many(2, sent{kind: "arrival"}), sent{data: `"party_size":"two"`}), verdict: Bad, seen: "3 of 3 events refused.", do: "one of the kinds"},
		"garbage may be another's":           {check: accepted, source: "door", sent: append(many(3, sent{}), sent{garbage: "{"}), verdict: Look, seen: "nobody can read which source"},
		"garbage is the space's all in all":  {check: accepted, sent: append(many(3, sent{}), sent{garbage: "{"}), verdict: Bad, do: "whole JSON object"},
		"every event has its id":             {check: ids, sent: many(5, sent{}), verdict: Good, seen: "5 ids: none says two things"},
		"a resend keeps its id":              {check: ids, sent: []sent{{id: "a", member: "7"}, {id: "a", member: "7"}}, verdict: Good, seen: "1 id:"},
		"a retry gets a new id":              {check: ids, sent: []sent{{id: "a", member: "7"}, {id: "b", member: "7"}}, verdict: Bad, seen: `1 event came again under a new id, such as "b" of "door" (message 1)`, do: "at every retry"},
		"a retry from the future counts too": {check: ids, sent: []sent{{id: "a", member: "7", later: -time.Hour}, {id: "b", member: "7", later: -time.Hour}}, verdict: Bad},
		"a retry of a token gets a new id":   {check: ids, sent: []sent{{id: "a", member: "-", kind: "token_used", data: `"token_id":"x"`}, {id: "b", member: "-", kind: "token_used", data: `"token_id":"x"`}}, verdict: Bad},
		"retries of two events alternate":    {check: ids, sent: []sent{{id: "a", member: "7"}, {id: "b", member: "8"}, {id: "a", member: "7"}, {id: "b", member: "8"}}, verdict: Good},
		"the same again a day later":         {check: ids, sent: []sent{{id: "a", member: "7"}, {id: "b", member: "7", later: 24 * time.Hour}}, verdict: Good},
		"two nobodies at once":               {check: ids, sent: []sent{{member: "-"}, {member: "-"}}, verdict: Look, seen: "1 event of nobody in particular", do: "party_size"},
		"a heart beats":                      {check: ids, sent: []sent{{member: "-", kind: "heartbeat"}, {member: "-", kind: "heartbeat"}}, verdict: Good},
		"an id says two things":              {check: ids, sent: []sent{{id: "a", member: "7"}, {id: "a", member: "8"}}, verdict: Bad, seen: `1 event came with an id that said something else before, such as "a"`, do: "Never use an id twice"},
		"two sources may use one id":         {check: ids, sent: []sent{{id: "a", member: "7"}, {id: "a", member: "8", source: "kiosk"}}, verdict: Good},
		"a retry with a new id and time":     {check: ids, sent: []sent{{member: "7"}, {member: "7", at: 5 * time.Second}}, verdict: Look, seen: "1 of 2 arrivals and departures", do: "make both once"},
		"somebody badges twice, once":        {check: ids, sent: append(many(40, sent{}), sent{member: "7", at: time.Hour}, sent{member: "7", at: time.Hour + time.Second}), verdict: Good},
		"ids of nothing":                     {check: ids, sent: []sent{{garbage: "{"}}, verdict: NotSeen},
		"a clock that is right":              {check: clock, sent: many(9, sent{later: 400 * time.Millisecond}), verdict: Good, seen: `"door": 9 events, in the middle 400ms late, from 400ms late to 400ms late.`},
		"a clock that is a little fast":      {check: clock, sent: many(9, sent{later: -2 * time.Minute}), verdict: Look, seen: "in the middle 2m ahead", do: "NTP"},
		"a clock just within the limit":      {check: clock, sent: many(9, sent{later: -5 * time.Minute}), verdict: Look},
		"a clock past the limit":             {check: clock, sent: many(9, sent{later: -5*time.Minute - time.Microsecond}), verdict: Bad, seen: "9 of 9 events more than 5 minutes ahead", do: "refused"},
		"a clock that once was wrong":        {check: clock, sent: append(many(9, sent{}), sent{later: -10 * time.Minute}), verdict: Bad, seen: "1 of 10 events"},
		"history":                            {check: clock, sent: many(9, sent{later: 300 * 24 * time.Hour}), verdict: Look, seen: "300 days late", do: "history"},
		"a clock that is slow":               {check: clock, sent: many(9, sent{later: 3 * time.Minute}), verdict: Look, seen: "3m late", do: "its clock is slow"},
		"some come late":                     {check: clock, sent: append(many(9, sent{later: 10 * time.Minute}), sent{later: time.Second}), verdict: Good},
		"one of two clocks is wrong":         {check: clock, sent: append(many(9, sent{}), many(2, sent{source: "kiosk", later: -time.Hour})...), verdict: Bad, seen: `"kiosk": 2 of 2 events more than 5 minutes ahead, in the middle 1h ahead. No other of 2 sources is worse.`},
		"a zone that is right":               {check: zone, sent: many(9, sent{later: time.Second}), zones: berlin, verdict: Good, seen: "9 of 9 events, within 2 minutes"},
		"local time sent as UTC":             {check: zone, sent: many(9, sent{later: -time.Hour + time.Second}), zones: berlin, verdict: Bad, seen: "1h ahead, which is the space's own offset from UTC", do: "as if it were UTC"},
		"local time of Kathmandu sent as UTC": {
			check: zone, sent: many(9, sent{later: -5*time.Hour - 45*time.Minute}), zones: map[string]string{"soho": "Asia/Kathmandu"},
			verdict: Bad, seen: "5h45m ahead, which is the space's own",
		},
		"local time of New York sent as UTC": {check: zone, sent: many(9, sent{later: 5 * time.Hour}), zones: map[string]string{"soho": "America/New_York"}, verdict: Bad, seen: "5h late, which is the space's own"},
		"half an hour off, space unknown":    {check: zone, sent: many(9, sent{later: 30 * time.Minute}), verdict: Bad, seen: "9 of 9 events, 30m late, to within 2 minutes.", do: "daylight saving"},
		"an hour off, but only once":         {check: zone, sent: many(1, sent{later: time.Hour}), verdict: Look},
		"a quarter of an hour is no zone":    {check: zone, sent: many(9, sent{later: 15 * time.Minute}), verdict: NotSeen},
		"an hour and three minutes is none":  {check: zone, sent: many(9, sent{later: time.Hour + 3*time.Minute}), verdict: NotSeen, seen: "nobody can tell"},
		"15 hours are no zone":               {check: zone, sent: many(9, sent{later: 15 * time.Hour}), verdict: NotSeen},
		"history, and some that is live":     {check: zone, sent: append(many(90, sent{later: 30 * 24 * time.Hour}), many(3, sent{})...), verdict: Good, seen: "3 of 3 events, within 2 minutes"},
		"history, and live in local time":    {check: zone, sent: append(many(90, sent{later: 30 * 24 * time.Hour}), many(3, sent{later: -time.Hour})...), verdict: Bad},
		"the largest offset there is":        {check: zone, sent: many(9, sent{later: -14 * time.Hour}), verdict: Bad},
		"a mixed bag":                        {check: zone, sent: append(many(7, sent{later: time.Hour}), many(3, sent{})...), verdict: NotSeen},
		"a day that was sent in the evening": {check: zone, sent: []sent{{later: 9 * time.Hour}, {at: 3 * time.Hour, later: 6 * time.Hour}, {at: 8 * time.Hour, later: time.Hour}}, verdict: NotSeen},
		"an offset that holds":               {check: zone, sent: many(2, sent{offset: "+01:00", later: 50 * time.Hour}), zones: berlin, verdict: Good, seen: "2 events written with the offset that holds"},
		"an offset of another season":        {check: zone, sent: many(3, sent{offset: "+02:00"}), zones: berlin, verdict: Look, seen: "3 of 3 events with an offset, written with another than Europe/Berlin has then, such as 2026-03-02T14:02:00+02:00 (message 2).", do: "daylight saving"},
		"nothing came twice":                 {check: duplicates, sent: many(4, sent{}), verdict: Good, seen: "0 of 4 events (0 %)"},
		"something came twice":               {check: duplicates, sent: append(many(9, sent{}), sent{id: "0", member: "0"}), verdict: Good, seen: "1 of 10 events (10 %)"},
		"everything comes thrice":            {check: duplicates, sent: []sent{{id: "a", member: "7"}, {id: "a", member: "7"}, {id: "a", member: "7"}}, verdict: Look, seen: "2 of 3 events (66 %)", do: "hears the answers"},
		"a conflict is no resend":            {check: duplicates, sent: []sent{{id: "a", member: "7"}, {id: "a", member: "8"}}, verdict: Good, seen: "0 of 2"},
		"people leave":                       {check: checkOuts, sent: []sent{{member: "7"}, {member: "8"}, {member: "7", kind: "checkout", at: time.Hour}}, verdict: Good, seen: "2 check-ins, 1 of them (50 %) with a check-out."},
		"nobody leaves":                      {check: checkOuts, sent: many(4, sent{}), verdict: Look, seen: "4 check-ins, and no check-out of any: stays will be estimated.", do: "coworking.v1.checkout"},
		"few leave, by this door":            {check: checkOuts, source: "door", sent: append(many(3, sent{}), sent{member: "1", kind: "checkout", at: time.Hour}), verdict: Look, seen: "1 of them (33 %)", do: "leave the source out"},
		"others leave than came":             {check: checkOuts, sent: []sent{{member: "7"}, {member: "8", kind: "checkout", at: time.Hour}}, verdict: Look, seen: "no check-out of any"},
		"somebody leaves before they come":   {check: checkOuts, sent: []sent{{member: "7", at: time.Hour}, {member: "7", kind: "checkout"}}, verdict: Look},
		"somebody leaves the day after next": {check: checkOuts, sent: []sent{{member: "7"}, {member: "7", kind: "checkout", at: 40 * time.Hour}}, verdict: Look},
		"a check-out comes before its visit": {check: checkOuts, sent: []sent{{member: "7", kind: "checkout", at: time.Hour}, {member: "7"}}, verdict: Good, seen: "1 check-in, 1 of them"},
		"nobodies leave one at a time":       {check: checkOuts, sent: []sent{{member: "-", at: 1}, {member: "-", at: 2000}, {member: "-", at: 3000}, {member: "-", kind: "checkout", at: time.Hour}}, verdict: Look, seen: "1 of them (33 %)"},
		"a resent check-in is one":           {check: checkOuts, sent: []sent{{id: "a", member: "7"}, {id: "a", member: "7"}, {member: "7", kind: "checkout", at: time.Hour}}, verdict: Good, seen: "1 check-in, 1 of them (100 %)"},
		"no check-ins":                       {check: checkOuts, sent: []sent{{kind: "heartbeat"}}, verdict: NotSeen},
		"a space that is known":              {check: spaces, sent: many(2, sent{}), zones: berlin, verdict: Good, seen: "Known: soho in Europe/Berlin."},
		"a space that is not":                {check: spaces, sent: []sent{{}, {space: "sohoo"}}, zones: berlin, verdict: Look, seen: "Nothing was said of sohoo in the last 14 days.", do: "coworking space set sohoo"},
		"no space could be known":            {check: spaces, sent: many(2, sent{}), verdict: NotSeen, seen: "1 space: soho"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := Seen{Space: "soho", Source: c.source}
			for n, event := range c.sent {
				s.Records = append(s.Records, event.record(n))
			}
			if c.zones != nil {
				s.Spaces = said(c.zones)
			}
			got := c.check(s)
			if got.Verdict != c.verdict || !strings.Contains(got.Seen, c.seen) || !strings.Contains(got.Do, c.do) {
				t.Errorf("%+v", got)
			}
			if got.Name == "" || got.Seen == "" || (got.Verdict == Look || got.Verdict == Bad) != (got.Do != "") && got.Verdict != NotSeen {
				t.Errorf("who shall make sense of %+v?", got)
			}
		})
	}
}

func TestASpaceWithoutAZoneIsSeen(t *testing.T) {
	seats := 40
	s := Seen{
		Records: []Record{sent{}.record(0)},
		Spaces:  map[string]*calendar.Calendar{"soho": calendar.New([]calendar.Change{{Time: noon, ID: "1", Capacity: &seats}})},
	}
	if got := spaces(s); got.Verdict != Look || !strings.Contains(got.Seen, "which zone soho is in") {
		t.Errorf("%+v", got)
	}
}

func TestAFileIsJudgedAsTheDoorWould(t *testing.T) {
	good := `{"specversion":"1.0","id":"1","source":"door","type":"coworking.v1.checkin","time":"2026-03-02T11:59:00+01:00","subject":"7","data":{"space":"soho"}}`
	typo := strings.Replace(strings.Replace(good, `"soho"`, `"soho","metod":"door"`, 1), `"1"`, `"2"`, 1)
	early := strings.Replace(strings.Replace(good, "11:59:00+01:00", "12:06:00Z", 1), `"1"`, `"3"`, 1)
	cases := map[string]struct {
		file string
		want []string // the place and the code of each
	}{
		"one a line":          {good + "\n\n" + typo + "\r\n" + early, []string{"line 1 ", "line 3 unknown_field", "line 4 future"}},
		"a batch":             {" [" + good + ",\n" + typo + ", 7]", []string{"event 1 ", "event 2 unknown_field", "event 3 not_an_object"}},
		"a batch that breaks": {"[" + good + ",", []string{"the batch invalid_json"}},
		"one on many lines":   {strings.ReplaceAll(good, ",", ",\n"), []string{"the event "}},
		"garbage":             {"hello\n" + good, []string{"line 1 invalid_json", "line 2 "}},
		"with a mark":         {"\ufeff" + good, []string{"the event "}},
		"one that is too big": {strings.Replace(good, "{", `{"x":"`+strings.Repeat("x", 70_000)+`",`, 1), []string{"the event body_too_large"}},
		"nothing":             {" \n", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range File([]byte(c.file), noon) {
				refused := accepted(Seen{Records: []Record{r}}).Refused
				got = append(got, r.Place+" "+append(refused, Refused{})[0].Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	card := Judge(Seen{Records: File([]byte(early), noon)})
	if c := card.Checks[2]; c.Name != "clock" || c.Verdict != Bad {
		t.Errorf("%+v", c)
	}
}

func TestACardSaysTheWorstOfAll(t *testing.T) {
	s := Seen{Space: "soho", Source: "door", Spaces: said(map[string]string{"soho": "Europe/Berlin"})}
	for n, event := range []sent{{member: "7"}, {id: "new", member: "7"}, {data: `"party_size":0`}} {
		s.Records = append(s.Records, event.record(n))
	}
	var card, program strings.Builder
	if err := Judge(s).Write(&card); err != nil {
		t.Fatal(err)
	}
	want := `Report card of soho, source "door": 3 events

✗ events      bad       1 of 3 events refused.
    1 × invalid_field: message 2 /data/party_size: party_size: "0" is not a whole number from 1 to 10000
    → Mend what the codes and pointers name, and send these again with the same ids.
✗ ids         bad       1 event came again under a new id, such as "new" of "door" (message 1).
    → Make the id once, with the event, and send the same one at every retry: these count twice.
✓ clock       good      "door": 2 events, in the middle 0s late, from 0s late to 0s late.
✓ zone        good      "door": 2 of 2 events, within 2 minutes of when they came.
✓ resends     good      0 of 2 events (0 %) came again with the id it had; each counts once.
! check-outs  look      2 check-ins, and no check-out of any: stays will be estimated.
    → If the door can tell who leaves, send coworking.v1.checkout with the same subject; else set the space's --default-stay to what is usual. What another source reports is not counted here: leave the source out to see it.
✓ spaces      good      Known: soho in Europe/Berlin.

All in all: bad; 2 of 7 bad; 1 of 7 to look at
`
	if diff := cmp.Diff(want, card.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := Judge(s).WriteJSON(&program); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(program.String(), "{\n  \"space\": \"soho\",\n  \"source\": \"door\",\n  \"verdict\": \"bad\",\n  \"events\": 3,\n  \"sources\": [\n    {\n      \"source\": \"door\",\n      \"events\": 3\n    }\n  ],\n  \"checks\": [\n    {\n      \"name\": \"events\",") {
		t.Errorf("%s", program.String())
	}
}

// Who asks for a space reads whom to ask for.
func TestACardOfASpaceNamesItsSources(t *testing.T) {
	s := Seen{Space: "soho"}
	for _, source := range []string{"kiosk", "front-door", "kiosk", ""} {
		s.Records = append(s.Records, Record{Source: source})
	}
	for source, want := range map[string]string{
		"":      "Report card of soho, all sources: 4 events\nSources: \"kiosk\" 2, \"front-door\" 1\n\n",
		"kiosk": "Report card of soho, source \"kiosk\": 4 events\n\n",
	} {
		s.Source = source
		var card strings.Builder
		if err := Judge(s).Write(&card); err != nil || !strings.HasPrefix(card.String(), want) {
			t.Errorf("%v\n%s", err, card.String())
		}
	}
}

func TestNoPublisherSpeaksToTheTerminal(t *testing.T) {
	hostile := `{"specversion":"1.0","id":"1","source":"d","type":"coworking.v1.checkin","time":"2026-03-02T09:00:00Z","data":{"space":"soho","a\u001b[31mb":1}}`
	var card strings.Builder
	if err := Judge(Seen{Records: File([]byte(hostile), noon)}).Write(&card); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(card.String(), "\x1b") || !strings.Contains(card.String(), "the event /data/a\ufffd[31mb: ") {
		t.Errorf("%q", card.String())
	}
}
