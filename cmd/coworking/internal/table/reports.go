package table

import (
	"cmp"
	"io"
	"strings"

	"coworking/pkg/fault"
)

// WriteReports draws the list of reports: each with the sentence that says what it
// counts.
func WriteReports(out io.Writer, body []byte, most int) error {
	parsed, err := decode(body)
	if err != nil {
		return fault.Internal.Errorf("reading the list of reports: %w", err)
	}
	whole, _ := parsed.(object)
	reports, isList := whole.get("data").([]any)
	if !isList {
		return fault.Internal.Errorf("reading the list of reports: it has no data")
	}
	names, personal := 0, false
	for _, item := range reports {
		report, _ := item.(object)
		name := width(word(report, "name"))
		if report.get("personal") == true {
			personal, name = true, name+width(" *")
		}
		names = max(names, name)
	}
	p := paper{width: most}
	for _, item := range reports {
		report, _ := item.(object)
		before := word(report, "name")
		if report.get("personal") == true {
			before += " *"
		}
		before = pad(before, names+gap, false)
		room := 0
		if most > 0 {
			room = max(textLeast, most-width(before))
		}
		doc := cmp.Or(word(report, "doc"), word(report, "description"), "–")
		for _, part := range fill(strings.Fields(doc), " ", room) {
			p.put(before + part)
			before = strings.Repeat(" ", width(before))
		}
	}
	if personal {
		p.put("")
		p.put(fill(strings.Fields("* names persons: the key must have the scope members:read"), " ", most)...)
	}
	_, err = io.WriteString(out, p.String())
	return err
}
