package api

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"coworking/services/query/internal/report"

	"github.com/labstack/echo/v4"
)

//go:embed landing.html
var landingHTML string

var landingPage = template.Must(template.New("landing").Parse(landingHTML))

// landing is what a browser sees at /: the addresses there are.
func (s *server) landing(c echo.Context) error {
	var page bytes.Buffer
	err := landingPage.Execute(&page, map[string]any{"Reports": report.Catalogue, "Open": s.Open})
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return c.HTMLBlob(http.StatusOK, page.Bytes())
}
