package table

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// Clean is text without what a terminal would obey instead of show: escapes, line
// breaks, and what turns the direction of writing.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// width is how many columns of a terminal a text takes.
func width(text string) int { return uniseg.StringWidth(text) }

// cut is a text that takes no more than so many columns; … stands for what is lost.
func cut(text string, most int) string {
	if width(text) <= most {
		return text
	}
	var kept strings.Builder
	left, state := most-1, -1
	for text != "" {
		cluster, rest, w, next := uniseg.FirstGraphemeClusterInString(text, state)
		if w > left {
			break
		}
		kept.WriteString(cluster)
		left, text, state = left-w, rest, next
	}
	return kept.String() + "…"
}

// pad fills a text up with blanks, before it if it is to stand on the right.
func pad(text string, to int, right bool) string {
	blanks := strings.Repeat(" ", max(0, to-width(text)))
	if right {
		return blanks + text
	}
	return text + blanks
}

// fill sets parts beside one another, in as many lines as that takes. A width of 0
// has room for all of them in one.
func fill(parts []string, between string, most int) []string {
	var lines []string
	for _, part := range parts {
		last := len(lines) - 1
		if last >= 0 && (most == 0 || width(lines[last])+width(between)+width(part) <= most) {
			lines[last] += between + part
			continue
		}
		lines = append(lines, part)
	}
	return lines
}

// folded is a column's name in lines of no more than so many columns, cut where
// its words end.
func folded(name string, most int) []string {
	if width(name) <= most {
		return []string{name}
	}
	return fill(strings.Split(name, "_"), "_", most)
}

// longest is how many columns the widest word of a column's name takes.
func longest(name string) int {
	most := 0
	for part := range strings.SplitSeq(name, "_") {
		most = max(most, width(part))
	}
	return most
}
