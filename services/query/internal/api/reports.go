package api

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
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

// wanted is what a request asks for.
type wanted struct {
	text    string // the same for all requests that mean the same
	report  report.Report
	query   url.Values // without the format; not to be changed
	format  format
	persons bool // only somebody who may read members may ask it
}

// understand reads a request, or remembers what it meant.
func (s *server) understand(c echo.Context) (*wanted, error) {
	accept := c.Request().Header.Get(echo.HeaderAccept)
	text := c.Param("report") + "?" + c.Request().URL.RawQuery + " " + accept
	if w, ok := s.memory.wanted.Find(text); ok {
		note(c, asked{report: w.report.Name})
		return w, nil
	}
	query, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, fault.Invalid.With("invalid_value", "", "the query of this address cannot be read")
	}
	name, suffix, suffixed := strings.Cut(c.Param("report"), ".")
	w := &wanted{query: query}
	if w.report, err = report.Find(name); err != nil {
		return nil, err
	}
	note(c, asked{report: w.report.Name})
	if w.format, err = chooseFormat(w.report, query, suffix, suffixed, accept); err != nil {
		return nil, err
	}
	query.Del("format")
	w.text = name + "." + w.format.name + "?" + query.Encode()
	w.persons = w.report.AsksForPersons(query)
	s.memory.keepWanted(text, w)
	return w, nil
}

// report answers /api/v1/reports/<name>, or <name>.csv.
func (s *server) report(c echo.Context) error {
	header := c.Response().Header()
	header[echo.HeaderVary] = varies
	w, err := s.understand(c)
	if err != nil {
		return err
	}
	scope := key.ReadReports
	if w.persons {
		scope = key.ReadMembers
	}
	if err := need(c, scope); err != nil {
		return err
	}
	grant := grantOf(c)
	question := report.Question{Report: w.report, Query: w.query, AsOf: s.Now(), Visible: grant.Spaces}
	header.Set(echo.HeaderCacheControl, "private, no-cache")

	text := w.text
	if grant.Spaces != nil { // the same words from somebody else are another question
		text += " " + strings.Join(grant.Spaces, " ")
	}
	tag, look, err := s.tag(c.Request().Context(), question, text, w.format)
	if err != nil {
		return err
	}
	defer look.Close()
	if has := c.Request().Header.Get("If-None-Match"); has != "" && matches(has, tag) {
		header.Set("ETag", tag)
		note(c, asked{w.report.Name, "unchanged"})
		return c.NoContent(http.StatusNotModified)
	}
	audit := func(rows int) error {
		if !w.persons {
			return nil
		}
		return s.Audit.PersonalRead(c.Request().Context(), grant.Holder, w.report.Name, w.query.Encode(), rows)
	}
	if known, ok := s.memory.body(text, tag); ok {
		look.Close() // who reads is written down by another connection
		if err := audit(known.rows); err != nil {
			return err
		}
		note(c, asked{w.report.Name, "remembered"})
		return s.again(c, w.format, known)
	}
	answer, err := s.once(c.Request().Context(), tag, look.Answer)
	look.Close() // another may have counted
	if err != nil {
		return err
	}
	if err := audit(len(answer.Rows)); err != nil {
		return err
	}
	note(c, asked{w.report.Name, "counted"})
	return s.squeezed(func(c echo.Context) error { return s.write(c, text, w.format, answer) })(c)
}

// again answers with what was written before.
func (s *server) again(c echo.Context, f format, known *body) error {
	header, sent := c.Response().Header(), known.bytes
	if len(sent) >= worthPacking && takesGzip(c.Request().Header.Get(echo.HeaderAcceptEncoding)) {
		header.Set(echo.HeaderContentEncoding, "gzip")
		sent = s.memory.packed(known)
	}
	header.Set(echo.HeaderContentLength, strconv.Itoa(len(sent)))
	begin(c, f, known)
	_, err := c.Response().Write(sent)
	c.Response().Size = int64(len(known.bytes)) // as the log has it of the first one, whatever it was packed to
	return err
}

// tagged is the tag of a question's answer, and what it rests on.
type tagged struct {
	tag   string
	basis report.Basis
}

// counter counts an answer.
type counter func(context.Context) (report.Answer, error)

// tag is the tag that the answer to a question has, and who counts the answer, to be
// closed. One that was asked before has the tag of then as long as nothing moved that it
// rests on.
func (s *server) tag(ctx context.Context, question report.Question, text string, f format) (string, report.Look, error) {
	var likely report.Likely
	if known, ok := s.memory.tags.Find(text); ok {
		var stands bool
		var err error
		if stands, likely, err = s.Reports.Stands(ctx, known.basis, question.AsOf); stands || err != nil {
			count := func(ctx context.Context) (report.Answer, error) { return s.Reports.Answer(ctx, question) }
			return known.tag, report.Look{Answer: count}, err
		}
	}
	look, err := s.Reports.Look(ctx, question, likely)
	if err != nil {
		return "", look, err
	}
	tag := tagOf(look.Version, f)
	s.memory.keepTag(text, tag, look.Basis)
	return tag, look, nil
}

// once counts an answer once, however many ask for it at the time: when a wall of
// screens asks again after an event, one of them counts. Who counts may go away, and
// take the answer with it; then each counts.
func (s *server) once(ctx context.Context, tag string, count counter) (report.Answer, error) {
	counted, err, shared := s.counting.Do(tag, func() (any, error) { return count(ctx) })
	if err != nil && shared && ctx.Err() == nil {
		return count(ctx)
	}
	answer, _ := counted.(report.Answer)
	return answer, err
}

// atOnce is how many bytes of an answer are written at a time. One that is no longer is
// written as a whole, and says how long it is.
const atOnce = 32 << 10

// write answers, row by row, and keeps what it wrote for whoever asks the same.
func (s *server) write(c echo.Context, text string, f format, answer report.Answer) error {
	made := &body{question: text, tag: tagOf(answer.Version, f), rows: len(answer.Rows), next: nextPage(c.Request().URL, answer.Meta.NextCursor)}
	if f.attached {
		made.fileName = fileName(answer.Meta, f)
	}
	var copied copied
	sent := &response{begin: func() { begin(c, f, made) }, to: io.MultiWriter(c.Response(), &copied)}
	w := bufio.NewWriterSize(sent, atOnce)
	if err := f.encode(w, answer); err != nil {
		return err
	}
	if !sent.begun {
		c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(w.Buffered()))
	}
	if err := sent.end(w); err != nil {
		return err
	}
	made.bytes = bytes.Clone(copied.Bytes()) // as long as it is, since it is kept
	s.memory.keepBody(made)
	return nil
}

// response is an answer that begins with the first that is written of it.
type response struct {
	begin func() // writes what comes before the body
	begun bool
	to    io.Writer
}

// Write writes a part of the body.
func (r *response) Write(part []byte) (int, error) {
	if !r.begun {
		r.begun = true
		r.begin()
	}
	return r.to.Write(part)
}

// end writes what is left in the buffer before it, be it nothing.
func (r *response) end(w *bufio.Writer) error {
	if err := w.Flush(); err != nil || r.begun {
		return err
	}
	_, err := r.Write(nil)
	return err
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

// varies is the headers that decide, beside the address, which answer it is.
var varies = []string{echo.HeaderAcceptEncoding, echo.HeaderAccept}

// begin writes what comes before the body.
func begin(c echo.Context, f format, answer *body) {
	header := c.Response().Header()
	header[echo.HeaderVary] = varies // once, also where squeezed said its part
	header.Set("ETag", answer.tag)
	header.Set(echo.HeaderContentType, f.mediaType)
	if f.name == paper {
		wall(header)
	}
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
