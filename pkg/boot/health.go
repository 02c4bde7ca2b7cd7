package boot

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"sync"
	"time"
)

// checkTimeout bounds one check; a probe that waits longer has its answer.
const checkTimeout = 2 * time.Second

// Check is nil if all is well. It must be quick, and may be asked at any time by
// several callers at once.
type Check func(context.Context) error

// Health is what a process says of itself: whether it lives (else it should be
// started anew), and whether it is ready (else it should not be asked).
type Health struct {
	mu       sync.Mutex
	live     map[string]Check
	ready    map[string]Check
	notes    map[string]string
	stopping bool
}

// NewHealth is a process that lives and is ready, until checks say otherwise.
func NewHealth() *Health {
	return &Health{live: map[string]Check{}, ready: map[string]Check{}, notes: map[string]string{}}
}

// Live adds a check that /livez asks. Few should be here: what a new start would
// not mend, such as a broker that is away, belongs to Ready.
func (h *Health) Live(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live[name] = check
}

// Ready adds a check that /readyz asks.
func (h *Health) Ready(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready[name] = check
}

// Note says something in /readyz that an operator should know, but that does not
// keep the process from working: a promise that is weaker than it might be. An
// empty text takes the note back.
func (h *Health) Note(name, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if text == "" {
		delete(h.notes, name)
		return
	}
	h.notes[name] = text
}

// Stopping makes the process not ready for good.
func (h *Health) Stopping() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
}

// status is the body of /livez and /readyz.
type status struct {
	Status string            `json:"status"` // ok, failing or stopping
	Checks map[string]string `json:"checks"` // by name: ok, or what is wrong
	Notes  map[string]string `json:"notes,omitempty"`
}

// ServeLive answers GET /livez: 200, or 503 if a check fails.
func (h *Health) ServeLive(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	checks := maps.Clone(h.live)
	h.mu.Unlock()
	answer(w, ask(r.Context(), checks))
}

// ServeReady answers GET /readyz: 200, or 503 if a check fails or the process stops.
func (h *Health) ServeReady(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	checks := maps.Clone(h.ready)
	h.mu.Unlock()
	s := ask(r.Context(), checks)
	h.mu.Lock() // afterwards: a check may note what it has found
	s.Notes = maps.Clone(h.notes)
	if h.stopping {
		s.Status = "stopping"
	}
	h.mu.Unlock()
	answer(w, s)
}

// ask runs all checks side by side: together they take no longer than the slowest.
func ask(ctx context.Context, checks map[string]Check) status {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	s := status{Status: "ok", Checks: map[string]string{}}
	var mu sync.Mutex
	var asked sync.WaitGroup
	for name, check := range checks {
		asked.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			s.Checks[name] = "ok"
			if err != nil {
				s.Checks[name] = err.Error()
				s.Status = "failing"
			}
		})
	}
	asked.Wait()
	return s
}

func answer(w http.ResponseWriter, s status) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if s.Status != "ok" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(s) // the caller went away
}
