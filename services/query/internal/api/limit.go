package api

import (
	"math"
	"strconv"
	"sync"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/key"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"
)

// Rate is how often one holder may ask: Burst at once, and PerSecond in the long
// run.
type Rate struct {
	PerSecond float64
	Burst     int
}

// forgetful is how many holders have a bucket before those that are full again are
// forgotten: a full bucket is as good as none.
const forgetful = 1024

// limits is how much each holder has left.
type limits struct {
	Rate
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimits(r Rate) *limits { return &limits{Rate: r, buckets: map[string]*rate.Limiter{}} }

// take counts a request, and returns how many more there may be now and, if there
// may be none, when the next one may be.
func (l *limits) take(holder string, now time.Time) (left int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.buckets[holder]
	if bucket == nil {
		if len(l.buckets) >= forgetful {
			l.forget(now)
		}
		bucket = rate.NewLimiter(rate.Limit(l.PerSecond), l.Burst)
		l.buckets[holder] = bucket
	}
	if bucket.AllowN(now, 1) {
		return int(bucket.TokensAt(now)), 0
	}
	return 0, time.Duration((1 - bucket.TokensAt(now)) / l.PerSecond * float64(time.Second))
}

func (l *limits) forget(now time.Time) {
	for holder, bucket := range l.buckets {
		if bucket.TokensAt(now) >= float64(l.Burst) {
			delete(l.buckets, holder)
		}
	}
}

// allow counts a request of a holder, and says in the answer what is left: how many
// at once, and in how many seconds all of them again (draft-ietf-httpapi-ratelimit-headers-06).
func (s *server) allow(c echo.Context, grant key.Grant) error {
	if s.Rate.PerSecond <= 0 {
		return nil
	}
	left, wait := s.limits.take(grant.Holder, s.Now())
	header := c.Response().Header()
	header.Set("Ratelimit-Limit", strconv.Itoa(s.Rate.Burst))
	header.Set("Ratelimit-Remaining", strconv.Itoa(left))
	header.Set("Ratelimit-Reset", strconv.Itoa(int(math.Ceil(float64(s.Rate.Burst-left)/s.Rate.PerSecond))))
	if wait == 0 {
		return nil
	}
	s.meter.limited.Inc()
	header.Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	return fault.Invalid.With("too_many_requests", "", "this key asks too often: %d at once and %g a second in the long run", s.Rate.Burst, s.Rate.PerSecond)
}
