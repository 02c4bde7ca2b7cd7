package table

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// precision is how many decimals a column of figures is shown with: as many as
// they have, but no more than tell them apart.
func precision(figures []json.Number) int {
	has, largest := 0, 0.0
	for _, n := range figures {
		text := n.String()
		if strings.ContainsAny(text, "eE") {
			has = 3
		} else if _, decimals, broken := strings.Cut(text, "."); broken {
			has = max(has, len(strings.TrimRight(decimals, "0")))
		}
		largest = max(largest, math.Abs(amount(n)))
	}
	switch {
	case largest >= 100:
		return min(has, 1)
	case largest >= 10:
		return min(has, 2)
	default:
		return min(has, 3)
	}
}

// shown is a figure with so many decimals, and its digits in threes.
func shown(n json.Number, decimals int) string {
	text := n.String()
	if strings.ContainsAny(text, ".eE") || decimals > 0 {
		text = strconv.FormatFloat(amount(n), 'f', decimals, 64)
	}
	whole, rest, _ := strings.Cut(text, ".")
	for at := len(whole) - 3; at > 0 && whole[at-1] != '-'; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if rest == "" {
		return whole
	}
	return whole + "." + rest
}

// percent is a change in percent with its sign.
func percent(n json.Number) string {
	text := shown(n, 1)
	if math.Abs(amount(n)) >= 100 {
		text = shown(n, 0)
	}
	if amount(n) > 0 {
		text = "+" + text
	}
	return text + " %"
}

// amount is a figure to compare others with. What is no number is nothing.
func amount(v any) float64 {
	n, _ := v.(json.Number)
	f, err := n.Float64()
	if err != nil {
		return 0
	}
	return f
}
