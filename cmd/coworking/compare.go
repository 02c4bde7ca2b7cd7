package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"coworking/cmd/coworking/internal/legacy"
	"coworking/cmd/coworking/internal/progress"
	"coworking/cmd/coworking/internal/table"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
)

// compareCmd is the verb that sets two systems side by side.
type compareCmd struct {
	Legacy compareLegacyCmd `cmd:"" help:"The two reports of the system before this one, as it answers them and as this one does."`
}

// compareLegacyCmd compares both reports of the old system.
type compareLegacyCmd struct {
	Old    string        `xor:"old" placeholder:"URL" help:"Where the old system answers, such as http://old.example.org:5153."`
	OldDSN pg.URL        `name:"old-dsn" xor:"old" placeholder:"URL" help:"Or its database: its answers are made from that, with its own queries. It is only read."`
	New    string        `required:"" placeholder:"URL" help:"Where the query service of this system answers, such as http://127.0.0.1:5153."`
	Key    accessKey     `env:"COWORKING_KEY" placeholder:"cw_…" help:"The key to ask the new system with, where user_visits is not open to anybody. Other users of this machine can see what is on a command line: the variable is better."`
	Wait   time.Duration `placeholder:"DURATION" help:"Where they differ, or one does not answer, try again for so long, such as 1m: for a system that still catches up."`
	JSON   bool          `name:"json" help:"Say it in JSON."`
}

// Help is kong's: what the verb's flags do not say.
func (compareLegacyCmd) Help() string {
	return `Asks both systems for daily_usage and user_visits, and compares the answers byte by byte. Where they differ, it says for which ` +
		`days and users, and what each side has. Ends with 0 if all is equal, with 1 if not, and with 2 if they could not be compared. ` +
		`While the old system is still used, each answer is of a moment of its own: use --wait.

Examples:

    coworking compare legacy --old http://old.example.org:5153 --new http://127.0.0.1:5153

    coworking compare legacy --old-dsn postgres://reader@old-db/coworking --new https://reports.example.org --wait 1m

    coworking compare legacy --old-dsn "$OLD" --new "$NEW" --json | jq '.reports[].first'
`
}

// differentError says that the systems could be compared, and differ.
type differentError struct{ error }

// incomparableError says that they could not.
type incomparableError struct{ error }

// ExitCode is boot.ExitCode's.
func (differentError) ExitCode() int { return 1 }

// ExitCode is boot.ExitCode's.
func (incomparableError) ExitCode() int { return 2 }

func (i incomparableError) Unwrap() error { return i.error }

// How often a comparison is made again: it may be dear for the old database.
const (
	firstComparePause   = 250 * time.Millisecond
	longestComparePause = 5 * time.Second
)

// Run compares until all is equal, or the time is up.
func (c *compareLegacyCmd) Run(ctx context.Context, out io.Writer) error {
	old, current, err := c.sides()
	if err != nil {
		return incomparableError{err}
	}
	giveUp := time.Now().Add(c.Wait)
	var compared comparison
	for pause := firstComparePause; ; pause = min(2*pause, longestComparePause) {
		compared, err = compare(ctx, old, current)
		again := err == nil && !compared.Equal || fault.Of(err) == fault.Unavailable
		if left := time.Until(giveUp); !again || left <= 0 || !paused(ctx, min(pause, left)) {
			break
		}
	}
	if err != nil {
		return incomparableError{err}
	}
	if err := compared.write(out, c.JSON); err != nil {
		return incomparableError{err}
	}
	if !compared.Equal {
		return differentError{errors.New("the old system and the new one differ")}
	}
	return nil
}

// paused waits; false if the context ended meanwhile.
func paused(ctx context.Context, pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-ctx.Done():
		return false
	}
}

// answers is both reports of one side, by their names.
type answers func(context.Context) (map[string][]byte, error)

// sides is how each side is asked.
func (c *compareLegacyCmd) sides() (old, current answers, err error) {
	if (c.Old == "") == (c.OldDSN == "") {
		return nil, nil, fault.Invalid.Errorf("where is the old system? give --old URL, or --old-dsn URL")
	}
	if c.Wait < 0 {
		return nil, nil, fault.Invalid.Errorf("--wait is greater than nothing")
	}
	current, err = answersOf("--new", c.New, c.Key)
	if err != nil {
		return nil, nil, err
	}
	if c.OldDSN != "" {
		return func(ctx context.Context) (map[string][]byte, error) { return legacy.Answers(ctx, c.OldDSN) }, current, nil
	}
	old, err = answersOf("--old", c.Old, "")
	return old, current, err
}

// answersOf asks a system over HTTP.
func answersOf(flag, address string, key accessKey) (answers, error) {
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" {
		return nil, fault.Invalid.Errorf("%s: an address is like https://reports.example.org or http://127.0.0.1:5153", flag)
	}
	service := newQueryService(base, accessKey(strings.TrimSpace(string(key))), "is it up, and is that where it is?")
	return func(ctx context.Context) (map[string][]byte, error) {
		defer service.client.CloseIdleConnections()
		all := map[string][]byte{}
		for _, report := range legacy.Reports {
			body, err := service.oldReport(ctx, flag, report)
			if err != nil {
				return nil, err
			}
			all[report] = body
		}
		return all, nil
	}, nil
}

// oldReport is the body of a report as both systems answer it.
func (s *queryService) oldReport(ctx context.Context, flag, report string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base.JoinPath("api", "reports", report).String(), nil)
	if err != nil {
		return nil, fault.Internal.Errorf("asking for %s: %w", report, err)
	}
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+string(s.key))
	}
	response, err := s.client.Do(request)
	if err != nil {
		if asked, ok := errors.AsType[*url.Error](err); ok {
			err = asked.Err // without the address, which may hold a password
		}
		return nil, fault.Unavailable.Errorf("nothing answers at %s (%s): %w; %s", s.base.Redacted(), flag, err, s.help)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch status := response.StatusCode; {
	case err != nil:
		return nil, fault.Unavailable.Errorf("the answer of %s (%s) broke off: %w", s.base.Redacted(), flag, err)
	case status == http.StatusOK:
		return body, nil
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return nil, fault.Invalid.Errorf("%s (%s) answers %s to %s: give a key that may read members by COWORKING_KEY, or by --key",
			s.base.Redacted(), flag, table.Clean(response.Status), report)
	case status >= http.StatusInternalServerError || status == http.StatusTooManyRequests:
		return nil, fault.Unavailable.Errorf("%s (%s) has no %s now: it answers %s", s.base.Redacted(), flag, report, table.Clean(response.Status))
	default:
		return nil, fault.Invalid.Errorf("%s (%s) has no %s: it answers %s", s.base.Redacted(), flag, report, table.Clean(response.Status))
	}
}

// comparison is what is said of both reports.
type comparison struct {
	Equal   bool                `json:"equal"`
	Reports []legacy.Comparison `json:"reports"`
}

// shownDifferences is how many differences of a report are named.
const shownDifferences = 10

// compare asks the new side first: what the old one has in addition is what is still to
// come.
func compare(ctx context.Context, old, current answers) (comparison, error) {
	after, err := current(ctx)
	if err != nil {
		return comparison{}, err
	}
	before, err := old(ctx)
	if err != nil {
		return comparison{}, err
	}
	all := comparison{Equal: true}
	for _, report := range legacy.Reports {
		one, err := legacy.Compare(report, before[report], after[report], shownDifferences)
		if err != nil {
			return comparison{}, err
		}
		all.Equal = all.Equal && one.Equal
		all.Reports = append(all.Reports, one)
	}
	return all, nil
}

// keyWords is what a report has a value for.
var keyWords = map[string]string{"daily_usage": "day", "user_visits": "user"}

func (c comparison) write(out io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(c)
	}
	var text strings.Builder
	for _, report := range c.Reports {
		word := keyWords[report.Report]
		of := progress.Grouped(int64(report.Keys)) + " " + word
		if report.Keys != 1 {
			of += "s"
		}
		switch {
		case report.Equal:
			fmt.Fprintf(&text, "%s: equal, %s\n", report.Report, of)
		case report.Count == 0:
			fmt.Fprintf(&text, "%s: the same values of %s, but other bytes, from byte %d on:\n  old %q\n  new %q\n",
				report.Report, of, report.Bytes.Offset, report.Bytes.Old, report.Bytes.New)
		default:
			fmt.Fprintf(&text, "%s: %s different, of %s\n", report.Report, progress.Grouped(int64(report.Count)), of)
		}
		for _, difference := range report.First {
			fmt.Fprintf(&text, "  %s %s\n", word, table.Clean(difference.String()))
		}
		if more := report.Count - len(report.First); more > 0 {
			fmt.Fprintf(&text, "  … and %s more\n", progress.Grouped(int64(more)))
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}
