package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// landing is what a browser sees at /: the addresses there are.
func (s *server) landing(c echo.Context) error {
	page, err := render("landing.html", "Reports", "/", map[string]any{"Open": s.Open})
	if err != nil {
		return err
	}
	return c.HTMLBlob(http.StatusOK, page)
}
