package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
)

const (
	publishEvery  = 50 * time.Millisecond
	batchSize     = 5
	retryAfter    = 200 * time.Millisecond
	answerTimeout = 10 * time.Second
)

// publisher sends events until they are acknowledged, always as the same events; some
// of them again, as one does who did not hear the answer.
type publisher struct {
	*load
	*account

	client *http.Client
	sent   int // batches
}

// publisher is one that keeps its connection, or makes one for each request.
func (l *load) publisher(a *account, kept bool) *publisher {
	return &publisher{load: l, account: a, client: &http.Client{
		Timeout: answerTimeout, Transport: &http.Transport{DisableKeepAlives: !kept},
	}}
}

// run publishes until the second context ends; what is under way then is finished.
func (p *publisher) run(ctx, loading context.Context) {
	defer p.client.CloseIdleConnections()
	for pause(loading, publishEvery) == nil {
		if err := p.publish(ctx, p.batch(batchSize)); err != nil {
			p.account.mu.Lock()
			p.unexpected = append(p.unexpected, err.Error())
			p.account.mu.Unlock()
			return
		}
	}
}

// batch is the next events, ready to be sent.
func (l *load) batch(count int) [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := make([][]byte, count)
	for i := range batch {
		l.next++
		e := event.Event{
			Source: "cluster-test", ID: strconv.Itoa(l.next), Kind: event.CheckIn, Space: l.space,
			Member: "member-" + strconv.Itoa(l.next%500), Time: l.day.Add(9*time.Hour + time.Duration(l.next)*time.Millisecond),
		}
		batch[i] = e.Encode(nil)
	}
	return batch
}

// publish sends a batch until it is acknowledged, and every tenth once more.
func (p *publisher) publish(ctx context.Context, batch [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body := append(append([]byte{'['}, bytes.Join(batch, []byte{','})...), ']')
	for !p.post(ctx, body) {
		if err := pause(ctx, retryAfter); err != nil {
			return fault.Unavailable.Errorf("%d events are not acknowledged: %w", len(batch), err)
		}
	}
	p.sent++
	p.account.mu.Lock()
	p.events += len(batch)
	p.account.mu.Unlock()
	if p.sent%10 == 0 && p.post(ctx, body) {
		p.account.mu.Lock()
		p.again += len(batch)
		p.account.mu.Unlock()
	}
	return nil
}

// post is one request; true if its events are acknowledged. A 503 and a connection
// that breaks are a publisher's daily bread, and nothing else is.
func (p *publisher) post(ctx context.Context, body []byte) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.door+"/v1/events", bytes.NewReader(body))
	if err != nil {
		p.note("no request", err.Error())
		return false
	}
	request.Header.Set("Content-Type", "application/cloudevents-batch+json")
	request.Header.Set("Authorization", "Bearer "+p.doorKey)
	response, err := p.client.Do(request)
	if err != nil {
		p.note("connection", "")
		return false
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		p.note("connection", "")
		return false
	case response.StatusCode == http.StatusAccepted:
		p.note("202", "")
		return true
	case response.StatusCode == http.StatusServiceUnavailable:
		p.note("503", "")
		return false
	default:
		p.note(strconv.Itoa(response.StatusCode), fmt.Sprintf("%d: %s", response.StatusCode, said))
		return false
	}
}

// note counts what came of a request; unexpected is empty if that may happen.
func (p *publisher) note(outcome, unexpected string) {
	p.account.mu.Lock()
	defer p.account.mu.Unlock()
	p.requests[outcome]++
	if unexpected != "" {
		p.unexpected = append(p.unexpected, unexpected)
	}
}
