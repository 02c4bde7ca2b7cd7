package reportcard

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// marks is how a verdict begins its line.
var marks = map[Verdict]string{Good: "✓", Look: "!", Bad: "✗", NotSeen: "–"}

// Write writes the card for people.
func (c Card) Write(out io.Writer) error {
	var card strings.Builder
	fmt.Fprintf(&card, "%s: %s\n%s\n", c.title(), count(c.Events, "event"), c.voices())
	for _, check := range c.Checks {
		fmt.Fprintf(&card, "%s %-10s  %-8s  %s\n", marks[check.Verdict], check.Name, check.Verdict, check.Seen)
		for _, r := range check.Refused {
			fmt.Fprintf(&card, "    %s × %s: %s%s: %s\n", number(r.Count), r.Code, r.Place, before(" ", r.Pointer), r.Detail)
		}
		if check.Do != "" {
			fmt.Fprintf(&card, "    → %s\n", check.Do)
		}
	}
	fmt.Fprintf(&card, "\nAll in all: %s\n", c.Sentence())
	_, err := io.WriteString(out, strings.Map(harmless, card.String()))
	return err
}

// harmless keeps what a publisher wrote from speaking to the terminal.
func harmless(r rune) rune {
	if r != '\n' && !strconv.IsPrint(r) {
		return '\ufffd'
	}
	return r
}

func (c Card) title() string {
	switch {
	case c.Space == "":
		return "Report card of a file"
	case c.Source == "":
		return "Report card of " + c.Space + ", all sources"
	default:
		return fmt.Sprintf("Report card of %s, source %q", c.Space, c.Source)
	}
}

// voices is a line that says who speaks, where nobody in particular was asked for.
func (c Card) voices() string {
	if c.Source != "" || len(c.Sources) == 0 {
		return ""
	}
	var named []string
	for _, v := range c.Sources {
		named = append(named, fmt.Sprintf("%q %s", v.Source, number(v.Events)))
	}
	return "Sources: " + some(named) + "\n"
}

// Sentence is what the card comes to.
func (c Card) Sentence() string {
	looks, bad, unseen := c.Count(Look), c.Count(Bad), c.Count(NotSeen)
	said := []string{string(c.Verdict)}
	for _, part := range []struct {
		n    int
		what string
	}{{bad, "bad"}, {looks, "to look at"}, {unseen, "not seen"}} {
		if part.n > 0 {
			said = append(said, fmt.Sprintf("%d of %d %s", part.n, len(c.Checks), part.what))
		}
	}
	return strings.Join(said, "; ")
}

// WriteJSON writes the card for programs.
func (c Card) WriteJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(c)
}

// before is a text with something before it, unless it is empty.
func before(what, text string) string {
	if text == "" {
		return ""
	}
	return what + text
}
