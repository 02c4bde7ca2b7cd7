package system

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How often the services are asked, and when people are told what is missing.
const (
	askEvery  = 50 * time.Millisecond
	tellEvery = 10 * time.Second
)

// awaitReady waits until both services answer that they are ready; false if the
// context ended first.
func (s *running) awaitReady(ctx context.Context) bool {
	ask := time.NewTicker(askEvery)
	defer ask.Stop()
	tell := time.NewTicker(tellEvery)
	defer tell.Stop()
	for {
		missing := append(Readiness(ctx, "ingest", s.IntakeAddr), Readiness(ctx, "query", s.QueryAddr)...)
		if len(missing) == 0 {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tell.C:
			s.Say("not ready yet: " + strings.Join(missing, "; "))
		case <-ask.C:
		}
	}
}

// Readiness asks a service whether it is ready, and says in sentences why it is
// not; none if it is.
func Readiness(ctx context.Context, name, addr string) []string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+dialable(addr)+"/readyz", nil)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", name, err)}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return []string{fmt.Sprintf("%s does not answer on %s", name, addr)}
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	var status struct {
		Status string            `json:"status"`
		Checks map[string]string `json:"checks"`
	}
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		return []string{fmt.Sprintf("%s answers %s", name, response.Status)}
	}
	var wrong []string
	for check, said := range status.Checks {
		if said != "ok" {
			wrong = append(wrong, fmt.Sprintf("%s: %s: %s", name, check, said))
		}
	}
	if len(wrong) == 0 {
		wrong = append(wrong, fmt.Sprintf("%s is %s", name, status.Status))
	}
	slices.Sort(wrong)
	return wrong
}
