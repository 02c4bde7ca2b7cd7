package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lookTimeout bounds how long a scrape waits for the database.
const lookTimeout = time.Second

// What lies in the database and waits for somebody. All processes on one database
// tell the same of it.
var (
	lettersDesc  = prometheus.NewDesc("ingest_dead_letters", "Open dead letters by code, among the last 10,000.", []string{"code"}, nil)
	refilingDesc = prometheus.NewDesc("ingest_refiling_space_days", "Space-days that are queued to be filed anew.", nil, nil)
	equalDesc    = prometheus.NewDesc("ingest_verify_equal", "1 if the last `ingest verify` found no difference, else 0; nothing before the first. One of some space-days counts only if it found one.", nil, nil)
	verifiedDesc = prometheus.NewDesc("ingest_verify_finished_seconds", "Unix time at which that `ingest verify` was done.", nil, nil)
)

// standing asks the database whenever somebody looks. While it does not answer, there
// is nothing to be seen, rather than what was true some time ago.
type standing struct{ shelf *shelf }

// Describe is prometheus.Collector's.
func (standing) Describe(descs chan<- *prometheus.Desc) {
	descs <- lettersDesc
	descs <- refilingDesc
	descs <- equalDesc
	descs <- verifiedDesc
}

// Collect is prometheus.Collector's.
func (s standing) Collect(metrics chan<- prometheus.Metric) {
	kept := s.shelf.kept.Load()
	if kept == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	found, err := kept.Standing(ctx)
	if err != nil {
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for code, count := range found.Letters {
		gauge(lettersDesc, float64(count), code)
	}
	gauge(refilingDesc, float64(found.Refiling))
	if found.Equal != nil && found.Verified != nil {
		gauge(equalDesc, one(*found.Equal))
		gauge(verifiedDesc, seconds(*found.Verified))
	}
}

// newBuried counts what is buried, by code.
func newBuried(registry prometheus.Registerer) *prometheus.CounterVec {
	buried := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ingest_dead_letters_total",
		Help: "Messages that were buried, by code; one that comes again counts again.",
	}, []string{"code"})
	registry.MustRegister(buried)
	return buried
}
