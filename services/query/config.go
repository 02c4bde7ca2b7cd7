package main

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/pg"
	"coworking/services/query/internal/access"
)

// address is a host and a port to listen on.
type address string

// UnmarshalText refuses what nobody could listen on.
func (a *address) UnmarshalText(text []byte) error {
	_, port, err := net.SplitHostPort(string(text))
	if err != nil {
		return fault.Invalid.Errorf("%q is no host and port, like 127.0.0.1:5153", text)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fault.Invalid.Errorf("%q is no port", port)
	}
	*a = address(text)
	return nil
}

// zone is a time zone, given by its IANA name.
type zone struct{ *time.Location }

// UnmarshalText reads the name of a zone.
func (z *zone) UnmarshalText(text []byte) error {
	location, err := calendar.LoadZone(string(text))
	z.Location = location
	return err
}

// secret prints as nothing that helps anybody.
type secret string

// String hides it.
func (secret) String() string { return "…" }

// GoString hides it from %#v, too.
func (secret) GoString() string { return "…" }

// legacyDatabase is how the system before was told where its database is. What
// deploys it need not change.
type legacyDatabase struct {
	Username string `name:"username" env:"DB_USERNAME,DB_USER" help:"Who to be, where no address is given."`
	Password secret `name:"password" env:"DB_PASSWORD" help:"With which password."`
	Host     string `name:"host" default:"127.0.0.1" env:"DB_HOST" help:"On which host."`
	Port     uint16 `name:"port" default:"5432" env:"DB_PORT" help:"On which port."`
	Name     string `name:"name" default:"postgres" env:"DB_NAME" help:"Which database."`
}

// url is the same as an address.
func (d legacyDatabase) url() pg.URL {
	u := url.URL{
		Scheme: "postgres",
		User:   url.User(d.Username),
		Host:   net.JoinHostPort(d.Host, strconv.Itoa(int(d.Port))),
		Path:   d.Name,
	}
	if d.Password != "" {
		u.User = url.UserPassword(d.Username, string(d.Password))
	}
	return pg.URL(u.String())
}

// databaseFlags are where the database is, in the new words and in the old ones.
type databaseFlags struct {
	DatabaseURL pg.URL         `env:"DATABASE_URL" help:"Where events and rollups are kept."`
	DB          legacyDatabase `embed:"" prefix:"db-" group:"The database, as the system before was told it:"`
}

// database is where the numbers are: the address if there is one, else what the
// old variables say.
func (f *databaseFlags) database() (pg.URL, error) {
	switch {
	case f.DatabaseURL != "":
		return f.DatabaseURL, nil
	case f.DB.Username != "":
		return f.DB.url(), nil
	default:
		return "", fault.Invalid.Errorf("where is the database? give --database-url (DATABASE_URL), or DB_USERNAME and its companions")
	}
}

// listen is the address to listen on.
func (r *runCmd) listen() string {
	if r.Addr != "" {
		return string(r.Addr)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(r.AppPort)))
}

// open says whether nobody needs a key: as on a laptop, unless somebody says
// otherwise. On an address that others reach, everybody needs one.
func (r *runCmd) open(loopback bool) bool {
	return loopback && (r.RequireKeys == nil || !*r.RequireKeys)
}

// oidcFlags is whose tokens open something, and what.
type oidcFlags struct {
	Issuer      string `env:"OIDC_ISSUER" placeholder:"URL" help:"Who signs the tokens, as its discovery document says it; none if not given."`
	Audience    string `env:"OIDC_AUDIENCE" help:"Whom the tokens must be for."`
	ScopeClaim  string `default:"scope" env:"OIDC_SCOPE_CLAIM" help:"The claim that holds the scopes."`
	SpacesClaim string `env:"OIDC_SPACES_CLAIM" help:"The claim that holds the spaces that a token opens, * for all; without this flag each token opens all."`
}

// Validate is kong's: it is called once the flags are read.
func (f oidcFlags) Validate() error {
	if f.Issuer != "" && f.Audience == "" {
		return fault.Invalid.Errorf("an issuer signs tokens for many: give --oidc-audience (OIDC_AUDIENCE), too")
	}
	return nil
}

// issuer is nil if there is none.
func (f oidcFlags) issuer() *access.Issuer {
	if f.Issuer == "" {
		return nil
	}
	return access.NewIssuer(access.IssuerConfig{
		URL: f.Issuer, Audience: f.Audience, ScopeClaim: f.ScopeClaim, SpacesClaim: f.SpacesClaim,
	}, time.Now)
}

// legacyOpen says whether the old system's report on persons is answered to
// anybody: as on a laptop, unless somebody says otherwise.
func (r *runCmd) legacyOpen(loopback bool) bool {
	if r.LegacyOpen != nil {
		return *r.LegacyOpen
	}
	return loopback
}

// scope is one thing that a key may do.
type scope key.Scope

// UnmarshalText reads a scope's name.
func (s *scope) UnmarshalText(text []byte) error {
	read, err := key.ParseScope(string(text))
	*s = scope(read)
	return err
}

// spaceName is the name of a space, which need not exist yet.
type spaceName string

// UnmarshalText refuses what no space can be called.
func (n *spaceName) UnmarshalText(text []byte) error {
	if name := string(text); !event.ValidSpace(name) || name == event.NoSpace {
		return fault.Invalid.Errorf("%q is not the name of a space: a-z, 0-9, _ and -, up to 63", name)
	}
	*n = spaceName(text)
	return nil
}

// keyID is the id of a key, alone or cut from the key itself.
type keyID string

// UnmarshalText reads an id, and quotes nothing that might be a key.
func (i *keyID) UnmarshalText(text []byte) error {
	id, err := key.ParseID(string(text))
	*i = keyID(id)
	return err
}

// longest is how many days a key may be told to live: a century, else it is never.
const longest = 36500

// lifetime is when something ends: so many days from now, on a date, or never.
type lifetime struct {
	days int
	date time.Time
}

// UnmarshalText reads 90d, 2027-01-01 or never.
func (l *lifetime) UnmarshalText(text []byte) error {
	*l = lifetime{}
	if string(text) == "never" {
		return nil
	}
	if number, ok := strings.CutSuffix(string(text), "d"); ok {
		if days, err := strconv.Atoi(number); err == nil && days > 0 && days <= longest {
			l.days = days
			return nil
		}
	}
	date, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fault.Invalid.Errorf("%q is no end: say after how many days, as in 90d, on which date, as in 2027-01-01, or never", text)
	}
	l.date = date
	return nil
}

// end is the instant, nil for never. A date ends what it does as it begins, in UTC.
func (l *lifetime) end(now time.Time) (*time.Time, error) {
	switch {
	case l.days > 0:
		end := now.UTC().AddDate(0, 0, l.days)
		return &end, nil
	case l.date.IsZero():
		return nil, nil
	case !l.date.After(now):
		return nil, fault.Invalid.Errorf("--expires: %s has begun, in UTC; say a later date", l.date.Format(time.DateOnly))
	}
	return &l.date, nil
}
