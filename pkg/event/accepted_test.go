package event

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"coworking/pkg/calendar"

	"github.com/google/go-cmp/cmp"
)

// examples is one event of each kind that says all that it can.
var examples = map[Kind]string{
	CheckIn:        `"method":"door","zone":"hall","device":"lock-7","plan":"flex-10","team":"acme","party_size":3,"token_id":"t-1"`,
	CheckOut:       `"method":"kiosk","zone":"hall","device":"lock-7"`,
	Presence:       `"method":"wifi","zone":"hall"`,
	CheckInFailed:  `"reason":"token_expired","method":"token","device":"lock-7","token_id":"t-1"`,
	TokenIssued:    `"token_id":"t-1","expires_at":"2026-03-30T00:00:00.5+02:00"`,
	TokenUsed:      `"method":"token","zone":"hall","device":"lock-7","plan":"flex-10","team":"acme","party_size":2,"token_id":"t-1"`,
	MemberUpserted: `"joined_at":"2020-02-29T00:00:00Z","plan":"flex-10","team":"acme","active":false,"name":"Ada & <Grace> \"G\" \\ \ud83d\ude00"`,
	SpaceUpserted: `"name":"Mitte & <more>","time_zone":"Europe/Berlin","capacity":0,"day_start":"05:45","default_stay":"1h30m",` +
		`"opening_hours":{"sun":["00:00","24:00"],"mon":["22:00","02:00"]},"closures":["2026-12-25","2026-12-24"],"effective_from":"2026-04-01"`,
	EventVoided: `"source":"lock-7","id":"17","reason":"It wasn't them."`,
	Heartbeat:   ``,
}

// decoded is the event of a body that must be right.
func decoded(t testing.TB, body []byte, o Options) Event {
	t.Helper()
	e, err := Decode(body, o)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return e
}

func TestEveryKindIsReadAndWritten(t *testing.T) {
	at := time.Date(2026, 3, 29, 0, 58, 3, 120_000_000, time.UTC)
	expires := time.Date(2026, 3, 29, 22, 0, 0, 500_000_000, time.UTC)
	want := map[Kind]Data{
		CheckIn:       {Method: "door", Zone: "hall", Device: "lock-7", Plan: "flex-10", Team: "acme", PartySize: 3, TokenID: "t-1"},
		CheckOut:      {Method: "kiosk", Zone: "hall", Device: "lock-7"},
		Presence:      {Method: "wifi", Zone: "hall"},
		CheckInFailed: {Reason: "token_expired", Method: "token", Device: "lock-7", TokenID: "t-1"},
		TokenIssued:   {TokenID: "t-1", ExpiresAt: &expires},
		TokenUsed:     {Method: "token", Zone: "hall", Device: "lock-7", Plan: "flex-10", Team: "acme", PartySize: 2, TokenID: "t-1"},
		MemberUpserted: {
			Plan: "flex-10", Team: "acme", JoinedAt: new(time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC)),
			Active: new(false), MemberName: new(`Ada & <Grace> "G" \ 😀`),
		},
		SpaceUpserted: {Settings: &Settings{
			Name: new("Mitte & <more>"), TimeZone: new("Europe/Berlin"), Capacity: new(0), DayStart: new("05:45"), DefaultStay: new("1h30m"),
			OpeningHours: &map[string][2]string{"sun": {"00:00", "24:00"}, "mon": {"22:00", "02:00"}},
			Closures:     &[]string{"2026-12-25", "2026-12-24"}, EffectiveFrom: new("2026-04-01"),
		}},
		EventVoided: {VoidSource: "lock-7", VoidID: "17", VoidReason: "It wasn't them."},
		Heartbeat:   {},
	}
	for _, kind := range Kinds() {
		t.Run(string(kind.Kind), func(t *testing.T) {
			body := strings.Replace(string(told(kind.Kind, examples[kind.Kind])), "00:58:03Z", "00:58:03.12Z", 1)
			e := decoded(t, []byte(body), Options{Strict: true})
			wanted := Event{ID: "1", Source: "lock-7", Kind: kind.Kind, Time: at, Member: "4711", Space: "mitte", Data: want[kind.Kind]}
			if kind.Kind == MemberUpserted {
				wanted.Space = NoSpace
			}
			if diff := cmp.Diff(wanted, e); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			again := decoded(t, e.Encode(nil), Options{Strict: true, SubjectSpace: e.Space, SubjectKind: string(e.Kind)})
			if diff := cmp.Diff(e, again); diff != "" {
				t.Errorf("written as %s and read again (-want +got):\n%s", e.Encode(nil), diff)
			}
			if e.Content() != again.Content() || e.Key() != again.Key() {
				t.Error("written and read again it is another event")
			}
			if want := "checkins.v1." + e.Space + "." + string(kind.Kind); e.Subject() != want || e.Type() != "coworking.v1."+string(kind.Kind) {
				t.Errorf("subject %s, type %s", e.Subject(), e.Type())
			}
		})
	}
}

func TestAnEventIsWrittenInOneForm(t *testing.T) {
	e := decoded(t, []byte(`{"data":{"team":"a\/b \u00e9","party_size":2,"space":"mitte","x":1},
		"type":"coworking.v1.checkin","time":"2026-03-29T02:58:03.1200000+02:00","source":"s\"","extension":true,"id":"1"}`), Options{})
	want := `{"specversion":"1.0","id":"1","source":"s\"","type":"coworking.v1.checkin","time":"2026-03-29T00:58:03.12Z",` +
		`"datacontenttype":"application/json","data":{"space":"mitte","team":"a/b é","party_size":2}}`
	if diff := cmp.Diff(want, string(e.Encode(nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(`x{"team":"a/b é","party_size":2}`, string(e.EncodeData([]byte("x")))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	nothing := Event{Kind: "unheard of"}
	if diff := cmp.Diff(`{}`, string(nothing.EncodeData(nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatMayBeLeftOut(t *testing.T) {
	strict := Options{Strict: true}
	tests := map[string]struct {
		body    []byte
		options Options
		want    Event
	}{
		"the member, who is then anonymous, and all fields": {arrival(), strict, Event{Space: "mitte", Data: Data{PartySize: 1}}},
		"the space, where the subject names it":             {arrival(`"data":{}`), Options{SubjectSpace: "mitte"}, Event{Space: "mitte", Data: Data{PartySize: 1}}},
		"all data, where the subject names the space":       {arrival(`"data"`), Options{SubjectSpace: "mitte"}, Event{Space: "mitte", Data: Data{PartySize: 1}}},
		"what is null": {
			arrival(`"subject":null`, `"specversion":null`, `"datacontenttype":null`, `"data_base64":null`, `"data":{"space":"mitte","method":null,"party_size":null}`),
			strict,
			Event{Space: "mitte", Data: Data{PartySize: 1}},
		},
		"what is unknown": {
			arrival(`"traceparent":"00-\u0001"`, `"x":[{},[],-0.1e-7,true,false,null]`, `"data":{"space":"mitte","x":{"deep":[1]}}`),
			Options{},
			Event{Space: "mitte", Data: Data{PartySize: 1}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.ID, test.want.Source, test.want.Kind = "1", "lock-7", CheckIn
			test.want.Time = time.Date(2026, 3, 29, 0, 58, 3, 0, time.UTC)
			if diff := cmp.Diff(test.want, decoded(t, test.body, test.options)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	member := decoded(t, arrival(`"type":"coworking.v1.member_upserted"`, `"subject":"4711"`, `"data"`), strict)
	if member.Space != NoSpace {
		t.Errorf("a member without data is in %q", member.Space)
	}
	void := decoded(t, arrival(`"type":"coworking.v1.event_voided"`, `"data":{"space":"_","source":"a","id":"1"}`), strict)
	if void.Space != NoSpace {
		t.Errorf("a void of a member's event is in %q", void.Space)
	}
}

func TestTextsMayHoldWhatPeopleWrite(t *testing.T) {
	for said, want := range map[string]string{
		`Zoë`:                       "Zoë",
		`\u005a\u006f\u00EB`:        "Zoë",
		`\ud83d\uDE00`:              "😀",
		`\"\\\/`:                    `"\/`,
		`=HYPERLINK(\"x\")`:         `=HYPERLINK("x")`,
		`a\u2028b`:                  "a\u2028b",
		`\ufffd`:                    "\ufffd",
		strings.Repeat("x", 128):    strings.Repeat("x", 128),
		strings.Repeat("ü", 64):     strings.Repeat("ü", 64),
		strings.Repeat(`\"`, 128):   strings.Repeat(`"`, 128),
		"https://example.com/a?b#c": "https://example.com/a?b#c",
	} {
		e := decoded(t, arrival(`"id":"`+said+`"`, `"source":"`+said+`"`, `"subject":"`+said+`"`, `"data":{"space":"mitte","zone":"`+said+`"}`), Options{})
		if got := [...]string{e.ID, e.Source, e.Member, e.Data.Zone}; got != [...]string{want, want, want, want} {
			t.Errorf("%s is read as %q", said, got)
		}
	}
}

func TestTimes(t *testing.T) {
	for said, want := range map[string]string{
		"1973-01-01T00:00:00Z":                  "1973-01-01T00:00:00Z",
		"1972-12-31T23:00:00-01:00":             "1973-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999999999Z":        "9999-12-31T23:59:59.999999Z",
		"2024-02-29T12:00:00z":                  "2024-02-29T12:00:00Z",
		"2026-03-29t02:30:00+02:00":             "2026-03-29T00:30:00Z",
		"2026-03-29T00:00:00-00:00":             "2026-03-29T00:00:00Z",
		"2026-03-29T00:00:00+23:59":             "2026-03-28T00:01:00Z",
		"2026-03-29T05:45:00.1+05:45":           "2026-03-29T00:00:00.1Z",
		"2026-03-29T00:00:00.123456Z":           "2026-03-29T00:00:00.123456Z",
		"2026-03-29T00:00:00.1234569999999999Z": "2026-03-29T00:00:00.123456Z",
		"2026-03-29T00:00:00.000000Z":           "2026-03-29T00:00:00Z",
	} {
		e := decoded(t, arrival(`"time":"`+said+`"`), Options{})
		if got := e.Time.Format(time.RFC3339Nano); got != want || e.Time.Location() != time.UTC {
			t.Errorf("%s is read as %s in %s", said, got, e.Time.Location())
		}
	}
}

func TestContentTypesThatAreJSON(t *testing.T) {
	for _, media := range []string{"application/json", "Application/JSON; charset=utf-8", "application/vnd.acme+json"} {
		decoded(t, arrival(`"datacontenttype":"`+media+`"`), Options{})
	}
}

func TestNamesOfSpaces(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "7": true, "berlin-mitte": true, "a_b": true, "_": true, strings.Repeat("a", 63): true,
		"": false, "_a": false, "-": false, "A": false, "a.b": false, "a b": false, "a>": false, "*": false, "é": false, strings.Repeat("a", 64): false,
	} {
		if ValidSpace(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestSettingsThatAreTaken(t *testing.T) {
	for _, said := range []string{
		``, `"capacity":1000000`, `"default_stay":"1m"`, `"default_stay":"24h"`, `"default_stay":"24h0m"`, `"default_stay":"1440m"`, `"default_stay":"0h5m"`,
		`"day_start":"00:00"`, `"day_start":"23:45"`, `"opening_hours":{}`, `"opening_hours":{"tue":["23:59","00:00"]}`, `"closures":[]`,
		`"time_zone":"UTC"`, `"time_zone":"America/Argentina/Buenos_Aires"`, `"time_zone":"Etc/GMT+1"`, `"effective_from":"0001-01-01"`,
	} {
		e := decoded(t, told(SpaceUpserted, said), Options{Strict: true})
		if e.Data.Settings == nil {
			t.Errorf("{%s} are no settings", said)
		}
		if diff := cmp.Diff("{"+said+"}", string(e.EncodeData(nil))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// What is accepted here must not stop a calendar from being made.
func TestZonesAreThoseOfTheCalendar(t *testing.T) {
	if diff := cmp.Diff(strings.Join(calendar.Zones(), "\n")+"\n", zoneNames); diff != "" {
		t.Errorf("zones.txt (-want +got):\n%s", diff)
	}
}

func TestSettingsAreReadByTheCalendarToo(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		e := generate(random, SpaceUpserted)
		if _, err := calendar.ParseChange(e.Time, e.Source, e.ID, e.EncodeData(nil)); err != nil {
			t.Fatalf("%s: %v", e.EncodeData(nil), err)
		}
	}
}

func TestAThousandUnknownFieldsDoNotMatter(t *testing.T) {
	var fields []string
	for i := range 1000 {
		fields = append(fields, `"x`+strconv.Itoa(i)+`":0`)
	}
	e := decoded(t, told(CheckIn, strings.Join(fields, ",")+`,"zone":"hall"`), Options{})
	if e.Data.Zone != "hall" {
		t.Errorf("zone %q", e.Data.Zone)
	}
}

func TestAnyTextIsWrittenAsJSON(t *testing.T) {
	for _, text := range []string{"", "\x00\b\t\n\r\x1f\x7f\u0085", `"\/`, "é€😀\u2028\ufffd", "<&>"} {
		var read string
		if err := json.Unmarshal(appendString(nil, text), &read); err != nil || read != text {
			t.Errorf("%q is written as %s: %v", text, appendString(nil, text), err)
		}
	}
}

func TestAPartyThatIsNotCountedIsOne(t *testing.T) {
	read := decoded(t, arrival(), Options{})
	made := read
	made.Data.PartySize = 0
	if string(made.Encode(nil)) != string(read.Encode(nil)) || made.Content() != read.Content() {
		t.Errorf("%s and %s", made.Encode(nil), read.Encode(nil))
	}
}

// An event that comes often costs no memory but its body.
func TestReadingAllocatesNothing(t *testing.T) {
	for _, kind := range []Kind{CheckIn, CheckOut, Presence, CheckInFailed, TokenUsed, EventVoided, Heartbeat} {
		body := told(kind, examples[kind])
		encoded := make([]byte, 0, 1024)
		allocated := testing.AllocsPerRun(100, func() {
			e, err := Decode(body, Options{SubjectSpace: "mitte", SubjectKind: string(kind)})
			if err != nil {
				t.Fatal(err)
			}
			encoded = e.Encode(encoded[:0])
			if key := e.Key(); e.Content() == 0 || key == (Key{}) {
				t.Fatal("no content, or no key")
			}
		})
		if allocated != 0 {
			t.Errorf("%s: %v allocations", kind, allocated)
		}
	}
}
