package legacy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"coworking/pkg/fault"
)

// Difference is a value that two answers to a report do not share.
type Difference struct {
	Key   string `json:"key"`             // the date, or the user's id
	Field string `json:"field,omitempty"` // of user_visits: joined_at or visits; absent where one side has no such user
	Old   any    `json:"old"`             // nil: the old system has none
	New   any    `json:"new"`             // nil: the new one has none
}

// Comparison is how two answers to a report differ.
type Comparison struct {
	Report string       `json:"report"`
	Equal  bool         `json:"equal"`           // to the byte
	Keys   int          `json:"keys"`            // dates or users that either answer has
	Count  int          `json:"differences"`     // 0 although they are not equal: the values are, the bytes are not
	First  []Difference `json:"first,omitempty"` // the first of these, in the order of the report
	Bytes  *Bytes       `json:"bytes,omitempty"` // of answers whose values are equal: where their bytes begin to differ
}

// Bytes is where two texts begin to differ, and how they go on there.
type Bytes struct {
	Offset int    `json:"offset"`
	Old    string `json:"old"`
	New    string `json:"new"`
}

// Compare compares the old and the new answer to a report. It names the first
// differences, so many of them. An error says which side's answer is none.
func Compare(report string, old, current []byte, first int) (Comparison, error) {
	c := Comparison{Report: report, Equal: bytes.Equal(old, current)}
	before, err := members(old)
	if err != nil {
		return c, fault.Invalid.Errorf("the old system's %s is no answer: %w", report, err)
	}
	after, err := members(current)
	if err != nil {
		return c, fault.Invalid.Errorf("the new system's %s is no answer: %w", report, err)
	}
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	c.Keys = len(keys)
	if c.Equal {
		return c, nil
	}
	for _, key := range slices.SortedFunc(maps.Keys(keys), inOrder) {
		for _, d := range differences(key, before[key], after[key]) {
			if c.Count++; c.Count <= first {
				c.First = append(c.First, d)
			}
		}
	}
	if c.Count == 0 {
		c.Bytes = whereDifferent(old, current)
	}
	return c, nil
}

// members is a report by its keys. Numbers stay as they are written.
func members(body []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	return object, nil
}

// inOrder puts dates one after the other, and 2 before 10.
func inOrder(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// differences of the values of one key: by field where both sides have fields.
func differences(key string, old, current any) []Difference {
	before, isObject := old.(map[string]any)
	after, areObjects := current.(map[string]any)
	if !isObject || !areObjects {
		if alike(old, current) {
			return nil
		}
		return []Difference{{Key: key, Old: old, New: current}}
	}
	fields := maps.Clone(before)
	maps.Copy(fields, after)
	var all []Difference
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if !alike(before[field], after[field]) {
			all = append(all, Difference{Key: key, Field: field, Old: before[field], New: after[field]})
		}
	}
	return all
}

func alike(a, b any) bool { return said(a) == said(b) }

// said is a value as JSON has it.
func said(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(text)
}

// String is the difference in words: user 12 visits: old 24, new 23.
func (d Difference) String() string {
	key := d.Key
	if d.Field != "" {
		key += " " + d.Field
	}
	return fmt.Sprintf("%s: old %s, new %s", key, side(d.Old), side(d.New))
}

func side(value any) string {
	if value == nil {
		return "none"
	}
	return said(value)
}

// shownBytes is how much of each text is shown from where they differ.
const shownBytes = 40

func whereDifferent(old, current []byte) *Bytes {
	at := 0
	for at < len(old) && at < len(current) && old[at] == current[at] {
		at++
	}
	shown := func(text []byte) string { return string(text[at:min(len(text), at+shownBytes)]) }
	return &Bytes{Offset: at, Old: shown(old), New: shown(current)}
}
