package hooks

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"coworking/pkg/event"
	"coworking/pkg/fault"
)

// Mapped is what became of a payload.
type Mapped struct {
	Events   [][]byte // in structured JSON mode, for event.Decode to judge
	Ignored  int      // events of a type that nobody asked for
	Unplaced int      // events of a place that belongs to no space of the hook
}

// most is how many events one payload may hold.
const most = 1000

// Map makes events of a payload. The same payload makes the same events, whenever it
// is sent. The error is fault.Invalid: the payload is none.
func (h *Hook) Map(payload []byte) (Mapped, error) {
	if !utf8.Valid(payload) {
		return Mapped{}, fault.Invalid.With("invalid_text", "", "the body is not UTF-8")
	}
	var body any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber() // an id of twenty digits stays as it is
	if err := decoder.Decode(&body); err != nil {
		return Mapped{}, fault.Invalid.With("invalid_json", "", "the body is no JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Mapped{}, fault.Invalid.With("trailing_data", "", "the body goes on after its JSON")
	}
	events := []any{scope{body: body, event: body}.find(h.mapping.Events)}
	if list, many := events[0].([]any); many {
		events = list
	}
	if len(events) > most {
		return Mapped{}, fault.Invalid.With("too_many_events", "", "more than %d events", most)
	}
	var m Mapped
	for _, one := range events {
		h.mapOne(scope{body: body, event: one}, &m)
	}
	return m, nil
}

func (h *Hook) mapOne(s scope, m *Mapped) {
	rule, found := h.mapping.rule(s)
	if !found || rule.Kind == ignored {
		m.Ignored++
		return
	}
	space := event.NoSpace
	if rule.Kind != event.MemberUpserted {
		if space = h.spaceOf(h.mapping.Location.in(s)); space == "" {
			m.Unplaced++
			return
		}
	}
	m.Events = append(m.Events, h.event(s, rule, space))
}

// rule is the first that fits an event.
func (m *Mapping) rule(s scope) (Rule, bool) {
	kind := m.Type.in(s)
	for _, rule := range m.Rules {
		if rule.Type != "" && rule.Type != kind {
			continue
		}
		fits := true
		for pointer, words := range rule.When {
			fits = fits && slices.Contains(words, s.word(pointer))
		}
		if fits {
			return rule, true
		}
	}
	return Rule{}, false
}

// told is an event in structured mode. What is not known is left out, and what is
// wrong stays as the vendor wrote it: Decode says so by name.
type told struct {
	Version string         `json:"specversion"`
	ID      string         `json:"id"`
	Source  string         `json:"source"`
	Type    string         `json:"type"`
	Time    string         `json:"time,omitempty"`
	Member  string         `json:"subject,omitempty"`
	Data    map[string]any `json:"data"`
}

func (h *Hook) event(s scope, rule Rule, space string) []byte {
	word := func(name string) string {
		how, of := rule.Fields[name]
		if !of {
			how = h.mapping.Fields[name]
		}
		text := how.in(s)
		if words, translated := h.mapping.Values[name]; translated {
			return words[text]
		}
		return text
	}
	e := told{
		Version: "1.0", ID: word("id"), Source: word("source"), Type: event.TypePrefix + string(rule.Kind),
		Time: h.moment(word("time")), Member: word("member"), Data: map[string]any{},
	}
	if e.Source == "" {
		e.Source = h.Name
	}
	for _, name := range carried[rule.Kind] {
		if text := word(name); text != "" {
			e.Data[name] = h.value(name, text)
		}
	}
	e.Data["space"] = space
	if e.ID == "" {
		e.ID = h.identity(s, &e)
	}
	body, err := json.Marshal(e)
	if err != nil {
		panic("hooks: texts and numbers cannot be JSON: " + err.Error())
	}
	return body
}

// moment is a time as events have it; one that cannot be read stays as it is.
func (h *Hook) moment(written string) string {
	if t, ok := instant(written, h.mapping.Times, h.zone); ok {
		return t.UTC().Format(time.RFC3339Nano)
	}
	return written
}

// value is a field of data as JSON has it.
func (h *Hook) value(name, text string) any {
	switch name {
	case "party_size":
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	case "active":
		if flag, err := strconv.ParseBool(text); err == nil {
			return flag
		}
	case "joined_at", "expires_at":
		return h.moment(text)
	}
	return text
}

// identity is the id of an event that has none: the same for the same event.
func (h *Hook) identity(s scope, e *told) string {
	parts := []string{e.Type}
	for _, how := range h.mapping.Identity {
		parts = append(parts, how.in(s))
	}
	if len(h.mapping.Identity) == 0 {
		data, err := json.Marshal(e.Data)
		if err != nil {
			panic("hooks: texts and numbers cannot be JSON: " + err.Error())
		}
		parts = append(parts, e.Source, e.Time, e.Member, string(data))
	}
	var all []byte
	for _, part := range parts {
		all = strconv.AppendQuote(all, part)
	}
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:16])
}
