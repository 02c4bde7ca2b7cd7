// Package intake is the door over HTTP: events come in, and what could not be
// accepted is read. It publishes to the stream like anybody else, and never counts.
package intake

import (
	"context"
	"net/http"
	"time"

	"coworking/pkg/boot"
	"coworking/pkg/key"
	"coworking/pkg/stream"
	"coworking/services/ingest/internal/intake/hooks"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Publisher stores messages in the stream; its errors are those of
// stream.Publisher.
type Publisher interface {
	PublishBatch(ctx context.Context, messages []stream.Message, progress func(stored int)) stream.Results
}

// Authority knows what a key opens: a fault is Invalid with the code
// unauthenticated, or Unavailable where nobody can tell.
type Authority interface {
	Grant(ctx context.Context, credentials string) (key.Grant, error)
}

// Config is where events go, and who may bring them.
type Config struct {
	Publisher Publisher
	Letters   Letters // nil: the database was never there yet
	Authority Authority
	Open      bool // nobody has to show a key: only while bound to loopback
	Now       func() time.Time
	Log       *zap.Logger
	Metrics   prometheus.Registerer
	Trace     *boot.Tracer // nil: nothing is traced
	Hooks     []hooks.Hook // what other systems post, in their own words

	AtOnce   int           // requests that are worked on at a time; large ones are half of them at most
	Patience time.Duration // how long one more waits before it is turned away
}

// server is the handlers.
type server struct {
	Config
	seats chan struct{} // of bodies that are unpacked, judged and published
	rooms chan struct{} // of large bodies, while they come in too
	meter meter
}

// New is the handler of every address below /v1.
func New(c Config) http.Handler {
	s := &server{Config: c, seats: make(chan struct{}, max(c.AtOnce, 1)), rooms: make(chan struct{}, max(c.AtOnce/2, 1)), meter: newMeter(c.Metrics)}
	s.showSeats("events")
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.problem
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisablePrintStack:   true,
		DisableErrorHandler: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			s.Log.Error("panic", zap.String("path", c.Path()), zap.Error(err), zap.ByteString("stack", stack))
			return err
		},
	}), s.observe)
	e.POST("/v1/events", s.events, s.admit(key.WriteEvents), s.received, s.seated)
	s.hooks(e)
	e.GET("/v1/dead-letters", s.listLetters, s.admit(key.Admin))
	e.GET("/v1/dead-letters/:id", s.showLetter, s.admit(key.Admin))
	return e
}
