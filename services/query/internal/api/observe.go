package api

import (
	"net/http"
	"strconv"
	"time"

	"coworking/pkg/boot"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// meter is what is counted of requests.
type meter struct {
	took       *prometheus.HistogramVec
	reports    *prometheus.HistogramVec
	turnedAway prometheus.Counter
	limited    prometheus.Counter
}

func newMeter(registry prometheus.Registerer) meter {
	m := meter{
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_request_duration_seconds",
			Help:    "How long requests took, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method", "status"}),
		reports: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "report_duration_seconds",
			Help:    "How long reports took, by report and by how they were answered: counted, remembered, unchanged (304), refused (the question was wrong) or failed.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30},
		}, []string{"report", "answer"}),
		turnedAway: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "http_requests_turned_away_total",
			Help: "Requests answered 503 because too many asked the database at once.",
		}),
		limited: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "http_requests_limited_total",
			Help: "Requests answered 429 because their key asks too often.",
		}),
	}
	registry.MustRegister(m.took, m.reports, m.turnedAway, m.limited)
	return m
}

// showRoom says how many questions the database is asked, and how much is remembered.
func (s *server) showRoom() {
	gauge := func(name, help string, of func() float64) {
		s.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, of))
	}
	gauge("http_seats_in_use", "Questions that the database is asked now.", func() float64 { return float64(len(s.seats)) })
	gauge("http_seats", "How many questions the database may be asked at once.", func() float64 { return float64(cap(s.seats)) })
	gauge("report_remembered_bytes", "Bytes of all that is remembered: what was read, what was made of it, and answers.", func() float64 { return float64(s.memory.budget.Held()) })
}

// asked is which report a request is for, and how it was answered; "": not at all.
type asked struct{ report, answer string }

const askedKey = "asked"

// note keeps it for whoever measures the request. It is only told of reports that
// there are: what else somebody asks for is no time series.
func note(c echo.Context, a asked) { c.Set(askedKey, a) }

// Of requests that went well, a hundred are logged each second, and then one in a
// hundred: metrics count them all, and nobody reads ten thousand lines a second.
const (
	loggedASecond = 100
	loggedOneIn   = 100
)

// sampled is a log that leaves out most of what is said too often.
func sampled(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Second, loggedASecond, loggedOneIn)
	}))
}

// observe logs, measures and traces each request. Probes are asked all day long: theirs
// are for debugging. The query is not logged: it may name a person.
func (s *server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		request, end := s.trace(c)
		c.SetRequest(request)
		if err := next(c); err != nil {
			c.Error(err)
		}
		took, route, status := time.Since(start), c.Path(), c.Response().Status
		end(status)
		s.meter.took.WithLabelValues(route, known(c.Request().Method), strconv.Itoa(status)).Observe(took.Seconds())
		if a, ok := c.Get(askedKey).(asked); ok {
			s.meter.reports.WithLabelValues(a.report, answered(a.answer, status)).Observe(took.Seconds())
		}
		log, level := s.Log, zap.InfoLevel
		if status < http.StatusBadRequest {
			log = s.often
		}
		if isProbe(route) {
			level = zap.DebugLevel
		}
		if entry := log.Check(level, "request"); entry != nil {
			entry.Write(zap.String("method", c.Request().Method), zap.String("path", c.Request().URL.Path), zap.Int("status", status),
				zap.Int64("bytes", c.Response().Size), zap.Duration("took", took), zap.String("remote", c.RealIP()), zap.String("holder", grantOf(c).Holder),
				boot.TraceID(c.Request().Context()))
		}
		return nil
	}
}

// trace begins the request's span; probes have none.
func (s *server) trace(c echo.Context) (*http.Request, func(status int)) {
	if isProbe(c.Path()) {
		return c.Request(), func(int) {}
	}
	return s.Trace.Request(c.Request(), c.Path())
}

// answered is how a report was answered, as its metric has it.
func answered(answer string, status int) string {
	switch {
	case status >= http.StatusInternalServerError:
		return "failed"
	case status >= http.StatusBadRequest:
		return "refused"
	default:
		return answer
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
