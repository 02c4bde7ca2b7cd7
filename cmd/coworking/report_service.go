package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coworking/cmd/coworking/internal/table"
	"coworking/pkg/fault"
)

// accessKey is a key, and prints as none.
type accessKey string

// String is no key.
func (accessKey) String() string { return "…" }

// queryService is a service that answers reports, and the key to ask it with.
type queryService struct {
	base   *url.URL
	key    accessKey
	help   string // what to do where nobody answers
	client *http.Client
}

// How long the service may take.
const (
	dialPatience   = 5 * time.Second // to be found at all
	answerPatience = 2 * time.Minute // to begin an answer
)

// Many pages may be more than a service wants to answer at once. Then --all waits.
const (
	longestPause = 30 * time.Second
	mostAgain    = 10 // times in a row
)

func newQueryService(base *url.URL, key accessKey, help string) *queryService {
	return &queryService{base: base, key: key, help: help, client: &http.Client{
		Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: dialPatience}).DialContext, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: dialPatience, ResponseHeaderTimeout: answerPatience,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a key is for whom it was given
	}}
}

// unansweredError is a service that does not answer, or not now.
type unansweredError struct{ error }

// ExitCode is boot.ExitCode's.
func (unansweredError) ExitCode() int { return 2 }

func (u unansweredError) Unwrap() error { return u.error }

// mediaTypes is what each format comes as.
var mediaTypes = map[string]string{"json": "application/json", "csv": "text/csv", "ndjson": "application/x-ndjson"}

// read is an answer in JSON: of a report, or the list of them if name is "".
func (s *queryService) read(ctx context.Context, c *reportCmd, name string, query url.Values) ([]byte, error) {
	response, err := s.ask(ctx, c, name, query, "json")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, s.brokenOff(ctx, err)
	}
	return body, nil
}

// copy writes an answer as it comes, without the line of names unless it is wanted,
// and counts its rows.
func (s *queryService) copy(ctx context.Context, c *reportCmd, query url.Values, format string, names bool, out io.Writer) (int, error) {
	response, err := s.ask(ctx, c, c.Name, query, format)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body := bufio.NewReaderSize(response.Body, 64<<10)
	counted := rowCounter{quotes: format == "csv"}
	if format == "csv" {
		line, err := body.ReadBytes('\n') // no column's name has a line break
		if err != nil {
			return 0, s.brokenOff(ctx, err)
		}
		if names {
			if err := written(out, line); err != nil {
				return 0, err
			}
		}
	}
	for {
		chunk, err := body.Peek(1)
		if err == nil {
			chunk, err = body.Peek(body.Buffered())
		}
		if len(chunk) > 0 {
			counted.count(chunk)
			if err := written(out, chunk); err != nil {
				return 0, err
			}
			_, _ = body.Discard(len(chunk)) // it is in the buffer
		}
		switch {
		case errors.Is(err, io.EOF):
			return counted.rows, nil
		case err != nil:
			return 0, s.brokenOff(ctx, err)
		}
	}
}

// rowCounter counts lines but those within quotes.
type rowCounter struct {
	quotes bool // there may be any
	within bool
	rows   int
}

func (r *rowCounter) count(chunk []byte) {
	for _, b := range chunk {
		switch {
		case b == '"' && r.quotes:
			r.within = !r.within
		case b == '\n' && !r.within:
			r.rows++
		}
	}
}

// ask is an answer that is one; its body is still to be read. With --all, it waits
// where the service asks for that.
func (s *queryService) ask(ctx context.Context, c *reportCmd, name string, query url.Values, format string) (*http.Response, error) {
	address := s.base.JoinPath("api", "v1", "reports", url.PathEscape(name))
	if name == "" {
		address = s.base.JoinPath("api", "v1", "reports")
	} else {
		query := maps.Clone(query)
		query.Set("format", format)
		address.RawQuery = query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, fault.Internal.Errorf("asking for a report: %w", err)
	}
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+string(s.key))
	}
	for again := 0; ; again++ {
		response, err := s.client.Do(request)
		if err != nil {
			return nil, s.silence(ctx, err)
		}
		mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // "" is none of ours
		if response.StatusCode == http.StatusOK && mediaType == mediaTypes[format] {
			return response, nil
		}
		pause, later := pauseOf(response)
		if !c.All || !later || again == mostAgain {
			defer response.Body.Close()
			return nil, s.problem(c, response, mediaType)
		}
		response.Body.Close()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, s.silence(ctx, ctx.Err())
		}
	}
}

// pauseOf is how long the service wants to be left alone before it is asked again;
// false if it does not say so, or if that is longer than somebody waits.
func pauseOf(response *http.Response) (time.Duration, bool) {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	pause := time.Duration(seconds) * time.Second
	return pause, err == nil && seconds >= 0 && pause <= longestPause
}

// silence is the words for no answer.
func (s *queryService) silence(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.Unavailable.Errorf("asking for a report: %w", ctx.Err())
	}
	if asked, ok := errors.AsType[*url.Error](err); ok {
		err = asked.Err // without the address, which stands before it
	}
	return unansweredError{fault.Unavailable.Errorf("nothing answers at %s: %w; %s", s.base, err, s.help)}
}

func (s *queryService) brokenOff(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.Unavailable.Errorf("asking for a report: %w", ctx.Err())
	}
	return unansweredError{fault.Unavailable.Errorf("the answer of %s broke off: %w", s.base, err)}
}

// problem is one sentence for an answer that is none, in the words of the flags.
func (s *queryService) problem(c *reportCmd, response *http.Response, mediaType string) error {
	var p struct {
		Code      string `json:"code"`
		Title     string `json:"title"`
		Detail    string `json:"detail"`
		Parameter string `json:"parameter"`
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if mediaType != "application/problem+json" || err != nil || json.Unmarshal(body, &p) != nil {
		p.Code, p.Detail = "", ""
	}
	detail := s.harmless(cmp.Or(p.Detail, p.Title, response.Status))
	parameter := s.harmless(p.Parameter)
	flag := c.flagOf(parameter)
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized && s.key == "":
		return fault.Invalid.Errorf("%s answers only who has a key: give yours by COWORKING_KEY, or by --key", s.base)
	case status == http.StatusUnauthorized:
		return fault.Invalid.Errorf("%s does not take this key (%s): give another by COWORKING_KEY, or by --key", s.base, detail)
	case status == http.StatusForbidden:
		return fault.Invalid.Errorf("%s: give a key that may by COWORKING_KEY, or by --key", detail)
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return unansweredError{fault.Unavailable.Errorf("%s has no answer now: %s", s.base, detail)}
	case p.Code == "":
		said := response.Status
		if to := response.Header.Get("Location"); to != "" {
			said += ", go to " + to
		} else if status == http.StatusOK {
			said = cmp.Or(mediaType, "something without a type")
		}
		return fault.Invalid.Errorf("%s is no query service: it answers %s; give another address by --url", s.base, s.harmless(said))
	case p.Code == "report_not_found":
		return fault.NotFound.Errorf("%s; 'coworking report' lists them", detail)
	case p.Code == "unknown_parameter":
		return fault.Invalid.Errorf("%s takes no %s", c.Name, flag)
	case parameter == "":
		return fault.Invalid.Errorf("%s", detail)
	}
	if rest, begins := strings.CutPrefix(detail, parameter); begins && strings.IndexAny(rest, " :") == 0 {
		return fault.Invalid.Errorf("%s%s", flag, rest)
	}
	return fault.Invalid.Errorf("%s: %s", flag, detail)
}

// harmless is text of the service that may be shown: it cannot steer a terminal, and
// does not repeat the key.
func (s *queryService) harmless(said string) string {
	if s.key != "" {
		said = strings.ReplaceAll(said, string(s.key), s.key.String())
	}
	return table.Clean(said)
}
