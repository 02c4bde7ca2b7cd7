package main

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"coworking/pkg/event"
	"coworking/pkg/fault"
)

// fate is what becomes of a row.
type fate int

const (
	eventRow fate = iota
	ignoredRow
	duplicateRow
	refusedRow
)

// csvRow is a row, and what became of it.
type csvRow struct {
	line   int // where it begins
	fate   fate
	event  event.Event
	reason error // why it is refused
}

// csvRows is a file that is being read.
type csvRows struct {
	mapping *csvMapping
	reader  *csv.Reader
	header  []string
	at      map[string][]int // the columns of a field
	seen    map[[16]byte]seenRow
	count   int
}

// seenRow is what an earlier row said.
type seenRow struct {
	line    int
	content int64
}

// open reads the names of the columns. The error says which are missing.
func (m *csvMapping) open(in io.Reader) (*csvRows, error) {
	r := &csvRows{mapping: m, reader: csv.NewReader(in), at: map[string][]int{}, seen: map[[16]byte]seenRow{}}
	r.reader.Comma, r.reader.FieldsPerRecord, r.reader.ReuseRecord = m.comma, -1, true
	header, err := r.reader.Read()
	if err != nil {
		return nil, fault.Invalid.Errorf("reading the names of the columns: %w", err)
	}
	if !isText(header) {
		return nil, fault.Invalid.With("invalid_text", "", "the names of the columns are not UTF-8: save the file as that, which spreadsheets call CSV UTF-8")
	}
	r.header = slices.Clone(header)
	r.header[0] = strings.TrimPrefix(r.header[0], "\ufeff")
	for i, name := range r.header {
		r.header[i] = strings.TrimSpace(name)
	}
	var wrong []error
	for _, field := range sortedKeys(m.Columns) {
		for _, column := range m.Columns[field] {
			at := slices.Index(r.header, column)
			switch {
			case at < 0:
				wrong = append(wrong, fault.Invalid.Errorf("there is no column %q for %s; there are %s", column, field, strings.Join(r.header, ", ")))
			case slices.Contains(r.header[at+1:], column):
				wrong = append(wrong, fault.Invalid.Errorf("there are two columns %q", column))
			}
			r.at[field] = append(r.at[field], at)
		}
	}
	return r, errors.Join(wrong...)
}

// offset is how many bytes were read.
func (r *csvRows) offset() int64 { return r.reader.InputOffset() }

// all is the rows in turn. The error says that the file could not be read on.
func (r *csvRows) all(now time.Time) iter.Seq2[csvRow, error] {
	return func(yield func(csvRow, error) bool) {
		for {
			record, err := r.reader.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			r.count++
			var row csvRow
			if bad, broken := errors.AsType[*csv.ParseError](err); broken {
				row = csvRow{line: bad.StartLine, fate: refusedRow, reason: fault.Invalid.With("invalid_csv", "", "%w", bad.Err)}
			} else if err != nil {
				yield(csvRow{}, fault.Unavailable.Errorf("reading row %d: %w", r.count, err))
				return
			} else {
				row = r.row(record, now)
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (r *csvRows) row(record []string, now time.Time) csvRow {
	line, _ := r.reader.FieldPos(0)
	row := csvRow{line: line}
	if len(record) != len(r.header) {
		row.fate = refusedRow
		row.reason = fault.Invalid.With("invalid_csv", "", "it has %d columns, and the first line has %d", len(record), len(r.header))
		return row
	}
	if !isText(record) {
		// As JSON it would read like another's: each letter that is none becomes the same.
		row.fate, row.reason = refusedRow, fault.Invalid.With("invalid_text", "", "it is not UTF-8: save the file as that, which spreadsheets call CSV UTF-8")
		return row
	}
	kind, err := r.kind(record)
	if kind == ignoredKind && err == nil {
		row.fate = ignoredRow
		return row
	}
	if err == nil {
		row.event, err = r.event(record, event.Kind(kind))
	}
	if err == nil {
		err = row.event.CheckFuture(now)
	}
	if err == nil {
		row.fate, err = r.again(&row)
	}
	if err != nil {
		row.fate, row.reason = refusedRow, err
	}
	return row
}

// isText says whether a row is UTF-8.
func isText(record []string) bool {
	return !slices.ContainsFunc(record, func(column string) bool { return !utf8.ValidString(column) })
}

// kind is what a row tells.
func (r *csvRows) kind(record []string) (string, error) {
	word := r.word(record, "kind")
	if kind, named := r.mapping.Kinds[word]; named {
		return kind, nil
	}
	if csvKinds[event.Kind(word)] != nil {
		return word, nil
	}
	return "", fault.Invalid.With("unknown_type", "/type", "kinds does not say what %q is", word)
}

// word is what a row says of a field; "" if it says nothing.
func (r *csvRows) word(record []string, field string) string {
	text := r.mapping.Constants[field]
	if columns := r.at[field]; len(columns) > 0 {
		parts := make([]string, len(columns))
		for i, at := range columns {
			parts[i] = strings.TrimSpace(record[at])
		}
		text = strings.TrimSpace(strings.Join(parts, " "))
	}
	if word, other := r.mapping.Values[field][text]; other {
		return word
	}
	return text
}

// told is an event in structured mode, for Decode to judge.
type told struct {
	Version string         `json:"specversion"`
	ID      string         `json:"id"`
	Source  string         `json:"source"`
	Type    string         `json:"type"`
	Time    string         `json:"time"`
	Member  string         `json:"subject,omitempty"`
	Data    map[string]any `json:"data"`
}

func (r *csvRows) event(record []string, kind event.Kind) (event.Event, error) {
	t, err := r.mapping.instant(r.word(record, "time"))
	if err != nil {
		return event.Event{}, err
	}
	e := told{
		Version: "1.0", Source: r.mapping.Source, Type: event.TypePrefix + string(kind), Time: t.Format(time.RFC3339Nano),
		Member: r.word(record, "member"), Data: map[string]any{"space": r.word(record, "space")},
	}
	if kind == event.MemberUpserted {
		e.Data["space"] = event.NoSpace
	}
	for _, field := range csvKinds[kind] {
		text := r.word(record, field)
		if text == "" {
			continue
		}
		if e.Data[field], err = r.value(field, text); err != nil {
			return event.Event{}, err
		}
	}
	id := r.identity(record, kind, t)
	e.ID = "csv/" + hex.EncodeToString(id[:])
	body, err := json.Marshal(e)
	if err != nil {
		return event.Event{}, fault.Internal.Errorf("writing an event: %w", err)
	}
	return event.Decode(body, event.Options{Strict: true})
}

// value is a field of data as JSON has it; what is wrong is left to Decode.
func (r *csvRows) value(field, text string) (any, error) {
	switch field {
	case "party_size":
		if n, err := strconv.Atoi(text); err == nil {
			return n, nil
		}
	case "active":
		if flag, err := strconv.ParseBool(strings.ToLower(text)); err == nil {
			return flag, nil
		}
	case "joined_at", "expires_at":
		t, err := r.mapping.instant(text)
		return t.Format(time.RFC3339Nano), err
	}
	return text, nil
}

// identity is a hash of what makes a row's event the one it is.
func (r *csvRows) identity(record []string, kind event.Kind, t time.Time) [16]byte {
	all := strconv.AppendQuote(nil, r.mapping.Source)
	for _, field := range r.mapping.Identity {
		text := r.word(record, field)
		switch field {
		case "kind":
			text = string(kind)
		case "time":
			text = t.Format(time.RFC3339Nano)
		}
		all = strconv.AppendQuote(strconv.AppendQuote(all, field), text)
	}
	sum := sha256.Sum256(all)
	return [16]byte(sum[:])
}

// again says whether an earlier row told the same event. One that told it otherwise
// is a mistake in the file or in the mapping: the first would win.
func (r *csvRows) again(row *csvRow) (fate, error) {
	key := event.KeyOf(row.event.Space, row.event.Source, row.event.ID)
	content := row.event.Content()
	earlier, seen := r.seen[key]
	switch {
	case !seen:
		r.seen[key] = seenRow{row.line, content}
		return eventRow, nil
	case earlier.content == content:
		return duplicateRow, nil
	default:
		return refusedRow, fault.Invalid.With("id_conflict", "/id", "line %d is the same event, and says something else of it", earlier.line)
	}
}
