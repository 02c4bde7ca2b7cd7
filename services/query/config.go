package main

import (
	"net"
	"net/url"
	"strconv"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
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

// database is where the numbers are: the address if there is one, else what the
// old variables say.
func (r *runCmd) database() (pg.URL, error) {
	switch {
	case r.DatabaseURL != "":
		return r.DatabaseURL, nil
	case r.DB.Username != "":
		return r.DB.url(), nil
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

// legacyOpen says whether the old system's report on persons is answered to
// anybody: as on a laptop, unless somebody says otherwise.
func (r *runCmd) legacyOpen(loopback bool) bool {
	if r.LegacyOpen != nil {
		return *r.LegacyOpen
	}
	return loopback
}
