package intake

import (
	"io"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// meter is what is counted at the door.
type meter struct {
	events     *prometheus.CounterVec
	took       *prometheus.HistogramVec
	bytes      prometheus.Counter
	turnedAway prometheus.Counter
}

func newMeter(registry prometheus.Registerer) meter {
	m := meter{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "intake_events_total",
			Help: "Events that came in over HTTP, by what became of them: stored, or the code of the refusal.",
		}, []string{"result"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "intake_request_duration_seconds",
			Help:    "How long requests took, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "status"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "intake_received_bytes_total",
			Help: "Bytes of the bodies that were read, as they were sent.",
		}),
		turnedAway: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "intake_turned_away_total",
			Help: "Requests answered 503 because there were too many at once.",
		}),
	}
	registry.MustRegister(m.events, m.took, m.bytes, m.turnedAway)
	m.events.WithLabelValues("stored") // a rate begins at 0
	return m
}

// showSeats says how many seats there are, and how many are taken.
func (s *server) showSeats(door string) {
	for name, seats := range map[string]chan struct{}{door: s.seats, door + ", large": s.rooms} {
		labels := prometheus.Labels{"door": name}
		s.Metrics.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "intake_seats_in_use", ConstLabels: labels,
				Help: "Requests that are worked on, by door: events or hooks; and those with a large body, from when it comes in.",
			}, func() float64 { return float64(len(seats)) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "intake_seats", ConstLabels: labels,
				Help: "How many requests may be worked on at a time, by door.",
			}, func() float64 { return float64(cap(seats)) }),
		)
	}
}

// observe measures and traces each request.
func (s *server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		request, end := s.Trace.Request(c.Request(), c.Path())
		request.Body = weighed{request.Body, s.meter.bytes}
		c.SetRequest(request)
		if err := next(c); err != nil {
			c.Error(err)
		}
		status := c.Response().Status
		end(status)
		s.meter.took.WithLabelValues(c.Path(), strconv.Itoa(status)).Observe(time.Since(start).Seconds())
		return nil
	}
}

// weighed is a body whose bytes are counted.
type weighed struct {
	io.ReadCloser

	bytes prometheus.Counter
}

// Read is io.Reader's.
func (w weighed) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.bytes.Add(float64(n))
	return n, err
}
