package event

import (
	"time"
	"unicode/utf8"
)

// Encode appends the event in structured JSON mode: what Decode reads back as the
// same event.
func (e *Event) Encode(dst []byte) []byte {
	dst = append(dst, `{"specversion":"1.0","id":`...)
	dst = appendString(dst, e.ID)
	dst = append(dst, `,"source":`...)
	dst = appendString(dst, e.Source)
	dst = append(dst, `,"type":"`...)
	dst = append(dst, TypePrefix...)
	dst = append(dst, e.Kind...)
	dst = append(dst, `","time":`...)
	dst = appendTime(dst, e.Time)
	if e.Member != "" {
		dst = append(dst, `,"subject":`...)
		dst = appendString(dst, e.Member)
	}
	dst = append(dst, `,"datacontenttype":"application/json","data":{"space":`...)
	dst = appendString(dst, e.Space)
	dst = e.appendFields(dst, true)
	return append(dst, '}', '}')
}

// EncodeData appends the known fields alone, without the space, as a JSON object:
// what is kept of an event's data, and what its content is judged by.
func (e *Event) EncodeData(dst []byte) []byte {
	dst = append(dst, '{')
	dst = e.appendFields(dst, false)
	return append(dst, '}')
}

func (e *Event) appendFields(dst []byte, comma bool) []byte {
	kind := kinds.byName[string(e.Kind)]
	if kind == nil {
		return dst
	}
	for i := range kind.Fields {
		f := &kind.Fields[i]
		begin := len(dst)
		if comma {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, f.Name...)
		dst = append(dst, '"', ':')
		value := len(dst)
		if dst = f.write(dst, &e.Data); len(dst) == value {
			dst = dst[:begin]
			continue
		}
		comma = true
	}
	return dst
}

// appendTime writes a time in UTC, with no more digits than it needs.
func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.999999Z07:00")
	return append(dst, '"')
}

// appendString writes a JSON string; all that is beyond ASCII stays as it is.
func appendString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}
