package api

import (
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// meter is what is counted of requests.
type meter struct {
	took       *prometheus.HistogramVec
	turnedAway prometheus.Counter
}

func newMeter(registry prometheus.Registerer) meter {
	m := meter{
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_request_duration_seconds",
			Help:    "How long requests took, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method", "status"}),
		turnedAway: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "http_requests_turned_away_total",
			Help: "Requests answered 503 because too many asked the database at once.",
		}),
	}
	registry.MustRegister(m.took, m.turnedAway)
	return m
}

// observe logs and measures each request. Probes are asked all day long: theirs
// are for debugging. The query is not logged: it may name a person.
func (s *server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		took, route, status := time.Since(start), c.Path(), c.Response().Status
		s.meter.took.WithLabelValues(route, known(c.Request().Method), strconv.Itoa(status)).Observe(took.Seconds())
		log := s.Log.Info
		if isProbe(route) {
			log = s.Log.Debug
		}
		log("request",
			zap.String("method", c.Request().Method), zap.String("path", c.Request().URL.Path), zap.Int("status", status),
			zap.Int64("bytes", c.Response().Size), zap.Duration("took", took), zap.String("remote", c.RealIP()), zap.String("holder", grantOf(c).Holder))
		return nil
	}
}

func isProbe(route string) bool {
	return ops[route] || route == "/health_check" || route == "/readiness_check"
}

// known keeps invented methods from becoming time series.
func known(method string) string {
	switch method {
	case "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE":
		return method
	default:
		return "other"
	}
}
