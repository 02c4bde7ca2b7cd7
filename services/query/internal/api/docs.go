package api

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/services/query/internal/report"

	"github.com/labstack/echo/v4"
)

//go:embed docs
var docs embed.FS

// templates is the pages, and what they have in common.
var templates = template.Must(template.New("").Funcs(template.FuncMap{"pieces": pieces, "values": values, "meaning": meaning}).ParseFS(docs, "docs/*.html"))

// policy lets a page load its stylesheet from here, and nothing else.
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// walled is the headers of a page for people.
func walled(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		wall(c.Response().Header())
		return next(c)
	}
}

func wall(header http.Header) {
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
}

// docsIndex is how to ask, and every report with its sentence.
func docsIndex() ([]byte, error) {
	type opened struct {
		Scope key.Scope
		Opens string
	}
	type refused struct {
		Status int
		Title  string
		Codes  []string
	}
	var scopes []opened
	for _, scope := range key.Scopes() {
		scopes = append(scopes, opened{scope, meanings[scope]})
	}
	var refusals []refused
	for _, status := range refusing() {
		refusals = append(refusals, refused{status, http.StatusText(status), codesOf(status)})
	}
	_, common := paramsOf(report.Catalogue[0])
	return render("index.html", "Documentation", "/docs", map[string]any{
		"Summary": summary, "Guide": guide, "Scopes": scopes, "Refusals": refusals,
		"Common": common, "Meta": fieldsTable("meta", metaSchema()),
	})
}

// docsReport is the page of a report.
func docsReport(r report.Report) ([]byte, error) {
	answer, err := r.ExampleAnswer()
	if err != nil {
		return nil, err
	}
	own, common := paramsOf(r)
	columns := fieldsTable("Columns of a row, in this order", objectOf(r.Columns))
	try := tryAddress(r)
	return render("report.html", r.Name, "/docs/reports/"+r.Name, map[string]any{
		"Report": r, "Operation": camel(r.Name), "Own": own, "Common": common,
		"Columns": columns, "Totals": fieldsTable("Totals: the whole range", objectOf(r.Totals)),
		"Nested":  slices.ContainsFunc(r.Columns, func(c report.Column) bool { return c.In != nil }),
		"Groups":  groupsOf(r),
		"Address": exampleOf(r), "Answer": string(answer),
		"Try": try.String(), "TryCSV": withSuffix(try, "csv"), "TryPaper": withSuffix(try, paper),
	})
}

// paramTable is parameters under a caption.
type paramTable struct {
	Caption string
	Params  []report.Param
}

// paramsOf is what a report takes: what not every report does, and what they all do.
func paramsOf(r report.Report) (own, common paramTable) {
	own, common = paramTable{Caption: "Its own"}, paramTable{Caption: "As of every report"}
	for _, p := range r.Params {
		if isCommon(p) {
			common.Params = append(common.Params, p)
		} else {
			own.Params = append(own.Params, p)
		}
	}
	written := report.Param{Name: "format", Doc: "How the answer is written; without it, as Accept says.", Default: formats[0].name}
	for _, f := range formats {
		written.Enum = append(written.Enum, f.name)
	}
	common.Params = append(common.Params, written)
	return own, common
}

// isCommon says whether every report takes a parameter, in the same words.
func isCommon(p report.Param) bool {
	for _, r := range report.Catalogue {
		if !slices.ContainsFunc(r.Params, func(its report.Param) bool { return its.Name == p.Name && alike(its, p) }) {
			return false
		}
	}
	return true
}

// groupsOf is the columns that a report's rows may have besides, by which they are
// grouped.
func groupsOf(r report.Report) []string {
	for _, c := range r.Columns {
		if c.Name == "group" {
			return nil
		}
	}
	for _, p := range r.Params {
		if p.Name == "group_by" {
			return p.Enum
		}
	}
	return nil
}

// tryAddress is the example, of the spaces and the time of who tries it.
func tryAddress(r report.Report) *url.URL {
	query, _ := url.ParseQuery(r.Example) // a test asks the example
	for _, name := range []string{"space", "from", "to"} {
		query.Del(name)
	}
	return &url.URL{Path: "/api/v1/reports/" + r.Name, RawQuery: query.Encode()}
}

// withSuffix is the same address in the format of a suffix.
func withSuffix(address *url.URL, suffix string) string {
	other := *address
	other.Path += "." + suffix
	return other.String()
}

// render makes a page. here is its own address.
func render(name, title, here string, data map[string]any) ([]byte, error) {
	type link struct{ Name, Href string }
	data["Title"], data["Here"], data["Reports"] = title, here, report.Catalogue
	data["Site"] = []link{{"Coworking check-ins", "/"}, {"Documentation", "/docs"}, {"API", "/docs/api"}}
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		return nil, fault.Internal.Errorf("page %s: %w", here, err)
	}
	return page.Bytes(), nil
}

// piece is a part of a sentence: words, or code.
type piece struct {
	Text string
	Code bool
}

// pieces parts a sentence at its backticks.
func pieces(sentence string) []piece {
	var parts []piece
	for i, text := range strings.Split(sentence, "`") {
		if text != "" {
			parts = append(parts, piece{text, i%2 == 1})
		}
	}
	return parts
}

// values is what a parameter takes that does not name its values.
func values(p report.Param) string {
	switch p.Type {
	case "date":
		return "a date, or an instant"
	case "zone":
		return "an IANA time zone"
	case "integer":
		return fmt.Sprintf("%d to %d", p.Least, p.Most)
	case "boolean":
		return "true or false"
	default:
		return p.Type
	}
}
