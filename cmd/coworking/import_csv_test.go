package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

var imported = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func csvFile(name string) string { return filepath.Join("testdata", "csv", name) }

func read(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(csvFile(name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func turnstiles(t *testing.T) *csvMapping {
	t.Helper()
	m, err := readCSVMapping(read(t, "turnstiles.json"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func goldenCSV(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(csvFile(name), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, name)), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADryRunSaysWhatWouldHappen(t *testing.T) {
	p, err := previewRows(turnstiles(t), bytes.NewReader(read(t, "turnstiles.csv")), imported, func(int64) {})
	if err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	p.report(&report)
	goldenCSV(t, "turnstiles.preview", report.String())
}

func TestADryRunNamesTheFirstTwenty(t *testing.T) {
	file := "Nr;Datum;Zeit;Ausweis;Tor;Haus;Richtung;Personen\n" + strings.Repeat("1;;;;;;;\n", 2345)
	p, err := previewRows(turnstiles(t), strings.NewReader(file), imported, func(int64) {})
	if err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	p.report(&report)
	if got := report.String(); strings.Count(got, "\n  line ") != 20 || !strings.HasSuffix(got, "  and 2,325 more\n") {
		t.Error(got)
	}
}

func TestADryRunNeedsNoBroker(t *testing.T) {
	var out strings.Builder
	c := importCSVCmd{File: csvFile("turnstiles.csv"), Map: csvFile("turnstiles.json"), DryRun: true}
	if err := c.Run(t.Context(), zap.NewNop(), &out); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "rows would not be stored") || !strings.HasPrefix(out.String(), "rows ") {
		t.Errorf("%v\n%s", err, &out)
	}
	c.DryRun = false
	if err := c.Run(t.Context(), zap.NewNop(), &out); err == nil || !strings.Contains(err.Error(), "give --nats-url, or --dry-run") {
		t.Errorf("%v", err)
	}
}

// A file in another encoding than UTF-8 is refused: two people whose names differ by a
// letter that cannot be read would be one.
func TestLettersThatCannotBeReadAreRefused(t *testing.T) {
	const header = "Nr;Datum;Zeit;Ausweis;Tor;Haus;Richtung;Personen\n"
	row := func(member string) string { return "1;27.03.2026;08:59:12;" + member + ";Tor 1;Torstr. 1;Kommen;\n" }
	p, err := previewRows(turnstiles(t), strings.NewReader(header+row("M\xfcller")+row("M\xf6ller")+row("Möller")), imported, func(int64) {})
	if err != nil || p.events != 1 || p.refused != 2 || fault.Code(p.refusals[0].reason) != "invalid_text" || !strings.Contains(p.refusals[0].reason.Error(), "UTF-8") {
		t.Errorf("%+v, %v", p, err)
	}
	for name, file := range map[string]string{"Latin-1": "T\xfcr;" + header, "UTF-16": "\xff\xfeN\x00r\x00"} {
		if _, err := previewRows(turnstiles(t), strings.NewReader(file), imported, func(int64) {}); fault.Code(err) != "invalid_text" || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Importing twice gives the same events, which count once.
func TestAnImportIsPublished(t *testing.T) {
	s := streamtest.New(t)
	for _, name := range []string{"turnstiles.published", "turnstiles.published"} {
		account := upload.New(stream.NewPublisher(s.JS, stream.Patience{}))
		passed, err := importRows(t.Context(), turnstiles(t), bytes.NewReader(read(t, "turnstiles.csv")), imported, account, func(int64) {})
		if err != nil {
			t.Fatal(err)
		}
		var report strings.Builder
		account.Report(&report)
		passed.report(&report)
		for _, e := range lastPublished(t, s, account.Stored) {
			report.WriteString(e + "\n")
		}
		goldenCSV(t, name, report.String())
		if account.Err() == nil {
			t.Error("what was refused is no success")
		}
	}
}

// lastPublished is the last events of the stream.
func lastPublished(t *testing.T, s *streamtest.Stream, count int) []string {
	t.Helper()
	there, err := s.JS.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := there.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for at := info.State.LastSeq - uint64(count) + 1; at <= info.State.LastSeq; at++ {
		var message *jetstream.RawStreamMsg
		if message, err = there.GetMsg(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if _, err := event.Decode(message.Data, event.Options{Strict: true}); err != nil {
			t.Errorf("%s: %v", message.Data, err)
		}
		events = append(events, string(message.Data))
	}
	return events
}

func TestTheVerbImports(t *testing.T) {
	s := streamtest.New(t)
	file := filepath.Join(t.TempDir(), "good.csv")
	good := strings.Join(strings.SplitAfter(string(read(t, "turnstiles.csv")), "\n")[:7], "")
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c := importCSVCmd{File: file, Map: csvFile("turnstiles.json"), NATSURL: s.URL}
	if err := c.Run(t.Context(), zap.NewNop(), &out); err != nil {
		t.Fatal(err)
	}
	want := "stored  4\nrefused 0\npassed over 1 that say the same as an earlier row, and 1 of a kind that is ignored\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAStreamThatIsAwayStopsTheImport(t *testing.T) {
	s := streamtest.New(t)
	account := upload.New(stream.NewPublisher(s.JS, stream.Patience{Acknowledgement: 200 * time.Millisecond}))
	s.Stop()
	defer s.Restart()
	_, err := importRows(t.Context(), turnstiles(t), bytes.NewReader(read(t, "turnstiles.csv")), imported, account, func(int64) {})
	if fault.Of(err) != fault.Unavailable || account.Stored > 0 {
		t.Errorf("%d stored: %v", account.Stored, err)
	}
}

func TestMappingsOfColumns(t *testing.T) {
	const header, row = "at,who,where,what,no\n", "2026-03-01T08:00:00Z,ada,soho,checkin,7\n"
	whole := `"columns":{"time":"at","member":"who","space":"where","kind":"what"}`
	cases := map[string]struct {
		mapping, file string
		wrong         []string // parts of the sentences; none is a good one
		events        int
	}{
		"the words of events themselves": {mapping: whole, file: header + row, events: 1},
		"one kind for all":               {mapping: `"columns":{"time":"at","space":"where"},"constants":{"kind":"checkin"}`, file: header + row, events: 1},
		"an id of its own": {
			mapping: `"columns":{"time":"at","space":"where","kind":"what","id":"no","member":"who"}`,
			file:    header + row + strings.Replace(row, ",7", ",8", 1), events: 2,
		},
		"members": {
			mapping: `"columns":{"time":"at","member":"who","active":"no","joined_at":"at"},"values":{"active":{"7":"true"}},"constants":{"kind":"member_upserted"}`,
			file:    header + row, events: 1,
		},
		"Unix time": {mapping: `"columns":{"time":"at","space":"where","kind":"what"},"times":["unix_ms","unix"]`, file: header + "1772352000000,ada,soho,checkin,7\n", events: 1},
		"an hour that comes twice": {
			mapping: whole + `,"times":["2006-01-02 15:04"],"zone":"Europe/Berlin"`, file: header + "2025-10-26 02:30,ada,soho,checkin,7\n", events: 1,
		},
		"no JSON":             {mapping: `"columns"`, wrong: []string{"the mapping:"}},
		"a typo":              {mapping: whole + `,"separater":";"`, wrong: []string{`unknown field "separater"`}},
		"nothing":             {mapping: ``, wrong: []string{"what the time of a row is", "what the kind of a row is"}},
		"a wrong separator":   {mapping: whole + `,"separator":"ab"`, wrong: []string{`separator "ab"`}},
		"an unknown field":    {mapping: whole + `,"constants":{"mood":"good"}`, wrong: []string{`no event has a field "mood"`}},
		"both of them":        {mapping: whole + `,"constants":{"space":"soho"}`, wrong: []string{"space is both a column and a constant"}},
		"an unknown kind":     {mapping: whole + `,"kinds":{"x":"arrival"}`, wrong: []string{`"arrival" is no kind`}},
		"a kind of no door":   {mapping: whole + `,"kinds":{"x":"event_voided"}`, wrong: []string{`"event_voided" is no kind`}},
		"no such zone":        {mapping: whole + `,"zone":"Soho"`, wrong: []string{"Soho"}},
		"times without":       {mapping: whole + `,"times":["2006-01-02 15:04"]`, wrong: []string{"have no offset: give their zone"}},
		"times of others":     {mapping: whole + `,"times":["YYYY-MM-DD"]`, wrong: []string{"write 2 January 2006"}},
		"no column's name":    {mapping: `"columns":{"time":7}`, wrong: []string{"neither the name of a column nor a list"}},
		"columns not there":   {mapping: `"columns":{"time":["day","hour"],"kind":"what"}`, file: header, wrong: []string{`no column "day" for time; there are at, who`, `no column "hour"`}},
		"columns there twice": {mapping: whole, file: "at,who,where,what,at\n", wrong: []string{`two columns "at"`}},
		"an empty file":       {mapping: whole, file: "", wrong: []string{"names of the columns"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m, err := readCSVMapping([]byte("{" + c.mapping + "}"))
			var p *preview
			if err == nil {
				p, err = previewRows(m, strings.NewReader(c.file), imported, func(int64) {})
			}
			if len(c.wrong) == 0 {
				if err != nil || p.events != c.events || p.refused > 0 {
					t.Fatalf("%+v, %v", p, err)
				}
				return
			}
			for _, part := range c.wrong {
				if fault.Of(err) != fault.Invalid && len(c.wrong) == 1 || !strings.Contains(fmt.Sprint(err), part) {
					t.Errorf("it does not say %q: %v", part, err)
				}
			}
		})
	}
}
