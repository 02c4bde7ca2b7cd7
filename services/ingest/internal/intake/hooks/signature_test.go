package hooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
)

var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

func mac(secret, signed string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(signed))
	return m.Sum(nil)
}

func hexOf(secret, signed string) string { return hex.EncodeToString(mac(secret, signed)) }
func base64Of(secret, signed string) string {
	return base64.StdEncoding.EncodeToString(mac(secret, signed))
}

// Signatures as the vendors make them: written out here once more, from their pages.
func TestSignatures(t *testing.T) {
	const body = `{"name":"Zürich 𝒵"}`
	now := fmt.Sprint(noon.Unix())
	stamped := func(at, signature string) string { return "t=" + at + ",v1=" + signature }
	cases := map[string]struct {
		hook   string
		header []string
		wrong  string // a part of the sentence; "" is a good signature
	}{
		"Kisi's, in hex":               {hook: "kisi", header: []string{"X-Signature", hexOf("secret of kisi", body)}},
		"Kisi's, in base64":            {hook: "kisi", header: []string{"X-Signature", base64Of("secret of kisi", body)}},
		"Kisi's, of another secret":    {hook: "kisi", header: []string{"X-Signature", hexOf("guess", body)}, wrong: "not one of this body"},
		"Kisi's, of another body":      {hook: "kisi", header: []string{"X-Signature", hexOf("secret of kisi", body+" ")}, wrong: "not one of this body"},
		"Kisi's, missing":              {hook: "kisi", wrong: "in the header X-Signature"},
		"Kisi's, empty":                {hook: "kisi", header: []string{"X-Signature", ""}, wrong: "in the header X-Signature"},
		"Kisi's, cut off":              {hook: "kisi", header: []string{"X-Signature", hexOf("secret of kisi", body)[:32]}, wrong: "not one of this body"},
		"Kisi's, no signature at all":  {hook: "kisi", header: []string{"X-Signature", "yes"}, wrong: "not one of this body"},
		"Envoy's":                      {hook: "envoy", header: []string{"X-Envoy-Signature", base64Of("secret of envoy", body)}},
		"Envoy's, in hex":              {hook: "envoy", header: []string{"X-Envoy-Signature", hexOf("secret of envoy", body)}, wrong: "not one of this body"},
		"OfficeRnD's":                  {hook: "officernd", header: []string{"Officernd-Signature", stamped(now, hexOf("secret of officernd", body+"."+now))}},
		"OfficeRnD's, in milliseconds": {hook: "officernd", header: []string{"Officernd-Signature", stamped(now+"000", hexOf("secret of officernd", body+"."+now+"000"))}},
		"OfficeRnD's, one of two":      {hook: "officernd", header: []string{"Officernd-Signature", "t=" + now + ", v0=" + hexOf("x", body) + ", v1=" + hexOf("secret of officernd", body+"."+now)}},
		"OfficeRnD's, with a timestamp that was not signed": {
			hook: "officernd", header: []string{"Officernd-Signature", stamped(now, hexOf("secret of officernd", body+".1"))}, wrong: "not one of this body",
		},
		"OfficeRnD's, of this morning": {
			hook:   "officernd",
			header: []string{"Officernd-Signature", stamped("1774929600", hexOf("secret of officernd", body+".1774929600"))}, wrong: "too long ago",
		},
		"OfficeRnD's, of this evening": {
			hook:   "officernd",
			header: []string{"Officernd-Signature", stamped("1774980000", hexOf("secret of officernd", body+".1774980000"))}, wrong: "in the future",
		},
		"OfficeRnD's, without a timestamp": {hook: "officernd", header: []string{"Officernd-Signature", "v1=" + hexOf("secret of officernd", body)}, wrong: "no timestamp"},
		"OfficeRnD's, missing":             {hook: "officernd", wrong: "in the header officernd-signature"},
		"Nexudus', in capitals, of a text without accents": {
			hook: "nexudus-checkins", header: []string{"X-Nexudus-Hook-Signature", strings.ToUpper(hexOf("secret of nexudus", `{"name":"Z?rich ??"}`))},
		},
		"Nexudus', of the text as it is": {hook: "nexudus-checkins", header: []string{"X-Nexudus-Hook-Signature", hexOf("secret of nexudus", body)}},
		"one of your own": {
			hook: "turnstile", header: []string{"X-Gate-Time", now, "X-Gate-Signature", "sha256=" + hexOf("secret of turnstile", now+"."+body)},
		},
		"one of your own, nine minutes old": {
			hook:   "turnstile",
			header: []string{"X-Gate-Time", "1774957860", "X-Gate-Signature", "sha256=" + hexOf("secret of turnstile", "1774957860."+body)},
		},
		"one of your own, without its prefix": {
			hook: "turnstile", header: []string{"X-Gate-Time", now, "X-Gate-Signature", hexOf("secret of turnstile", now+"."+body)}, wrong: "in the header",
		},
		"one of your own, without its time": {
			hook: "turnstile", header: []string{"X-Gate-Signature", "sha256=" + hexOf("secret of turnstile", now+"."+body)}, wrong: "no timestamp",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for i := 0; i+1 < len(c.header); i += 2 {
				header.Set(c.header[i], c.header[i+1])
			}
			err := configured(t, c.hook).Verify(header, []byte(body), noon)
			switch {
			case c.wrong == "":
				if err != nil {
					t.Error(err)
				}
			case fault.Code(err) != "unauthenticated" || !strings.Contains(err.Error(), c.wrong):
				t.Errorf("%v", err)
			case strings.Contains(err.Error(), "secret of"):
				t.Errorf("it tells the secret: %v", err)
			}
		})
	}
}
