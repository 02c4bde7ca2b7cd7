package hooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"coworking/pkg/fault"
)

// Scheme is how a vendor signs: an HMAC-SHA256 in a header.
type Scheme struct {
	Header   string `json:"header"`
	Encoding string `json:"encoding"` // hex in either case, base64, or either (of the two); hex if not given
	Prefix   string `json:"prefix"`   // what stands before the signature: sha256=
	// Signed is what the HMAC is of: {body}, {timestamp}.{body} or {body}.{timestamp}.
	// {body} if not given.
	Signed string `json:"signed"`
	// TimestampHeader is where the timestamp is, in seconds or milliseconds since 1970.
	// If it is not given and Signed has one, the header is t=<timestamp>,<name>=<signature>.
	TimestampHeader string `json:"timestamp_header"`
	// ASCII says that the vendor signs its text with a ? for each character beyond
	// ASCII, and sends it as it is.
	ASCII bool `json:"ascii"`
}

// tolerance is how old a signature may be, and how much clocks may differ, where the
// hook does not say.
const tolerance = 5 * time.Minute

func (s *Scheme) check() error {
	var wrong []error
	if s.Header == "" {
		wrong = append(wrong, fault.Invalid.Errorf("a signature needs the header that it comes in"))
	}
	switch s.Encoding {
	case "", "hex", "base64", "either":
	default:
		wrong = append(wrong, fault.Invalid.Errorf("a signature is hex, base64 or either, not %q", s.Encoding))
	}
	switch s.Signed {
	case "", "{body}":
		if s.TimestampHeader != "" {
			wrong = append(wrong, fault.Invalid.Errorf("a timestamp that is not signed says nothing: signed must be {timestamp}.{body} or {body}.{timestamp}"))
		}
	case "{timestamp}.{body}", "{body}.{timestamp}":
	default:
		wrong = append(wrong, fault.Invalid.Errorf("what is signed is {body}, {timestamp}.{body} or {body}.{timestamp}, not %q", s.Signed))
	}
	return errors.Join(wrong...)
}

// timed says whether a timestamp is signed.
func (s *Scheme) timed() bool { return strings.Contains(s.Signed, "{timestamp}") }

// verify says whether somebody who has the secret sent a body, not long ago. The
// error is fault.Invalid with the code unauthenticated.
func (s *Scheme) verify(secret string, header http.Header, body []byte, now time.Time, tolerance time.Duration) error {
	timestamp, signatures := s.read(header)
	if len(signatures) == 0 {
		return unsigned("a request to this hook has a signature in the header " + s.Header)
	}
	if s.timed() {
		signed, ok := moment(timestamp)
		if !ok {
			return unsigned("the signature has no timestamp")
		}
		if now.Sub(signed).Abs() > tolerance {
			return unsigned("this was signed too long ago, or in the future")
		}
	}
	bodies := [][]byte{body}
	if s.ASCII && !isASCII(body) {
		bodies = append(bodies, asciiOnly(body))
	}
	good := false
	for _, one := range bodies {
		want := s.sign(secret, one, timestamp)
		for _, signature := range signatures {
			good = hmac.Equal(want, s.decode(signature)) || good
		}
	}
	if !good {
		return unsigned("the signature is not one of this body")
	}
	return nil
}

func unsigned(detail string) error { return fault.Invalid.With("unauthenticated", "", "%s", detail) }

// read finds the timestamp, and the signatures: a vendor that changes its secret may
// send two.
func (s *Scheme) read(header http.Header) (timestamp string, signatures []string) {
	value := header.Get(s.Header)
	if s.timed() && s.TimestampHeader == "" {
		for pair := range strings.SplitSeq(value, ",") {
			name, word, _ := strings.Cut(strings.TrimSpace(pair), "=")
			switch {
			case name == "t":
				timestamp = word
			case word != "":
				signatures = append(signatures, word)
			}
		}
		return timestamp, signatures
	}
	if s.TimestampHeader != "" {
		timestamp = header.Get(s.TimestampHeader)
	}
	if signature, ok := strings.CutPrefix(value, s.Prefix); ok && signature != "" {
		signatures = []string{signature}
	}
	return timestamp, signatures
}

// moment reads a timestamp in seconds, or in milliseconds, which seconds will not
// reach before the year 5138.
func moment(timestamp string) (time.Time, bool) {
	n, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	if n >= 100_000_000_000 {
		return time.UnixMilli(n), true
	}
	return time.Unix(n, 0), true
}

func (s *Scheme) sign(secret string, body []byte, timestamp string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	before, after, _ := strings.Cut(s.Signed, "{body}")
	mac.Write([]byte(strings.ReplaceAll(before, "{timestamp}", timestamp)))
	mac.Write(body)
	mac.Write([]byte(strings.ReplaceAll(after, "{timestamp}", timestamp)))
	return mac.Sum(nil)
}

// decode is the bytes of a signature; nil if it is none.
func (s *Scheme) decode(signature string) []byte {
	if s.Encoding != "base64" {
		if sum, err := hex.DecodeString(signature); err == nil {
			return sum
		}
	}
	if s.Encoding == "base64" || s.Encoding == "either" {
		if sum, err := base64.StdEncoding.DecodeString(signature); err == nil {
			return sum
		}
	}
	return nil
}

func isASCII(body []byte) bool {
	for _, b := range body {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// asciiOnly is a text with a ? for each UTF-16 unit beyond ASCII, as .NET's
// ASCIIEncoding makes it.
func asciiOnly(body []byte) []byte {
	plain := make([]byte, 0, len(body))
	for _, r := range string(body) {
		switch {
		case r < utf8.RuneSelf:
			plain = append(plain, byte(r))
		case r > 0xFFFF:
			plain = append(plain, '?', '?')
		default:
			plain = append(plain, '?')
		}
	}
	return plain
}
