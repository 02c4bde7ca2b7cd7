package api_test

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"coworking/services/query/internal/api"
	"coworking/services/query/internal/report"
)

// page is what a test asks of a page for people.
type page struct {
	ids, links         []string
	headings           []int
	mains, captionless int
	outside            []string // what only scripts, styles and other hosts could want
}

// readPage reads a page as a strict reader would: each tag that is opened is closed.
func readPage(body string) (page, error) {
	var p page
	decoder := xml.NewDecoder(strings.NewReader(body))
	decoder.Entity = xml.HTMLEntity
	table := false // the tag before opened one
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return p, err
		}
		tag, opens := token.(xml.StartElement)
		if !opens {
			continue
		}
		if table && tag.Name.Local != "caption" {
			p.captionless++
		}
		table = tag.Name.Local == "table"
		switch name := tag.Name.Local; name {
		case "main":
			p.mains++
		case "h1", "h2", "h3", "h4":
			p.headings = append(p.headings, int(name[1]-'0'))
		case "script", "style", "img", "iframe", "form":
			p.outside = append(p.outside, name)
		}
		for _, attribute := range tag.Attr {
			switch name := attribute.Name.Local; {
			case name == "id":
				p.ids = append(p.ids, attribute.Value)
			case name == "href":
				p.links = append(p.links, attribute.Value)
			case name == "style", name == "src", strings.HasPrefix(name, "on"):
				p.outside = append(p.outside, name)
			}
		}
	}
}

// Every page that can be reached from the first is whole: each link leads somewhere,
// and who does not see the page can find their way by its headings and captions.
func TestEveryPageIsSound(t *testing.T) {
	handler := serve(func(*api.Config) {})
	pages := map[string]page{}
	waiting := []string{"/"}
	for len(waiting) > 0 {
		address := waiting[0]
		waiting = waiting[1:]
		response := ask(handler, http.MethodGet, address)
		if response.Code != http.StatusOK {
			t.Errorf("%s: %d", address, response.Code)
			continue
		}
		if !strings.HasPrefix(response.Header().Get("Content-Type"), "text/html; ") || strings.HasSuffix(address, "_check") {
			pages[address] = page{}
			continue
		}
		p, err := readPage(response.Body.String())
		if err != nil {
			t.Errorf("%s: %v", address, err)
		}
		pages[address] = p
		judge(t, address, p)
		if got := response.Header().Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
			t.Errorf("%s may load what it wants: %q", address, got)
		}
		for _, link := range p.links {
			target, _, _ := strings.Cut(link, "#")
			if target == "" || slices.Contains(waiting, target) {
				continue
			}
			if _, known := pages[target]; !known {
				waiting = append(waiting, target)
			}
		}
	}
	for address, p := range pages {
		for _, link := range p.links {
			target, id, _ := strings.Cut(link, "#")
			if target == "" {
				target = address
			}
			if id != "" && !slices.Contains(pages[target].ids, id) {
				t.Errorf("%s links to %s, which is not there", address, link)
			}
		}
	}
	for _, r := range report.Catalogue {
		if _, known := pages["/docs/reports/"+r.Name]; !known {
			t.Errorf("nothing leads to the page of %s", r.Name)
		}
	}
}

// judge says what is wrong with a page that can be seen on it alone.
func judge(t *testing.T, address string, p page) {
	t.Helper()
	if p.mains != 1 || p.captionless > 0 || len(p.outside) > 0 {
		t.Errorf("%s: %d mains, %d tables without a caption, and %v", address, p.mains, p.captionless, p.outside)
	}
	level := 0
	for _, heading := range p.headings {
		if heading > level+1 {
			t.Errorf("%s: a heading of level %d comes after one of level %d", address, heading, level)
		}
		level = heading
	}
	if len(p.headings) == 0 || p.headings[0] != 1 || slices.Contains(p.headings[1:], 1) {
		t.Errorf("%s: its headings are %v", address, p.headings)
	}
	for _, link := range p.links {
		if !strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "#") {
			t.Errorf("%s leads elsewhere: %s", address, link)
		}
	}
	slices.Sort(p.ids)
	if len(slices.Compact(slices.Clone(p.ids))) != len(p.ids) {
		t.Errorf("%s: two of its ids are alike: %v", address, p.ids)
	}
}

// A page says all that the catalogue says of its report.
func TestAPageSaysWhatItsReportIs(t *testing.T) {
	handler := serve(func(*api.Config) {})
	for _, r := range report.Catalogue {
		t.Run(r.Name, func(t *testing.T) {
			body := html.UnescapeString(ask(handler, http.MethodGet, "/docs/reports/"+r.Name).Body.String())
			plain := strings.NewReplacer("<code>", "`", "</code>", "`").Replace(body)
			example, err := r.ExampleAnswer()
			if err != nil {
				t.Fatal(err)
			}
			said := append([]string{r.Doc, r.Reads, r.Example, string(example)}, append(r.Counts, r.Leaves...)...)
			for _, p := range r.Params {
				said = append(said, "`"+p.Name+"`", p.Doc)
			}
			for _, c := range append(slices.Clone(r.Columns), r.Totals...) {
				said = append(said, "`"+strings.Join(append(slices.Clone(c.In), c.Key()), ".")+"`", c.Doc)
				for _, item := range c.Items {
					said = append(said, "[]."+item.Name+"`", item.Doc)
				}
			}
			for _, sentence := range said {
				if !strings.Contains(plain, sentence) {
					t.Errorf("nothing says %q", sentence)
				}
			}
			if names := strings.Contains(plain, "members:read"); names != (r.Personal || slices.ContainsFunc(r.Params, func(p report.Param) bool { return p.Personal })) {
				t.Errorf("that it names persons: %v", names)
			}
		})
	}
}

// A page that is broken is found: what finds nothing says nothing.
func TestBrokenPagesAreFound(t *testing.T) {
	for name, body := range map[string]string{
		"a tag that is not closed": `<html><main></html>`,
		"an attribute of nothing":  `<html><p class=></p></html>`,
	} {
		if _, err := readPage(body); err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
	p, err := readPage(`<html lang="en"><main><table><tr><td style="x" onclick="y"></td></tr></table><img src="z" /></main></html>`)
	if err != nil || p.captionless != 1 || len(p.outside) != 4 {
		t.Errorf("%v %+v", err, p)
	}
}
