package table

import (
	"encoding/json"
	"math"
	"strings"
)

// bar is a share of a width, in halves of a block. What is more than nothing shows.
func bar(share float64, width int) string {
	if !(share > 0) {
		return ""
	}
	halves := max(1, int(math.Round(min(share, 1)*float64(2*width))))
	return strings.Repeat("█", halves/2) + strings.Repeat("▌", halves%2)
}

// The steps of what is drawn by height or by shade, from little to much.
var (
	heights = []rune("▁▂▃▄▅▆▇█")
	shades  = []rune("░▒▓█")
)

// step is the mark of a figure: · for none, a blank for what is not known.
func step(v any, most float64, steps []rune) rune {
	if v == nil {
		return ' '
	}
	share := amount(v) / most
	if !(share > 0) {
		return '·'
	}
	return steps[min(int(math.Ceil(share*float64(len(steps)))), len(steps))-1]
}

// longestLine is how many figures a line is drawn of; neighbours are added up
// where there are more.
const longestLine = 40

// line is a list of figures, the higher the more.
func line(figures []any) string {
	if each := (len(figures) + longestLine - 1) / longestLine; each > 1 {
		figures = merged(figures, each)
	}
	most := 0.0
	for _, v := range figures {
		most = max(most, amount(v))
	}
	var drawn strings.Builder
	for _, v := range figures {
		drawn.WriteRune(step(v, most, heights))
	}
	return drawn.String()
}

func merged(figures []any, each int) []any {
	var fewer []any
	for len(figures) > 0 {
		n := min(each, len(figures))
		sum := 0.0
		for _, v := range figures[:n] {
			sum += amount(v)
		}
		text, err := json.Marshal(sum)
		if err != nil {
			text = []byte("0") // an infinity
		}
		fewer = append(fewer, json.Number(text))
		figures = figures[n:]
	}
	return fewer
}
