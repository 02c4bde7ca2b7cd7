package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Machine is where and when figures were taken.
type Machine struct {
	Measured time.Time         `json:"measured"`
	System   string            `json:"system"`
	Go       string            `json:"go"`
	Postgres map[string]string `json:"postgres"`
	Broker   string            `json:"broker"` // when it syncs
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, Postgres %s, broker with `sync %s`, %s, %s.",
		m.System, m.Postgres["server_version"], m.Broker, m.Go, m.Measured.Format(time.DateOnly))
}

func newMachine(postgres map[string]string, broker string) Machine {
	return Machine{
		Measured: time.Now().UTC().Truncate(time.Second), System: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Go: runtime.Version(), Postgres: postgres, Broker: broker,
	}
}

// Run is one contestant's way through all events.
type Run struct {
	Round                   int     `json:"round"`
	Name                    string  `json:"name"`
	Seconds                 float64 `json:"seconds"`
	EventsPerSecond         float64 `json:"events_per_second"`
	PublishedPerSecond      float64 `json:"published_per_second,omitzero"` // with acknowledgement, before the contestant began
	CPUMicrosecondsPerEvent float64 `json:"cpu_us_per_event"`              // its own process, without Postgres and the broker
	WALBytesPerEvent        float64 `json:"wal_bytes_per_event"`           // what Postgres wrote meanwhile
	MemoryMiB               float64 `json:"memory_mib"`                    // the most that its process held
}

// runs is several contestants' rounds.
type runs []Run

// of is the runs of a contestant, round by round.
func (r runs) of(name string) (found runs) {
	for _, run := range r {
		if run.Name == name {
			found = append(found, run)
		}
	}
	return found
}

// each is a figure of each run.
func (r runs) each(figure func(Run) float64) (values []float64) {
	for _, run := range r {
		values = append(values, figure(run))
	}
	return values
}

func rate(r Run) float64 { return r.EventsPerSecond }

// ratio is one contestant's rate by another's of the same round.
func (r runs) ratio(name, by string) Spread {
	return ratios(r.of(name).each(rate), r.of(by).each(rate))
}

// table is a line for each contestant.
func (r runs) table(names ...string) string {
	var b strings.Builder
	b.WriteString("| | events/s: median (min – max) | CPU of the program, µs an event | its memory, MiB | WAL, bytes an event |\n|---|---|---|---|---|\n")
	for _, name := range names {
		of := r.of(name)
		fmt.Fprintf(&b, "| %s | %s | %.1f | %.0f | %.0f |\n", name, spread(of.each(rate)).format("%.0f"),
			spread(of.each(func(r Run) float64 { return r.CPUMicrosecondsPerEvent })).Median,
			spread(of.each(func(r Run) float64 { return r.MemoryMiB })).Max,
			spread(of.each(func(r Run) float64 { return r.WALBytesPerEvent })).Median)
	}
	return b.String()
}

// Spread is a middle and how far the others are from it.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spread(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	return Spread{Median: sorted[len(sorted)/2], Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// ratios is one series by another, each by what stands beside it, as far as both go.
func ratios(over, under []float64) Spread {
	both := min(len(over), len(under))
	if both == 0 {
		return Spread{}
	}
	each := slices.Clone(over[:both])
	for i, by := range under[:both] {
		each[i] /= by
	}
	return spread(each)
}

func (s Spread) format(number string) string {
	return fmt.Sprintf(number+" ("+number+" – "+number+")", s.Median, s.Min, s.Max)
}

// percentile is the value that so many of a hundred are not above, by the nearest
// rank; 0 of none.
func percentile(values []float64, p int) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// keep writes a measure's figures to its file, and its table to the terminal and
// into the document, between the two lines that name the measure.
func (b base) keep(out io.Writer, measure string, figures any, table string) error {
	body, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.Results, measure+".json"), append(body, '\n'), 0o644); err != nil {
		return err
	}
	if _, err := io.WriteString(out, table); err != nil {
		return err
	}
	text, err := os.ReadFile(b.Readme)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+measure+": written by bench -->\n", "<!-- end of "+measure+" -->\n"
	before, rest, begins := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for %s", b.Readme, measure)
	}
	return os.WriteFile(b.Readme, []byte(before+begin+"\n"+table+"\n"+end+after), 0o644)
}
