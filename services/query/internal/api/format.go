package api

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"mime"
	"slices"
	"strconv"
	"strings"

	"coworking/pkg/fault"
	"coworking/services/query/internal/report"
)

// format is a way to write an answer.
type format struct {
	name      string // the value of format=, and the suffix
	mediaType string
	attached  bool // a browser should save it
	encode    func(*bufio.Writer, report.Answer) error
}

// formats are all there are; the first is the default.
var formats = []format{
	{"json", "application/json", false, encodeJSON},
	{"csv", "text/csv; charset=utf-8", true, encodeCSV},
	{"ndjson", "application/x-ndjson", false, encodeLines},
}

// chooseFormat is the format that the address asks for, else the one that the
// Accept header likes best, else JSON. A page to print is only to be had by its
// suffix: a browser accepts HTML of everything.
func chooseFormat(r report.Report, query map[string][]string, suffix string, suffixed bool, accept string) (format, error) {
	asked := query["format"]
	if suffixed {
		f, known := formatNamed(suffix)
		if r.Printed && suffix == paper {
			f, known = onPaper(r), true
		}
		if !known {
			return format{}, fault.NotFound.With("report_not_found", "", "there is no format .%s", suffix)
		}
		if len(asked) > 0 && asked[0] != suffix {
			return format{}, fault.Invalid.With("invalid_value", "format", "format contradicts the address, which ends with .%s", suffix)
		}
		return f, nil
	}
	if len(asked) > 1 {
		return format{}, fault.Invalid.With("invalid_value", "format", "format may be given once")
	}
	if len(asked) == 1 {
		f, known := formatNamed(asked[0])
		if !known {
			return format{}, fault.Invalid.With("invalid_value", "format", "format is one of json, csv, ndjson, not %q", asked[0])
		}
		return f, nil
	}
	return accepted(accept), nil
}

func formatNamed(name string) (format, bool) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		return format{}, false
	}
	return formats[i], true
}

// accepted is the format that an Accept header likes best.
func accepted(header string) format {
	best, liking := formats[0], 0.0
	for part := range strings.SplitSeq(header, ",") {
		mediaType, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		quality := 1.0
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			quality = q
		}
		for _, f := range formats {
			if base, _, _ := strings.Cut(f.mediaType, ";"); base == mediaType && quality > liking {
				best, liking = f, quality
			}
		}
	}
	return best
}

// encodeJSON writes an answer with a row a line, so that a person can read it and
// a diff can show it.
func encodeJSON(w *bufio.Writer, a report.Answer) error {
	values := newCompact(w)
	say(w, `{"data":[`)
	for i, row := range a.Rows {
		if i > 0 {
			say(w, ",")
		}
		say(w, "\n")
		if err := values.write(row); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		before string
		value  any
	}{{"\n],\n\"totals\":", a.Totals}, {",\n\"compare\":", a.Compare}, {",\n\"meta\":", a.Meta}} {
		say(w, part.before)
		if err := values.write(part.value); err != nil {
			return err
		}
	}
	say(w, "}\n")
	return nil
}

// encodeLines writes the rows alone, one a line.
func encodeLines(w *bufio.Writer, a report.Answer) error {
	values := newCompact(w)
	for _, row := range a.Rows {
		if err := values.write(row); err != nil {
			return err
		}
		say(w, "\n")
	}
	return nil
}

// say writes a text. What could not be written, a buffered writer says at its end.
func say(w *bufio.Writer, text string) { _, _ = w.WriteString(text) }

// compact writes values as compact JSON, without escapes that only HTML needs.
type compact struct {
	to      *bufio.Writer
	one     bytes.Buffer
	encoder *json.Encoder // of one
}

func newCompact(to *bufio.Writer) *compact {
	v := &compact{to: to}
	v.encoder = json.NewEncoder(&v.one)
	v.encoder.SetEscapeHTML(false)
	return v
}

func (v *compact) write(value any) error {
	v.one.Reset()
	if err := v.encoder.Encode(value); err != nil {
		return fault.Internal.Errorf("writing an answer: %w", err)
	}
	_, _ = v.to.Write(bytes.TrimSuffix(v.one.Bytes(), []byte("\n"))) // as say
	return nil
}

// encodeCSV writes the rows as RFC 4180 says.
func encodeCSV(body *bufio.Writer, a report.Answer) error {
	w := csv.NewWriter(body)
	w.UseCRLF = true
	record := make([]string, len(a.Columns))
	for i, column := range a.Columns {
		record[i] = column.Name
	}
	if err := w.Write(record); err != nil {
		return fault.Internal.Errorf("writing an answer: %w", err)
	}
	for _, row := range a.Rows {
		for i, column := range a.Columns {
			text, words := column.Cell(row)
			if words {
				text = harmless(text)
			}
			record[i] = text
		}
		if err := w.Write(record); err != nil {
			return fault.Internal.Errorf("writing an answer: %w", err)
		}
	}
	w.Flush()
	return w.Error()
}

// harmless is text that no spreadsheet takes for a formula: what begins like one
// gets an apostrophe, which spreadsheets read as "this is text".
func harmless(text string) string {
	if strings.IndexAny(text, "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + text
	}
	return text
}
