package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Results is what results.json holds.
type Results struct {
	Measured time.Time         `json:"measured"`
	Machine  string            `json:"machine"`
	Go       string            `json:"go"`
	Postgres map[string]string `json:"postgres"`
	Events   int               `json:"events"`
	Batch    int               `json:"batch"`
	Runs     []Run             `json:"runs"`
	Ratio    Spread            `json:"ratio"` // the service's rate by the ceiling's of the same round
}

// Run is one contestant's way through the whole stream.
type Run struct {
	Round                   int     `json:"round"`
	Name                    string  `json:"name"`
	Seconds                 float64 `json:"seconds"`
	EventsPerSecond         float64 `json:"events_per_second"`
	PublishedPerSecond      float64 `json:"published_per_second"` // by the publisher, with acknowledgement
	CPUMicrosecondsPerEvent float64 `json:"cpu_us_per_event"`     // its own process, without Postgres and the broker
	WALBytesPerEvent        float64 `json:"wal_bytes_per_event"`  // what Postgres wrote meanwhile
}

// Spread is a middle and how far the others are from it.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func (r *Results) compare() {
	ceiling, service := r.of("ceiling"), r.of("service")
	ratios := make([]float64, len(ceiling))
	for i := range ceiling {
		ratios[i] = service[i].EventsPerSecond / ceiling[i].EventsPerSecond
	}
	r.Ratio = spread(ratios)
}

// of is the runs of a contestant, round by round.
func (r *Results) of(name string) []Run {
	var runs []Run
	for _, run := range r.Runs {
		if run.Name == name {
			runs = append(runs, run)
		}
	}
	return runs
}

func spread(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	return Spread{Median: sorted[len(sorted)/2], Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// The table stands between these lines of the document.
const (
	tableBegins = "<!-- figures: written by make bench -->\n"
	tableEnds   = "<!-- end of figures -->\n"
)

// write keeps the figures, and puts their table into the document.
func (r *Results) write(out io.Writer, results, readme string) error {
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(results, append(body, '\n'), 0o644); err != nil {
		return err
	}
	table := r.table()
	if _, err := io.WriteString(out, table); err != nil {
		return err
	}
	return replace(readme, tableBegins, tableEnds, table)
}

// replace puts a table into a document, between two of its lines.
func replace(document, begin, end, table string) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the figures", document)
	}
	return os.WriteFile(document, []byte(before+begin+table+end+after), 0o644)
}

// table is the figures in Markdown.
func (r *Results) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d events in batches of at most %d, %s, Postgres %s, %s, %s.\n\n",
		r.Events, r.Batch, r.Machine, r.Postgres["server_version"], r.Go, r.Measured.Format(time.DateOnly))
	b.WriteString("| | events/s: median (min – max) | CPU of the program, µs an event | WAL, bytes an event |\n|---|---|---|---|\n")
	for _, name := range []string{"ceiling", "service"} {
		var rates, cpu, wal []float64
		for _, run := range r.of(name) {
			rates, cpu, wal = append(rates, run.EventsPerSecond), append(cpu, run.CPUMicrosecondsPerEvent), append(wal, run.WALBytesPerEvent)
		}
		rate := spread(rates)
		fmt.Fprintf(&b, "| %s | %.0f (%.0f – %.0f) | %.1f | %.0f |\n", name, rate.Median, rate.Min, rate.Max, spread(cpu).Median, spread(wal).Median)
	}
	var published []float64
	for _, run := range r.Runs {
		published = append(published, run.PublishedPerSecond)
	}
	fmt.Fprintf(&b, "\nThe service's rate is **%.2f** (%.2f – %.2f) of the ceiling's in the same round. Published with acknowledgement at %.0f events/s.\n\n",
		r.Ratio.Median, r.Ratio.Min, r.Ratio.Max, spread(published).Median)
	return b.String()
}
