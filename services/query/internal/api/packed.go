package api

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// worthPacking is how many bytes an answer has at least that is packed with gzip for
// who takes that.
const worthPacking = 1400

// squeezed packs what is being written, for who takes that.
func squeezed() echo.MiddlewareFunc {
	squeeze := middleware.GzipWithConfig(middleware.GzipConfig{MinLength: worthPacking})
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		squeezing := squeeze(next)
		return func(c echo.Context) error {
			if takesGzip(c.Request().Header.Get(echo.HeaderAcceptEncoding)) {
				return squeezing(c)
			}
			c.Response().Header().Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
			return next(c)
		}
	}
}

// takesGzip says whether an Accept-Encoding header names gzip, and does not refuse it
// (RFC 9110, 12.5.3).
func takesGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if name = strings.TrimSpace(name); name != "gzip" && name != "x-gzip" { // as squeezed reads it
			continue
		}
		_, value, _ := strings.Cut(weight, "=")
		quality, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return err != nil || quality > 0
	}
	return false
}

// pack is a text as gzip.
func pack(text []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(text) // a buffer takes everything
	_ = w.Close()
	return bytes.Clone(packed.Bytes()) // as long as it is, since it is kept
}
