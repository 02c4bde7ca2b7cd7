package api

import (
	"bufio"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/services/query/internal/report"

	"github.com/labstack/echo/v4"
)

// listed is a report as the list of reports shows it.
type listed struct {
	Name       string   `json:"name"`
	Doc        string   `json:"doc"`
	Personal   bool     `json:"personal"` // it names persons
	Href       string   `json:"href"`
	Definition string   `json:"definition"`
	Columns    []string `json:"columns"`
}

// list is every report there is.
func (s *server) list(c echo.Context) error {
	reports := []listed{}
	for _, r := range report.Catalogue {
		l := listed{
			Name: r.Name, Doc: r.Doc, Personal: r.Personal,
			Href: "/api/v1/reports/" + r.Name, Definition: "/docs/reports/" + r.Name,
		}
		for _, column := range r.Columns {
			l.Columns = append(l.Columns, column.Name)
		}
		reports = append(reports, l)
	}
	return c.JSON(http.StatusOK, map[string][]listed{"data": reports})
}

// report answers /api/v1/reports/<name>, or <name>.csv.
func (s *server) report(c echo.Context) error {
	query, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return fault.Invalid.With("invalid_value", "", "the query of this address cannot be read")
	}
	name, suffix, suffixed := strings.Cut(c.Param("report"), ".")
	r, err := report.Find(name)
	if err != nil {
		return err
	}
	note(c, asked{report: r.Name})
	format, err := chooseFormat(query, suffix, suffixed, c.Request().Header.Get(echo.HeaderAccept))
	if err != nil {
		return err
	}
	query.Del("format")
	grant, persons := grantOf(c), r.AsksForPersons(query)
	scope := key.ReadReports
	if persons {
		scope = key.ReadMembers
	}
	if err := need(c, scope); err != nil {
		return err
	}
	question := report.Question{Report: r, Query: query, AsOf: s.Now(), Visible: grant.Spaces}
	header := c.Response().Header()
	header.Add(echo.HeaderVary, echo.HeaderAccept)
	header.Set(echo.HeaderCacheControl, "private, no-cache")

	version, err := s.Reports.Version(c.Request().Context(), question)
	if err != nil {
		return err
	}
	tag := tagOf(version, format)
	if has := c.Request().Header.Get("If-None-Match"); has != "" && matches(has, tag) {
		header.Set("ETag", tag)
		note(c, asked{r.Name, "unchanged"})
		return c.NoContent(http.StatusNotModified)
	}
	audit := func(rows int) error {
		if !persons {
			return nil
		}
		return s.Audit.PersonalRead(c.Request().Context(), grant.Holder, r.Name, query.Encode(), rows)
	}
	if known, ok := s.bodies.find(tag); ok {
		if err := audit(known.rows); err != nil {
			return err
		}
		note(c, asked{r.Name, "remembered"})
		begin(c, format, known)
		_, err := c.Response().Write(known.bytes)
		return err
	}
	answer, err := s.Reports.Answer(c.Request().Context(), question)
	if err != nil {
		return err
	}
	if err := audit(len(answer.Rows)); err != nil {
		return err
	}
	note(c, asked{r.Name, "counted"})
	return s.write(c, format, answer)
}

// write answers, row by row, and keeps what it wrote for whoever asks the same.
func (s *server) write(c echo.Context, f format, answer report.Answer) error {
	made := &body{tag: tagOf(answer.Version, f), rows: len(answer.Rows), next: nextPage(c.Request().URL, answer.Meta.NextCursor)}
	if f.attached {
		made.fileName = fileName(answer.Meta, f)
	}
	begin(c, f, made)
	var copied copied
	w := bufio.NewWriter(io.MultiWriter(c.Response(), &copied))
	if err := f.encode(w, answer); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	made.bytes = copied.Bytes()
	s.bodies.keep(made)
	return nil
}

// nextPage is the address of the rows after these, "" if there are none. Rows alone,
// as CSV has them, have no other place to say it.
func nextPage(asked *url.URL, cursor *string) string {
	if cursor == nil {
		return ""
	}
	query := asked.Query()
	query.Set("cursor", *cursor)
	return (&url.URL{Path: asked.Path, RawQuery: query.Encode()}).String()
}

// begin writes what comes before the body.
func begin(c echo.Context, f format, answer *body) {
	header := c.Response().Header()
	header.Set("ETag", answer.tag)
	header.Set(echo.HeaderContentType, f.mediaType)
	if answer.next != "" {
		header.Set("Link", "<"+answer.next+`>; rel="next"`) // RFC 8288
	}
	if answer.fileName != "" {
		header.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": answer.fileName}))
	}
	c.Response().WriteHeader(http.StatusOK)
}

// tagOf is the entity tag of an answer in a format. It is a weak one: as_of and
// complete_through move on while everything else stays.
func tagOf(version string, f format) string { return `W/"` + version + "-" + f.name + `"` }

// matches says whether an If-None-Match header names a tag (RFC 9110, 13.1.2).
func matches(header, tag string) bool {
	for named := range strings.SplitSeq(header, ",") {
		named = strings.TrimSpace(named)
		if named == "*" || strings.TrimPrefix(named, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// fileName sorts by report, then by range. Colons are no part of a file name.
func fileName(m report.Meta, f format) string {
	return strings.ReplaceAll(m.Report+"_"+m.From+"_"+m.To, ":", "") + "." + f.name
}
