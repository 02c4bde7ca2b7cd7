package hooks

import (
	"slices"
	"strings"
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

func TestHooksFilesThatAreWrongSaySo(t *testing.T) {
	cases := map[string]struct {
		file  string
		open  bool
		wrong []string // parts of the sentences; none is a good file
	}{
		"no JSON":           {file: "hooks:\n- kisi", wrong: []string{"the hooks file: invalid character"}},
		"nothing":           {file: `{}`, wrong: []string{"no hooks"}},
		"a typo":            {file: `{"hooks":[{"vender":"kisi"}]}`, wrong: []string{`unknown field "vender"`}},
		"two files":         {file: `{"hooks":[]} {}`, wrong: []string{"more after its end"}},
		"one that is right": {file: `{"hooks":[{"vendor":"kisi","space":"soho","secret":"a"}]}`},
		"no such vendor": {
			file: `{"hooks":[{"vendor":"kissi","space":"soho","secret":"a"}]}`, wrong: []string{`hook "kissi": there is no vendor "kissi", but envoy, kisi, officernd and generic`},
		},
		"a vendor that is a path": {file: `{"hooks":[{"name":"a","vendor":"../vendors/kisi","space":"soho","secret":"a"}]}`, wrong: []string{"there is no vendor"}},
		"neither secret nor key":  {file: `{"hooks":[{"vendor":"kisi","space":"soho"}]}`, wrong: []string{`hook "kisi": anybody could post to it: give it a secret, or let it ask for a key`}},
		"neither, on loopback":    {file: `{"hooks":[{"vendor":"kisi","space":"soho"}]}`, open: true},
		"a key alone":             {file: `{"hooks":[{"vendor":"kisi","space":"soho","key":true}]}`},
		"a secret that nobody has": {
			file: `{"hooks":[{"vendor":"kisi","space":"soho","secret":"lost"}]}`, open: true, wrong: []string{`there is no secret of the name "lost"`},
		},
		"a secret that nothing uses": {
			file:  `{"hooks":[{"name":"a","vendor":"generic","space":"soho","secret":"a","mapping":{"fields":{"time":"{/at}"},"rules":[{"kind":"checkin"}]}}]}`,
			wrong: []string{"nothing says how it is signed"},
		},
		"no place":            {file: `{"hooks":[{"vendor":"kisi","secret":"a"}]}`, wrong: []string{"where does it happen?"}},
		"two sorts of places": {file: `{"hooks":[{"vendor":"kisi","secret":"a","space":"soho","spaces":{"1":"mitte"}}]}`, wrong: []string{"where does it happen?"}},
		"members in a place":  {file: `{"hooks":[{"vendor":"officernd","secret":"a","space":"soho"}]}`, wrong: []string{"who belong to no single space"}},
		"a space of nobody":   {file: `{"hooks":[{"vendor":"kisi","secret":"a","spaces":{"1":"_"}}]}`, wrong: []string{`"_" is not the name of a space`}},
		"a bad name":          {file: `{"hooks":[{"name":"Kisi/1","vendor":"kisi","secret":"a","space":"soho"}]}`, wrong: []string{"a hook's name is"}},
		"a name twice":        {file: `{"hooks":[{"vendor":"kisi","secret":"a","space":"soho"},{"vendor":"kisi","secret":"a","space":"mitte"}]}`, wrong: []string{"another hook has this name"}},
		"everything at once": {
			file: `{"hooks":[{"vendor":"generic","secret":"a","space":"So Ho","zone":"Soho","tolerance":"soon","mapping":{
				"signature":{"encoding":"rot13","signed":"{time}"}, "times":["2006-01-02 15:04"], "fields":{"mood":"good"},
				"rules":[{"type":"in","kind":"checkin"},{"kind":"event_voided"}]}}]}`,
			wrong: []string{
				`"So Ho" is not the name of a space`, "Soho", `tolerance "soon"`, "needs the header", "not \"rot13\"", "not \"{time}\"", `have no offset`,
				`no event has a field "mood"`, "nothing says where the type is", "nothing says where the time of a checkin is", `"event_voided" is no kind`,
			},
		},
		"a generic hook without a mapping": {file: `{"hooks":[{"vendor":"generic","secret":"a","space":"soho"}]}`, wrong: []string{"needs a mapping"}},
		"a mapping for a vendor":           {file: `{"hooks":[{"vendor":"kisi","secret":"a","space":"soho","mapping":{}}]}`, wrong: []string{"goes with the vendor generic"}},
		"no rules":                         {file: generically(`"rules":[]`), wrong: []string{"needs rules"}},
		"an open brace":                    {file: generically(`"type":"{/a"`), wrong: []string{"does not close"}},
		"a path with dots":                 {file: generically(`"type":"{a.b}"`), wrong: []string{"no JSON pointer"}},
		"a number for a text":              {file: generically(`"type":7`), wrong: []string{"neither a text nor a list"}},
		"letters for a zone":               {file: generically(`"times":["2006-01-02 15:04 MST"]`), wrong: []string{"names zones by letters"}},
		"a layout of others":               {file: generically(`"times":["YYYY-MM-DD HH:mm"]`), wrong: []string{"no layout of a time"}},
		"a time that is not signed":        {file: generically(`"signature":{"header":"X","timestamp_header":"Y"}`), wrong: []string{"says nothing"}},
		"places that nothing tells apart": {
			file:  `{"hooks":[{"vendor":"generic","key":true,"spaces":{"1":"soho"},"mapping":{"fields":{"time":"{/at}"},"rules":[{"kind":"checkin"}]}}]}`,
			wrong: []string{"nothing says where that is"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Read([]byte(c.file), Options{Secret: secrets, Open: c.open})
			if len(c.wrong) == 0 && err != nil || len(c.wrong) > 0 && fault.Of(err) == fault.None {
				t.Fatalf("%v", err)
			}
			for _, part := range c.wrong {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("it does not say %q: %v", part, err)
				}
			}
		})
	}
}

// generically is a hooks file with a part of a mapping.
func generically(part string) string {
	return `{"hooks":[{"vendor":"generic","key":true,"space":"soho","mapping":{` + part + `}}]}`
}

func TestEachVendorIsWhole(t *testing.T) {
	for _, name := range Vendors() {
		m, err := vendor(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.check(false); err != nil || m.Signature == nil || len(m.Documented) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAHookMayWriteItsSpacesAlone(t *testing.T) {
	for name, want := range map[string][]string{
		"kisi": {"berlin-mitte", "sample"}, "officernd": {"_"}, "turnstile": {"hall-north"},
	} {
		if diff := cmp.Diff(want, configured(t, name).Spaces()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	h := configured(t, "kisi")
	if !h.Accepts("application/json") || h.Accepts("text/plain") {
		t.Error("a vendor that says nothing of it sends JSON")
	}
	h.mapping.MediaTypes = []string{"application/vnd.api+json"}
	if !h.Accepts("application/vnd.API+json") || h.Accepts("application/json") {
		t.Error("the mapping says what is sent")
	}
}

func TestTimes(t *testing.T) {
	h := configured(t, "turnstile")
	got := []string{}
	for _, written := range []string{"2026-07-01 12:00:00", "2026-10-25 02:30:00", "2026-03-29 02:30:00", "noon"} {
		got = append(got, h.moment(written))
	}
	h.mapping.Times = []Layout{"unix_ms", "rfc3339"}
	got = append(got, h.moment("1774958400123"), h.moment("2026-03-31T14:00:00.5+02:00"))
	h.mapping.Times = []Layout{"unix", "02/01/2006 15:04 -0700"}
	got = append(got, h.moment("1774958400"), h.moment("31/03/2026 14:00 +0200"))
	want := []string{
		"2026-07-01T10:00:00Z",
		"2026-10-25T00:30:00Z", // shown twice: the first time
		"2026-03-29 02:30:00",  // never shown
		"noon",
		"2026-03-31T12:00:00.123Z", "2026-03-31T12:00:00.5Z",
		"2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z",
	}
	if !slices.Equal(want, got) {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
	}
}
