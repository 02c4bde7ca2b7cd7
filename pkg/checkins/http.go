package checkins

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coworking/pkg/fault"
)

// requestTimeout is for a request and its answer. The door waits for the stream, but
// not as long as that.
const requestTimeout = 30 * time.Second

// mostAnswer is what is read of an answer: 1,000 events with a sentence each.
const mostAnswer = 4 << 20

// HTTP delivers to the door, POST /v1/events at an address like
// https://events.example.org, with a key (cw_…), "" where nobody needs one. A nil
// client is one that waits 30 seconds for an answer; redirects are never followed.
//
// The error is fault.Invalid. Neither it nor any other says the key.
func HTTP(address, key string, client *http.Client) (Transport, error) {
	at, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fault.Invalid.Errorf("the door's address cannot be read")
	case at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || at.User != nil || at.RawQuery != "" || at.Fragment != "":
		return nil, fault.Invalid.Errorf("the door's address is not like https://events.example.org")
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return nil, fault.Invalid.Errorf("the key has a character that no key has, a line feed perhaps")
	}
	if client == nil {
		client = &http.Client{Timeout: requestTimeout, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: 90 * time.Second,
		}}
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &door{url: at.JoinPath("v1", "events").String(), key: key, client: &own}, nil
}

type door struct {
	url    string
	key    string
	client *http.Client
}

// Close ends connections that nobody uses.
func (d *door) Close() error {
	d.client.CloseIdleConnections()
	return nil
}

// Send is the Transport's.
func (d *door) Send(ctx context.Context, events [][]byte) ([]error, time.Duration) {
	a, err := d.post(ctx, events)
	if err != nil {
		return all(len(events), err), 0
	}
	if a.blamesOne() && len(events) > 1 {
		return d.halves(ctx, events)
	}
	return a.results(len(events)), a.wait
}

// halves sends a batch in two parts: somewhere in it is what the door, or somebody
// before it, does not take. The second part goes only where the first is settled, for
// the sake of the order.
func (d *door) halves(ctx context.Context, events [][]byte) ([]error, time.Duration) {
	middle := len(events) / 2
	results, wait := d.Send(ctx, events[:middle])
	for _, err := range results {
		if err != nil && fault.Of(err) != fault.Invalid {
			return append(results, all(len(events)-middle, err)...), wait
		}
	}
	rest, wait := d.Send(ctx, events[middle:])
	return append(results, rest...), wait
}

func all(count int, err error) []error {
	results := make([]error, count)
	for i := range results {
		results[i] = err
	}
	return results
}

// answer is what the door said.
type answer struct {
	status int
	wait   time.Duration

	Code    string `json:"code"`
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
	Events  []struct {
		Index   int    `json:"index"`
		Status  string `json:"status"`
		Code    string `json:"code"`
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"events"`
}

func (d *door) post(ctx context.Context, events [][]byte) (*answer, error) {
	body := append([]byte{'['}, bytes.Join(events, []byte{','})...)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(append(body, ']')))
	if err != nil {
		return nil, fault.Internal.Errorf("asking the door: %w", err)
	}
	request.Header.Set("Content-Type", "application/cloudevents-batch+json")
	if d.key != "" {
		request.Header.Set("Authorization", "Bearer "+d.key)
	}
	response, err := d.client.Do(request)
	if err != nil {
		return nil, fault.Unavailable.With("publish_unavailable", "", "asking the door: %w", err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return nil, fault.Unavailable.With("publish_unavailable", "", "hearing the door's answer: %w", err)
	}
	a := &answer{}
	if err := json.Unmarshal(raw, a); err != nil {
		a = &answer{} // somebody else's words
	}
	a.status, a.wait = response.StatusCode, retryAfter(response.Header.Get("Retry-After"), time.Now())
	return a, nil
}

// retryAfter reads the header: seconds, or a time (RFC 9110, 10.2.3).
func retryAfter(said string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(said, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(said); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// blamesOne says whether the whole was turned away for what may be one event's fault,
// without a word on each.
func (a *answer) blamesOne() bool {
	switch a.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return len(a.Events) == 0
	}
	return false
}

// results is what became of each event. Only the door's own words can say that one is
// stored or refused: whatever else answers at its address, a proxy, a login page, says
// nothing of events, and they are kept. So they are where the key is refused.
func (a *answer) results(count int) []error {
	switch {
	case a.speaksOf(count):
		return a.each(count)
	case count == 1 && a.blamesOne() && a.Code != "":
		return []error{fault.Invalid.With(a.Code, a.Pointer, "%s", a.Detail)}
	case a.Code != "" && a.status >= http.StatusBadRequest:
		return all(count, fault.Unavailable.With(a.Code, "", "the door answered %d: %s", a.status, a.Detail))
	default:
		return all(count, fault.Unavailable.With("unexpected_answer", "", "status %d, and not in the door's words: is this its address?", a.status))
	}
}

// speaksOf says whether each event is spoken of, in its order.
func (a *answer) speaksOf(count int) bool {
	if len(a.Events) != count {
		return false
	}
	for i, e := range a.Events {
		if e.Index != i || e.Status != "stored" && (e.Status != "refused" || e.Code == "") {
			return false
		}
	}
	return true
}

// each is what is said of each event. With a 5xx the stream did not take some of them,
// and of those that are not stored, nobody says for certain which: all are sent again,
// and a later answer will tell.
func (a *answer) each(count int) []error {
	results := make([]error, count)
	for i, e := range a.Events {
		switch {
		case e.Status == "stored":
		case a.status >= http.StatusInternalServerError:
			results[i] = fault.Unavailable.With(e.Code, e.Pointer, "the door answered %d: %s", a.status, e.Detail)
		default:
			results[i] = fault.Invalid.With(e.Code, e.Pointer, "%s", e.Detail)
		}
	}
	return results
}
