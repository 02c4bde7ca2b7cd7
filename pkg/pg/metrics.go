package pg

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// figures is what a pool tells of itself: connections now, and what happened since
// it was opened.
var figures = []struct {
	kind       prometheus.ValueType
	name, help string
	of         func(*pgxpool.Stat) float64
}{
	{prometheus.GaugeValue, "connections_max", "The most connections that the pool may have.", func(s *pgxpool.Stat) float64 { return float64(s.MaxConns()) }},
	{prometheus.GaugeValue, "connections_in_use", "Connections that somebody uses.", func(s *pgxpool.Stat) float64 { return float64(s.AcquiredConns()) }},
	{prometheus.GaugeValue, "connections_idle", "Connections that nobody uses.", func(s *pgxpool.Stat) float64 { return float64(s.IdleConns()) }},
	{prometheus.CounterValue, "connections_opened_total", "Connections that were opened.", func(s *pgxpool.Stat) float64 { return float64(s.NewConnsCount()) }},
	{prometheus.CounterValue, "acquired_total", "How often somebody got a connection.", func(s *pgxpool.Stat) float64 { return float64(s.AcquireCount()) }},
	{prometheus.CounterValue, "waited_total", "How often somebody had to wait for one, since all were in use or none was open.", func(s *pgxpool.Stat) float64 { return float64(s.EmptyAcquireCount()) }},
	{prometheus.CounterValue, "waited_seconds_total", "How long they waited.", func(s *pgxpool.Stat) float64 { return s.EmptyAcquireWaitTime().Seconds() }},
	{prometheus.CounterValue, "gave_up_total", "How often somebody gave up waiting.", func(s *pgxpool.Stat) float64 { return float64(s.CanceledAcquireCount()) }},
}

// poolMetrics reads a pool whenever somebody looks.
type poolMetrics struct {
	pool  *pgxpool.Pool
	descs []*prometheus.Desc // of figures
}

// Metrics is a pool's figures, as database_pool_…, with the service whose it is.
func Metrics(pool *pgxpool.Pool, service string) prometheus.Collector {
	m := poolMetrics{pool: pool}
	for _, figure := range figures {
		m.descs = append(m.descs, prometheus.NewDesc("database_pool_"+figure.name, figure.help, nil, prometheus.Labels{"service": service}))
	}
	return m
}

// Describe is prometheus.Collector's.
func (m poolMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range m.descs {
		descs <- desc
	}
}

// Collect is prometheus.Collector's.
func (m poolMetrics) Collect(metrics chan<- prometheus.Metric) {
	stat := m.pool.Stat()
	for i, figure := range figures {
		metrics <- prometheus.MustNewConstMetric(m.descs[i], figure.kind, figure.of(stat))
	}
}
