package api

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"coworking/pkg/fault"
	"coworking/services/query/internal/report"

	"github.com/labstack/echo/v4"
)

// listed is a report as the list of reports shows it.
type listed struct {
	Name    string   `json:"name"`
	Doc     string   `json:"doc"`
	Href    string   `json:"href"`
	Columns []string `json:"columns"`
}

// list is every report there is.
func (s *server) list(c echo.Context) error {
	reports := []listed{}
	for _, r := range report.Catalogue {
		l := listed{Name: r.Name, Doc: r.Doc, Href: "/api/v1/reports/" + r.Name}
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
	format, err := chooseFormat(query, suffix, suffixed, c.Request().Header.Get(echo.HeaderAccept))
	if err != nil {
		return err
	}
	query.Del("format")
	answer, err := s.Reports.Answer(c.Request().Context(), r, query, s.Now())
	if err != nil {
		return err
	}
	body, err := format.encode(answer)
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set(echo.HeaderVary, echo.HeaderAccept)
	header.Set(echo.HeaderCacheControl, "private, no-cache")
	header.Set(echo.HeaderContentLength, strconv.Itoa(len(body)))
	if format.attached {
		header.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": fileName(answer.Meta, format)}))
	}
	return c.Blob(http.StatusOK, format.mediaType, body)
}

// fileName sorts by report, then by range. Colons are no part of a file name.
func fileName(m report.Meta, f format) string {
	return strings.ReplaceAll(m.Report+"_"+m.From+"_"+m.To, ":", "") + "." + f.name
}
