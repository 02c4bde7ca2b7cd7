package main

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

//go:embed complete_through.sql
var completeThrough string

// lookTimeout bounds how long a scrape waits for the database.
const lookTimeout = time.Second

var reachDesc = prometheus.NewDesc("report_complete_through_seconds",
	"Unix time up to which all that the stream had stored is in the numbers, in all partitions; nothing while nobody knows.", nil, nil)

// reach says how far the numbers reach that reports are made of, also while nobody
// writes any.
type reach struct{ pool *pgxpool.Pool }

// Describe is prometheus.Collector's.
func (reach) Describe(descs chan<- *prometheus.Desc) { descs <- reachDesc }

// Collect is prometheus.Collector's.
func (r reach) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	var through *time.Time
	if err := r.pool.QueryRow(ctx, completeThrough).Scan(&through); err != nil || through == nil {
		return
	}
	metrics <- prometheus.MustNewConstMetric(reachDesc, prometheus.GaugeValue, float64(through.UnixMilli())/1000)
}
