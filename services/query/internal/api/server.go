// Package api is how reports are asked for over HTTP: routes, encodings, problems
// and the two addresses of the system that this one replaces. It asks reports,
// never the database.
package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"coworking/pkg/boot"
	"coworking/pkg/key"
	"coworking/services/query/internal/remember"
	"coworking/services/query/internal/report"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"
)

// Reports answers questions, and says which version an answer would have.
type Reports interface {
	Answer(ctx context.Context, q report.Question) (report.Answer, error)
	Look(ctx context.Context, q report.Question, likely report.Likely) (report.Look, error)
	Stands(ctx context.Context, b report.Basis, asOf time.Time) (bool, report.Likely, error)
}

// Legacy answers the reports of the old system, to the byte. A body is not to be
// changed.
type Legacy interface {
	DailyUsage(ctx context.Context) ([]byte, error)
	UserVisits(ctx context.Context) ([]byte, error)
	Readable(ctx context.Context) error
}

// Authority knows what a bearer's credentials open: a fault is Invalid with the code
// unauthenticated, or Unavailable where nobody can tell.
type Authority interface {
	Grant(ctx context.Context, credentials string) (key.Grant, error)
}

// Audit keeps who read what about persons.
type Audit interface {
	PersonalRead(ctx context.Context, reader, report, query string, rows int) error
}

// Config is what the server answers from, and to whom.
type Config struct {
	Reports Reports
	Legacy  Legacy
	Log     *zap.Logger
	Metrics prometheus.Registerer
	Trace   *boot.Tracer // nil: nothing is traced
	Ops     http.Handler // /livez, /readyz and /metrics
	Now     func() time.Time

	Remembered *remember.Budget // shared with the reports; nil: one of its own

	Authority  Authority
	Audit      Audit
	Rate       Rate // of one holder; zero: no limit
	Open       bool // nobody has to say who they are: only while bound to loopback
	LegacyOpen bool // the old system's report on persons, too

	AtOnce   int           // questions to the database at a time
	Patience time.Duration // how long one more waits before it is turned away
	Timeout  time.Duration // how long a question may take
}

// ops is the addresses for those who run the service.
var ops = map[string]bool{"/livez": true, "/readyz": true, "/metrics": true}

// server is the handlers.
type server struct {
	Config
	seats    chan struct{} // one for each question to the database
	limits   *limits
	memory   memory
	meter    meter
	often    *zap.Logger // what is said too often is left out of it
	squeezed echo.MiddlewareFunc

	counting singleflight.Group // by the tag of the answer
}

// New is the handler of every address.
func New(c Config) http.Handler {
	s := &server{Config: c, seats: make(chan struct{}, max(c.AtOnce, 1)), limits: newLimits(c.Rate), memory: newMemory(cmp.Or(c.Remembered, remember.New(remember.Most))), meter: newMeter(c.Metrics), often: sampled(c.Log), squeezed: squeezed()}
	s.showRoom()
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.problem
	e.Use(s.observe, middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisablePrintStack:   true,
		DisableErrorHandler: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			s.Log.Error("panic", zap.String("path", c.Path()), zap.Error(err), zap.ByteString("stack", stack))
			return err
		},
	}), headers, s.admit)

	e.GET("/", s.landing, walled)
	for path := range ops {
		e.GET(path, echo.WrapHandler(c.Ops))
	}
	s.legacyRoutes(e)

	s.documentRoutes(e, s.squeezed)
	e.GET("/api/v1/reports", s.list, s.squeezed)
	e.GET("/api/v1/reports/:report", s.report, s.seated)
	e.HEAD("/api/v1/reports/:report", s.report, s.seated)
	for _, route := range e.Routes() {
		if _, known := admission[route.Path]; !known {
			panic("api: nobody said who may ask " + route.Path)
		}
	}
	return e
}

// headers are those of every answer.
func headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderXContentTypeOptions, "nosniff")
		return next(c)
	}
}
