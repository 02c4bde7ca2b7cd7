// Package api is how reports are asked for over HTTP: routes, encodings, problems
// and the two addresses of the system that this one replaces. It asks reports,
// never the database.
package api

import (
	"context"
	"net/http"
	"time"

	"coworking/services/query/internal/report"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Reports answers questions, and says which version an answer would have.
type Reports interface {
	Answer(ctx context.Context, q report.Question) (report.Answer, error)
	Version(ctx context.Context, q report.Question) (string, error)
}

// Legacy answers the reports of the old system: compact JSON, without the newline
// that ends a body.
type Legacy interface {
	DailyUsage(ctx context.Context) ([]byte, error)
	UserVisits(ctx context.Context) ([]byte, error)
	Readable(ctx context.Context) error
}

// Config is what the server answers from, and to whom.
type Config struct {
	Reports Reports
	Legacy  Legacy
	Log     *zap.Logger
	Metrics prometheus.Registerer
	Ops     http.Handler // /livez, /readyz and /metrics
	Now     func() time.Time

	Open       bool // nobody has to say who they are: only while bound to loopback
	LegacyOpen bool // the old system's report on persons, too

	AtOnce   int           // questions to the database at a time
	Patience time.Duration // how long one more waits before it is turned away
	Timeout  time.Duration // how long a question may take
}

// ops is the addresses for those who run the service.
var ops = map[string]bool{"/livez": true, "/readyz": true, "/metrics": true}

// worthCompressing is how many bytes an answer has at least that is compressed for
// who takes gzip.
const worthCompressing = 1400

// server is the handlers.
type server struct {
	Config
	seats chan struct{} // one for each question to the database
	meter meter
}

// New is the handler of every address.
func New(c Config) http.Handler {
	s := &server{Config: c, seats: make(chan struct{}, max(c.AtOnce, 1)), meter: newMeter(c.Metrics)}
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
	}), headers)

	e.GET("/", s.landing)
	for path := range ops {
		e.GET(path, echo.WrapHandler(c.Ops))
	}
	s.legacyRoutes(e)

	v1 := e.Group("/api/v1", s.authenticate, middleware.GzipWithConfig(middleware.GzipConfig{MinLength: worthCompressing}))
	v1.GET("/reports", s.list)
	v1.GET("/reports/:report", s.report, s.seated)
	v1.HEAD("/reports/:report", s.report, s.seated)
	return e
}

// headers are those of every answer.
func headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderXContentTypeOptions, "nosniff")
		return next(c)
	}
}
