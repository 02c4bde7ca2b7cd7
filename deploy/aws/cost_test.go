package aws

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	costRow   = regexp.MustCompile(`(?m)^\|([^|]+)\|([^|]*)\|([^|]*)\|([^|]+)\|$`)
	costTotal = regexp.MustCompile(`^\*\*\$([0-9.]+)\*\*$`)
	number    = regexp.MustCompile(`-?[0-9]+(\.[0-9]+)?`)
)

// misreckoned are the lines of the tables with a quantity, a price and a month whose
// arithmetic is wrong, totals included. The totals are given back, too.
func misreckoned(page string) (wrong []string, totals []string) {
	for table := range strings.SplitSeq(page, "| | quantity | price | a month |\n") {
		table, _, _ = strings.Cut(table, "\n\n")
		sum := 0.0
		for _, row := range costRow.FindAllStringSubmatch(table, -1) {
			name, quantity, price, month := strings.TrimSpace(row[1]), row[2], strings.TrimSpace(row[3]), strings.TrimSpace(row[4])
			if total := costTotal.FindStringSubmatch(month); total != nil {
				if want := fmt.Sprintf("%.2f", sum); total[1] != want {
					wrong = append(wrong, fmt.Sprintf("%s: $%s, and it is $%s", name, total[1], want))
				}
				totals = append(totals, total[1])
				continue
			}
			amount, isPrice := strings.CutPrefix(price, "$")
			if !isPrice {
				continue
			}
			product, err := strconv.ParseFloat(amount, 64)
			if err != nil {
				wrong = append(wrong, name+": "+err.Error())
			}
			for _, factor := range number.FindAllString(quantity, -1) {
				f, _ := strconv.ParseFloat(factor, 64) // the pattern is a number's
				product *= f
			}
			product = math.Round(product*100+1e-9) / 100
			if want := fmt.Sprintf("$%.2f", product); month != want {
				wrong = append(wrong, fmt.Sprintf("%s: %s × %s is %s, not %s", name, quantity, price, want, month))
			}
			sum += product
		}
	}
	return wrong, totals
}

func TestTheBillAddsUp(t *testing.T) {
	page := read(t, root+"/docs/cost.md")
	wrong, totals := misreckoned(page)
	complain(t, wrong)
	if len(totals) != 4 {
		t.Fatalf("%d totals, want two of two sizes", len(totals))
	}
	for i, size := range []string{"one space", "fifty spaces"} {
		if row := fmt.Sprintf("| %s | **$%s** | **$%s** |", size, totals[2*i], totals[2*i+1]); !strings.Contains(page, row) {
			t.Errorf("at the top there should be %s", row)
		}
	}
	broken, _ := misreckoned("| | quantity | price | a month |\n|---|---|---|---|\n| EKS | 730 h | $0.10 | $72.00 |\n| **on demand** | | | **$72.00** |\n")
	if len(broken) != 2 {
		t.Errorf("of a wrong product and a wrong sum: %v", broken)
	}
	for _, mark := range []string{"¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹", "¹⁰", "¹¹", "¹²", "¹³", "¹⁴", "¹⁵", "¹⁶"} {
		if !strings.Contains(page, mark) {
			t.Errorf("nothing refers to source %s", mark)
		}
	}
}

// What a line costs depends on what it is wrapped in: the page's figures are those of
// lines as they are written, in the record that Fluent Bit makes.
func TestALineIsAsLongAsThePageSays(t *testing.T) {
	page := read(t, root+"/docs/cost.md")
	began := `{"level":"info","time":"2026-11-23T12:32:09.079380452Z",`
	request := began + `"msg":"request","service":"query","version":"1.4.0","method":"GET","path":"/api/v1/reports/daily_usage","status":200,` +
		`"bytes":5078,"took":0.007161095,"remote":"10.60.100.200","holder":"0123456789abcdef"}`
	var year strings.Builder
	for day := time.Date(2025, time.November, 23, 0, 0, 0, 0, time.UTC); day.Year() < 2026 || day.YearDay() < 327; day = day.AddDate(0, 0, 1) {
		fmt.Fprintf(&year, `,"%s":120`, day.Format(time.DateOnly))
	}
	daily := began + `"msg":"daily usage","service":"query","version":"1.4.0","daily_usage":{` + year.String()[1:] + "}}"
	for line, want := range map[string]string{request: "**%.1f kB** arrive", daily: "**%.0f kB** with a year behind it"} {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		record, err := json.Marshal(shipped(line, fields))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(want, float64(len(record)+26)/1000); !strings.Contains(strings.ReplaceAll(page, "\n", " "), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
