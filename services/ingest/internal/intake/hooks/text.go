package hooks

import (
	"encoding/json"
	"strconv"
	"strings"

	"coworking/pkg/fault"
)

// Pointer is a JSON pointer (RFC 6901) into one event of a payload: /actor/id. With
// a $ before it, into the whole body: $/sent_at. "" is the event itself.
type Pointer string

// UnmarshalText reads a pointer.
func (p *Pointer) UnmarshalText(text []byte) error {
	if path := strings.TrimPrefix(string(text), "$"); path != "" && path[0] != '/' {
		return fault.Invalid.Errorf("%q is no JSON pointer: those begin with /", text)
	}
	*p = Pointer(text)
	return nil
}

// scope is what pointers point into.
type scope struct{ body, event any }

// find is what a pointer points at; nil where nothing is.
func (s scope) find(p Pointer) any {
	value, path := s.event, string(p)
	if rest, whole := strings.CutPrefix(path, "$"); whole {
		value, path = s.body, rest
	}
	if path == "" {
		return value
	}
	for name := range strings.SplitSeq(path[1:], "/") {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch at := value.(type) {
		case map[string]any:
			value = at[name]
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || index < 0 || index >= len(at) {
				return nil
			}
			value = at[index]
		default:
			return nil
		}
	}
	return value
}

// word is what a pointer points at as a text: a text, a number as it is written,
// true or false. "" is anything else, and nothing.
func (s scope) word(p Pointer) string {
	switch value := s.find(p).(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	default:
		return ""
	}
}

// Text is how a value is made: the first of these that can be.
type Text []template

// template is words and pointers in turn: lock-{/object_id}.
type template struct {
	words    []string // one more than pointers
	pointers []Pointer
}

// UnmarshalJSON reads "lock-{/object_id}", or a list of such texts.
func (t *Text) UnmarshalJSON(body []byte) error {
	var written []string
	if err := json.Unmarshal(body, &written); err != nil {
		var one string
		if err := json.Unmarshal(body, &one); err != nil {
			return fault.Invalid.Errorf("%s is neither a text nor a list of texts", body)
		}
		written = []string{one}
	}
	*t = nil
	for _, one := range written {
		parsed, err := parseTemplate(one)
		if err != nil {
			return err
		}
		*t = append(*t, parsed)
	}
	return nil
}

func parseTemplate(written string) (template, error) {
	var t template
	for rest := written; ; {
		words, after, more := strings.Cut(rest, "{")
		t.words = append(t.words, words)
		if !more {
			return t, nil
		}
		path, after, closed := strings.Cut(after, "}")
		if !closed {
			return t, fault.Invalid.Errorf("%q opens a { that it does not close", written)
		}
		var pointer Pointer
		if err := pointer.UnmarshalText([]byte(path)); err != nil {
			return t, err
		}
		t.pointers, rest = append(t.pointers, pointer), after
	}
}

// in is the text; "" where something is missing of all of them.
func (t Text) in(s scope) string {
	for _, one := range t {
		if text := one.in(s); text != "" {
			return text
		}
	}
	return ""
}

func (t template) in(s scope) string {
	var text strings.Builder
	text.WriteString(t.words[0])
	for i, pointer := range t.pointers {
		word := s.word(pointer)
		if word == "" {
			return ""
		}
		text.WriteString(word)
		text.WriteString(t.words[i+1])
	}
	return text.String()
}
