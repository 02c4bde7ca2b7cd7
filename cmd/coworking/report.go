package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"coworking/cmd/coworking/internal/system"
	"coworking/cmd/coworking/internal/table"
	"coworking/pkg/fault"

	"golang.org/x/term"
)

// reportCmd is `coworking report`.
type reportCmd struct {
	dataFolder
	question

	Name string `arg:"" optional:"" help:"The report, such as daily_usage. Without one: the list of all reports."`

	Table  bool   `xor:"format" help:"A table for people, also where no terminal is."`
	CSV    bool   `name:"csv" xor:"format" help:"CSV, as the service answers it; that is what a pipe gets anyway."`
	JSON   bool   `name:"json" xor:"format" help:"JSON, as the service answers it: with totals, and with what the answer says of itself."`
	NDJSON bool   `name:"ndjson" xor:"format" help:"The rows alone, as JSON, one a line."`
	Figure string `placeholder:"COLUMN" help:"The column that bars and shades show; if not given, the first figure."`
	Rows   bool   `help:"Every row, also where a table would show shades instead."`
	Width  int    `placeholder:"COLUMNS" help:"How wide a table may be; if not given, as wide as the terminal."`
	All    bool   `help:"All pages of a list of members, not only the first."`

	URL string    `name:"url" env:"COWORKING_URL" placeholder:"URL" help:"Where the query service answers. If not given: the system that runs on this machine."`
	Key accessKey `env:"COWORKING_KEY" placeholder:"cw_…" help:"The key to ask with. Other users of this machine can see what is on a command line: the variable is better."`
}

// question is what may be asked of a report. Which report takes which of these, the
// service says.
type question struct {
	Space    []string `help:"Only this space; may be given again. If not given, all that the key may see."`
	From     string   `placeholder:"DATE" help:"The first day, or an instant such as 2026-03-02T10:00:00Z."`
	To       string   `placeholder:"DATE" help:"The day after the last, or an instant."`
	Period   string   `placeholder:"28d" help:"Instead of --from and --to: today, yesterday, 7d, 28d, 90d, 12mo, wtd, mtd, ytd or all."`
	TZ       string   `name:"tz" placeholder:"ZONE" help:"Count by midnight days of this zone, such as Europe/Berlin. If not given, by each space's own days."`
	Interval string   `placeholder:"day" help:"How long a row is: 15m, hour, day, week or month."`
	Compare  string   `placeholder:"previous_period" help:"Set the totals beside those of an earlier range: previous_period or previous_year."`
	GroupBy  string   `placeholder:"plan" help:"The same rows for each space, plan, team, zone, method or source."`
	Limit    string   `placeholder:"100" help:"The most rows of a list of members, up to 1000."`
	Set      []string `sep:"none" placeholder:"NAME=VALUE" help:"Any other parameter of the report, such as plan=flex; may be given again."`
}

// Help is kong's: what the verb's flags do not say.
func (reportCmd) Help() string {
	return `Asks the query service, and shows the answer: on a terminal as a table with bars, in a pipe as CSV. Ends with 1 if ` +
		`the question is at fault, and with 2 if the service does not answer; then the same may succeed later.

Examples:

    coworking report

    coworking report daily_usage --space berlin-mitte --period 7d

    coworking report daily_usage --period mtd --compare previous_period --group-by plan

    coworking report hourly_usage --from 2026-03-02 --to 2026-03-16 --figure avg_occupancy

    COWORKING_KEY="$(cat key)" coworking report user_visits --url https://reports.example.org --all > visits.csv
`
}

// Run shows an answer.
func (c *reportCmd) Run(ctx context.Context, out io.Writer) error {
	if file, isFile := out.(*os.File); isFile && term.IsTerminal(int(file.Fd())) {
		c.Table = c.Table || !c.CSV && !c.JSON && !c.NDJSON
		if wide, _, err := term.GetSize(int(file.Fd())); err == nil && c.Width == 0 {
			c.Width = wide
		}
	}
	return c.answer(ctx, out, os.Stderr)
}

// answer writes what was asked for to out, and to notes what there is to say besides.
func (c *reportCmd) answer(ctx context.Context, out, notes io.Writer) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	service, err := c.service()
	if err != nil {
		return err
	}
	defer service.client.CloseIdleConnections()
	switch {
	case c.Name == "":
		return c.list(ctx, service, query, out)
	case c.Table:
		return c.table(ctx, service, query, out, notes)
	case c.JSON:
		return c.json(ctx, service, query, out, notes)
	case c.NDJSON:
		return c.copy(ctx, service, query, "ndjson", out, notes)
	default:
		return c.copy(ctx, service, query, "csv", out, notes)
	}
}

// asked is the flags that are parameters of a report, by the parameter's name.
func (q *question) asked() map[string]string {
	return map[string]string{
		"from": q.From, "to": q.To, "period": q.Period, "tz": q.TZ, "interval": q.Interval,
		"compare": q.Compare, "group_by": q.GroupBy, "limit": q.Limit,
	}
}

// query is the question as the service reads it.
func (q *question) query() (url.Values, error) {
	query := url.Values{}
	for name, value := range q.asked() {
		if value != "" {
			query.Set(name, value)
		}
	}
	query["space"] = q.Space
	for _, set := range q.Set {
		name, value, ok := strings.Cut(set, "=")
		if !ok || name == "" {
			return nil, fault.Invalid.Errorf("--set %s: say it as NAME=VALUE", set)
		}
		if name == "format" {
			return nil, fault.Invalid.Errorf("--set %s: say it as --csv, --json, --ndjson or --table", set)
		}
		query.Add(name, value)
	}
	return query, nil
}

// flagOf is how a parameter is given here.
func (q *question) flagOf(parameter string) string {
	if _, known := q.asked()[parameter]; known || parameter == "space" {
		return "--" + strings.ReplaceAll(parameter, "_", "-")
	}
	return "--set " + parameter
}

// service is where to ask: the address that was given, else the system that runs
// here, else where one on this machine listens if nobody says otherwise.
func (c *reportCmd) service() (*queryService, error) {
	key := accessKey(strings.TrimSpace(string(c.Key)))
	if strings.ContainsFunc(string(key), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fault.Invalid.Errorf("--key (COWORKING_KEY): a key is one word, such as cw_…")
	}
	if c.URL != "" {
		base, err := url.Parse(c.URL)
		if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.RawQuery != "" {
			return nil, fault.Invalid.Errorf("--url: an address is like https://reports.example.org or http://127.0.0.1:5153")
		}
		return newQueryService(base, key, "is it up, and is that where it is?"), nil
	}
	dir, err := c.folder()
	if err != nil {
		return nil, err
	}
	address := "http://127.0.0.1:5153"
	switch running, err := system.Look(dir); {
	case err == nil:
		address = running.QueryURL()
	case fault.Of(err) != fault.NotFound:
		return nil, err
	case c.Data != "":
		return nil, unansweredError{err}
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, fault.Internal.Errorf("the address of the query service: %w", err)
	}
	return newQueryService(base, key, "start it with 'coworking up', or say by --url where it is"), nil
}

// list shows which reports there are.
func (c *reportCmd) list(ctx context.Context, service *queryService, query url.Values, out io.Writer) error {
	if delete(query, "space"); len(query)+len(c.Space) > 0 || c.CSV || c.NDJSON {
		return fault.Invalid.Errorf("which report? 'coworking report' lists them")
	}
	body, err := service.read(ctx, c, "", nil)
	if err != nil {
		return err
	}
	if c.JSON {
		return written(out, body)
	}
	return table.WriteReports(out, body, c.Width)
}

// table draws the answer.
func (c *reportCmd) table(ctx context.Context, service *queryService, query url.Values, out, notes io.Writer) error {
	bodies, next, err := c.pages(ctx, service, query)
	if err != nil {
		return err
	}
	var answer table.Answer
	for i, body := range bodies {
		page, err := table.Parse(body)
		if err != nil {
			return err
		}
		if i == 0 {
			answer = page
			continue
		}
		answer.Add(page)
	}
	if err := table.Write(out, answer, table.Style{Width: c.Width, Figure: c.Figure, Rows: c.Rows}); err != nil {
		return err
	}
	sayMore(notes, next)
	return nil
}

// json writes the answer as it came; of more than one page it makes one.
func (c *reportCmd) json(ctx context.Context, service *queryService, query url.Values, out, notes io.Writer) error {
	bodies, next, err := c.pages(ctx, service, query)
	if err != nil {
		return err
	}
	whole := bodies[0]
	if len(bodies) > 1 {
		if whole, err = joined(bodies); err != nil {
			return err
		}
	}
	if err := written(out, whole); err != nil {
		return err
	}
	sayMore(notes, next)
	return nil
}

// pages is the answer in JSON, with --all every page of it, and the cursor of what
// is left.
func (c *reportCmd) pages(ctx context.Context, service *queryService, query url.Values) (bodies [][]byte, next string, err error) {
	c.wideOpen(query)
	for {
		body, err := service.read(ctx, c, c.Name, query)
		if err != nil {
			return nil, "", err
		}
		bodies = append(bodies, body)
		if next, err = cursorOf(body); err != nil || next == "" || !c.All {
			return bodies, next, err
		}
		if err := follow(query, next); err != nil {
			return nil, "", err
		}
	}
}

// wideOpen makes pages as long as they may be, where all of them are asked for.
func (c *reportCmd) wideOpen(query url.Values) {
	if c.All && !query.Has("limit") {
		query.Set("limit", "1000")
	}
}

// cursorOf is the cursor of the rows after an answer's, "" if there are none.
func cursorOf(body []byte) (string, error) {
	var answer struct {
		Meta struct {
			NextCursor string `json:"next_cursor"`
		} `json:"meta"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fault.Internal.Errorf("reading an answer: %w", err)
	}
	return answer.Meta.NextCursor, nil
}

// follow makes the question that of the next page.
func follow(query url.Values, next string) error {
	if query.Get("cursor") == next {
		return fault.Internal.Errorf("the service gives the same cursor again: its pages have no end")
	}
	query.Set("cursor", next)
	return nil
}

// joined is one answer of many: the rows of all of them, the rest of the last.
func joined(bodies [][]byte) ([]byte, error) {
	var whole bytes.Buffer
	whole.WriteString(`{"data":[`)
	var last struct {
		Data    []json.RawMessage `json:"data"`
		Totals  json.RawMessage   `json:"totals"`
		Compare json.RawMessage   `json:"compare"`
		Meta    json.RawMessage   `json:"meta"`
	}
	between := "\n"
	for _, body := range bodies {
		if err := json.Unmarshal(body, &last); err != nil {
			return nil, fault.Internal.Errorf("reading an answer: %w", err)
		}
		for _, row := range last.Data {
			whole.WriteString(between)
			whole.Write(row)
			between = ",\n"
		}
	}
	null := json.RawMessage("null")
	fmt.Fprintf(&whole, "\n],\n\"totals\":%s,\n\"compare\":%s,\n\"meta\":%s}\n",
		cmp.Or(string(last.Totals), string(null)), cmp.Or(string(last.Compare), string(null)), last.Meta)
	return whole.Bytes(), nil
}

// copy writes the answer as it comes, in a format that has rows and nothing else.
// Whether there are more, such an answer does not say: where it is as long as it
// may be, the same question in JSON does.
func (c *reportCmd) copy(ctx context.Context, service *queryService, query url.Values, format string, out, notes io.Writer) error {
	c.wideOpen(query)
	for page := 0; ; page++ {
		rows, err := service.copy(ctx, c, query, format, page == 0, out)
		if err != nil {
			return err
		}
		if limit := cmp.Or(query.Get("limit"), "100"); strconv.Itoa(rows) != limit {
			return nil
		}
		body, err := service.read(ctx, c, c.Name, query)
		if err != nil {
			return err
		}
		next, err := cursorOf(body)
		if err != nil || next == "" {
			return err
		}
		if !c.All {
			sayMore(notes, next)
			return nil
		}
		if err := follow(query, next); err != nil {
			return err
		}
	}
}

// sayMore tells people that there are more rows, and how to get them.
func sayMore(notes io.Writer, next string) {
	if next == "" {
		return
	}
	next = table.Clean(next)
	if strings.ContainsFunc(next, func(r rune) bool { return r != '-' && r != '_' && (r < '0' || r > 'z') }) {
		next = quoted(next)
	}
	fmt.Fprintf(notes, "there are more: --set cursor=%s shows the next ones, --all shows all\n", next)
}

func written(out io.Writer, body []byte) error {
	if _, err := out.Write(body); err != nil {
		return fault.Internal.Errorf("writing an answer: %w", err)
	}
	return nil
}
