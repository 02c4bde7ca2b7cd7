package pg

import (
	"net/url"
	"strings"

	"coworking/pkg/fault"

	"github.com/jackc/pgx/v5/pgxpool"
)

// URL is where a database is, password included: it prints without it, in JSON too.
type URL string

// String is the address without its secrets, and … where it is no address.
func (u URL) String() string {
	if u == "" {
		return ""
	}
	parsed, err := url.Parse(string(u))
	if err != nil || !hasScheme(string(u)) {
		return "…"
	}
	if _, secret := parsed.User.Password(); secret {
		parsed.User = url.UserPassword(parsed.User.Username(), "…")
	}
	query := parsed.Query()
	for _, secret := range []string{"password", "sslpassword"} {
		if query.Has(secret) {
			query.Set(secret, "…")
			parsed.RawQuery = query.Encode()
		}
	}
	text, err := url.PathUnescape(parsed.String())
	if err != nil {
		return "…"
	}
	return text
}

// GoString is String: %#v tells no more than %v.
func (u URL) GoString() string { return u.String() }

// MarshalText is String: a log of a whole configuration tells no more either.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText takes an address from a flag or the environment and refuses what
// Postgres could not be reached by. libpq's other form, host=… password=…, is
// refused: nothing tells its secrets from the rest once a word is misspelt.
func (u *URL) UnmarshalText(text []byte) error {
	_, err := pgxpool.ParseConfig(string(text))
	if err != nil || !hasScheme(string(text)) {
		// pgx's own error can quote the password.
		return fault.Invalid.Errorf("not a Postgres address; it looks like postgres://user:password@host:5432/database")
	}
	*u = URL(text)
	return nil
}

func hasScheme(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}
