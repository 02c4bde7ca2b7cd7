package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"coworking/services/ingest/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

// observer turns what a worker tells into metrics and readiness.
type observer struct {
	messages     *prometheus.CounterVec
	redelivered  prometheus.Counter
	batchSize    prometheus.Histogram
	writeSeconds prometheus.Histogram
	pending      prometheus.Gauge
	unanswered   prometheus.Gauge
	complete     *prometheus.GaugeVec // without a label: there is none until somebody knows
	ready        *prometheus.GaugeVec

	stream, database atomic.Pointer[error]
}

var errNotYet = errors.New("not yet")

func newObserver(registry prometheus.Registerer, partition string) *observer {
	labels := prometheus.Labels{"partition": partition}
	o := &observer{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ingest_messages_total", ConstLabels: labels,
			Help: "Messages settled, by what became of them: stored, duplicate or buried.",
		}, []string{"outcome"}),
		redelivered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ingest_redelivered_total", ConstLabels: labels,
			Help: "Messages settled that the stream had handed out before.",
		}),
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ingest_batch_messages", ConstLabels: labels,
			Help: "Messages in one transaction.", Buckets: prometheus.ExponentialBuckets(1, 4, 8),
		}),
		writeSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ingest_write_seconds", ConstLabels: labels,
			Help: "How long a batch took to store.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ingest_pending_messages", ConstLabels: labels,
			Help: "Messages that wait in the stream.",
		}),
		unanswered: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ingest_unacknowledged_messages", ConstLabels: labels,
			Help: "Messages handed out and not settled yet.",
		}),
		complete: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ingest_complete_through_seconds", ConstLabels: labels,
			Help: "Unix time up to which all that the stream had stored is in the numbers.",
		}, nil),
		ready: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ingest_ready", ConstLabels: labels,
			Help: "1 while the stream hands out messages, and while the database takes batches; else 0.",
		}, []string{"part"}),
	}
	registry.MustRegister(o.messages, o.redelivered, o.batchSize, o.writeSeconds, o.pending, o.unanswered, o.complete, o.ready)
	for _, outcome := range []string{"stored", "duplicate", "buried"} {
		o.messages.WithLabelValues(outcome) // a rate begins at 0
	}
	o.Connected(errNotYet)
	o.Stored(nil)
	return o
}

// Written counts a stored batch.
func (o *observer) Written(result store.Result, messages, redelivered int, took time.Duration) {
	o.messages.WithLabelValues("stored").Add(float64(result.Stored))
	o.messages.WithLabelValues("duplicate").Add(float64(result.Duplicates))
	o.messages.WithLabelValues("buried").Add(float64(result.Buried))
	o.redelivered.Add(float64(redelivered))
	o.batchSize.Observe(float64(messages))
	o.writeSeconds.Observe(took.Seconds())
}

// Connected notes whether the stream hands out messages.
func (o *observer) Connected(err error) {
	o.stream.Store(&err)
	o.ready.WithLabelValues("stream").Set(one(err == nil))
}

// Stored notes whether the database took the last batch.
func (o *observer) Stored(err error) {
	o.database.Store(&err)
	o.ready.WithLabelValues("database").Set(one(err == nil))
}

// Lag notes how far behind the worker is.
func (o *observer) Lag(pending, unacknowledged uint64, completeThrough time.Time) {
	o.pending.Set(float64(pending))
	o.unanswered.Set(float64(unacknowledged))
	if !completeThrough.IsZero() {
		o.complete.WithLabelValues().Set(seconds(completeThrough))
	}
}

// streamReady and databaseReady are the readiness checks.
func (o *observer) streamReady(context.Context) error   { return *o.stream.Load() }
func (o *observer) databaseReady(context.Context) error { return *o.database.Load() }

// one is 1 for what is so.
func one(so bool) float64 {
	if so {
		return 1
	}
	return 0
}

// seconds is an instant as Prometheus has it: Unix time.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
