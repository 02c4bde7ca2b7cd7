package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"

	"coworking/pkg/fault"
	"coworking/services/query/internal/report"

	"github.com/labstack/echo/v4"
)

// documentRoutes are the addresses of words: they change with the binary only.
func (s *server) documentRoutes(e *echo.Echo, squeezed echo.MiddlewareFunc) {
	const page = "text/html; charset=utf-8"
	e.GET("/openapi.json", unchanging("application/json", OpenAPI), squeezed)
	e.GET("/docs", unchanging(page, docsIndex), walled, squeezed)
	e.GET("/docs/api", unchanging(page, docsAPI), walled, squeezed)
	e.GET("/docs/style.css", unchanging("text/css; charset=utf-8", docsStyle), squeezed)

	reports := map[string]echo.HandlerFunc{}
	for _, r := range report.Catalogue {
		reports[r.Name] = unchanging(page, func() ([]byte, error) { return docsReport(r) })
	}
	e.GET("/docs/reports/:report", func(c echo.Context) error {
		r, err := report.Find(c.Param("report"))
		if err != nil {
			return err
		}
		return reports[r.Name](c)
	}, walled, squeezed)
}

func docsStyle() ([]byte, error) {
	style, err := docs.ReadFile("docs/style.css")
	if err != nil {
		return nil, fault.Internal.Errorf("the stylesheet: %w", err)
	}
	return style, nil
}

// document is a body that stays the same as long as the process lives.
type document struct {
	body []byte
	tag  string
}

// unchanging answers with what is made when the first asks for it.
func unchanging(mediaType string, made func() ([]byte, error)) echo.HandlerFunc {
	once := sync.OnceValues(func() (document, error) {
		body, err := made()
		sum := sha256.Sum256(body)
		return document{body, `W/"` + hex.EncodeToString(sum[:8]) + `"`}, err
	})
	return func(c echo.Context) error {
		d, err := once()
		if err != nil {
			return err
		}
		header := c.Response().Header()
		header.Set("ETag", d.tag)
		header.Set(echo.HeaderCacheControl, "no-cache")
		if has := c.Request().Header.Get("If-None-Match"); has != "" && matches(has, d.tag) {
			return c.NoContent(http.StatusNotModified)
		}
		return c.Blob(http.StatusOK, mediaType, d.body)
	}
}
