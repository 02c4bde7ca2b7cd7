package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"coworking/pkg/fault"
)

const readEvery = 100 * time.Millisecond

// reader reads reports over one connection, or over a new one each time. It is its own
// client, since Go's asks again by itself where a kept connection was closed in its
// face. Others' clients do not, and would have failed.
type reader struct {
	*load
	*account

	kept   bool
	conn   net.Conn
	buffer *bufio.Reader
}

func (l *load) reader(a *account, kept bool) *reader {
	return &reader{load: l, account: a, kept: kept}
}

// run asks for one report after another until the context ends, and notes each that
// did not come.
func (r *reader) run(loading context.Context) {
	defer r.hangUp()
	day, before := r.day.Format(time.DateOnly), r.day.AddDate(0, 0, -30).Format(time.DateOnly)
	paths := []string{
		r.dailyUsage(),
		fmt.Sprintf("/api/v1/reports/daily_usage?space=%s&from=%s&to=%s", r.space, before, day),
		fmt.Sprintf("/api/v1/reports/hourly_usage?space=%s&from=%s&to=%s", r.space, before, day),
		fmt.Sprintf("/api/v1/reports/occupancy_now?space=%s", r.space),
	}
	// What was asked is answered, also when the load ends.
	asking := context.WithoutCancel(loading)
	for i := 0; pause(loading, readEvery) == nil; i++ {
		_, err := r.get(asking, paths[i%len(paths)])
		r.account.mu.Lock()
		r.account.reports++
		if err != nil {
			r.failed = append(r.failed, time.Now().UTC().Format(time.TimeOnly)+" "+err.Error())
		}
		r.account.mu.Unlock()
	}
}

// get asks for one report.
func (r *reader) get(ctx context.Context, path string) ([]byte, error) {
	over := "a new connection"
	if r.conn != nil {
		over = "a kept connection"
	}
	body, err := r.ask(ctx, path)
	if err != nil {
		r.hangUp()
		return nil, fault.Unavailable.Errorf("over %s: %w", over, err)
	}
	return body, nil
}

func (r *reader) ask(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.load.reports+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+r.reportsKey)
	request.Close = !r.kept
	if r.conn == nil {
		if r.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", r.load.reports); err != nil {
			return nil, err
		}
		r.buffer = bufio.NewReader(r.conn)
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := r.conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if err := request.Write(r.conn); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(r.buffer, request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK || !json.Valid(body):
		return nil, fault.Internal.Errorf("%s: %d %s", path, response.StatusCode, tail(string(body), 300))
	}
	if response.Close || request.Close {
		r.hangUp()
	}
	return body, nil
}

// hangUp ends the connection, if there is one; the next question makes another.
func (r *reader) hangUp() {
	if r.conn != nil {
		r.conn.Close()
		r.conn = nil
	}
}
