package devbroker

import (
	"fmt"
	"sync/atomic"

	"go.uber.org/zap"
)

// quiet passes on what the broker warns of, and keeps what it cannot start for.
type quiet struct {
	log   *zap.SugaredLogger
	fatal atomic.Pointer[string]
}

func (*quiet) Noticef(string, ...any) {}
func (*quiet) Debugf(string, ...any)  {}
func (*quiet) Tracef(string, ...any)  {}

func (q *quiet) Warnf(format string, args ...any)  { q.log.Warnf(format, args...) }
func (q *quiet) Errorf(format string, args ...any) { q.log.Errorf(format, args...) }

// Fatalf is the broker's last word; it must not end the process that it is in.
func (q *quiet) Fatalf(format string, args ...any) {
	last := fmt.Sprintf(format, args...)
	q.fatal.Store(&last)
}
