package event

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"coworking/pkg/fault"
)

// attributeHeaders is where the attributes are that we know, in binary mode.
var attributeHeaders = []struct{ attribute, header string }{
	{"specversion", "Ce-Specversion"},
	{"id", "Ce-Id"},
	{"source", "Ce-Source"},
	{"type", "Ce-Type"},
	{"time", "Ce-Time"},
	{"subject", "Ce-Subject"},
	{"datacontenttype", "Content-Type"},
}

// FromBinary puts an event that came in binary mode (attributes in headers, data as
// the body, as in the CloudEvents HTTP binding) into structured mode, for Decode to
// judge. header gives all values of a header, like http.Header.Values. Headers of
// attributes that we do not know are ignored, as they are in structured mode.
//
// The error is fault.Invalid, as Decode's: a header that is there twice is
// `duplicate_key`, and a body that is more than one value never becomes an attribute.
func FromBinary(header func(name string) []string, body []byte) ([]byte, error) {
	structured := make([]byte, 0, len(body)+512)
	structured = append(structured, '{')
	for _, h := range attributeHeaders {
		values := header(h.header)
		if len(values) == 0 {
			continue
		}
		value, err := headerText(values)
		if err != nil {
			return nil, inside(h.attribute, err)
		}
		if len(structured) > 1 {
			structured = append(structured, ',')
		}
		structured = appendString(structured, h.attribute)
		structured = append(structured, ':')
		structured = appendString(structured, value)
	}
	s := scanner{body: body}
	if s.empty() {
		return append(structured, '}'), nil
	}
	if err := s.only(); err != nil {
		return nil, err
	}
	if len(structured) > 1 {
		structured = append(structured, ',')
	}
	structured = append(structured, `"data":`...)
	structured = append(structured, body...)
	return append(structured, '}'), nil
}

// headerText is a header's one value: quoted or not, percent-encoded once.
func headerText(values []string) (string, error) {
	if len(values) > 1 {
		return "", fault.Invalid.With("duplicate_key", "", "the header is there %d times", len(values))
	}
	text := values[0]
	if len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"' {
		text = unescaped(text[1 : len(text)-1])
	}
	text, err := url.PathUnescape(text)
	if err != nil {
		return "", fault.Invalid.With("invalid_text", "", "a header's value is percent-encoded: %s is not", quote([]byte(values[0])))
	}
	if !utf8.ValidString(text) {
		return "", fault.Invalid.With("invalid_text", "", "a header's value is not UTF-8")
	}
	return text, nil
}

// unescaped undoes the escapes of a quoted string in a header (RFC 9110): a
// backslash before any character.
func unescaped(quoted string) string {
	var text strings.Builder
	for i := 0; i < len(quoted); i++ {
		if quoted[i] == '\\' && i+1 < len(quoted) {
			i++
		}
		text.WriteByte(quoted[i])
	}
	return text.String()
}

// only refuses what is not one JSON value, the data of an event.
func (s *scanner) only() error {
	if err := legible(s.body); err != nil {
		return err
	}
	if err := s.skip(0); err != nil {
		return inside("data", err)
	}
	return s.end()
}
